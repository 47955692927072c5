/** The command line: {@code millrace serve}, {@code mock}, {@code check}, and the door for commands of other modules. */
package io.millrace.server.cli;
