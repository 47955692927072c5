/**
 * The command line: {@code millrace serve}, {@code mock}, {@code check}, {@code key} and {@code train}. The door is
 * {@link io.millrace.server.cli.Millrace}. Other modules add their commands by a
 * {@link io.millrace.server.cli.CommandProvider}. {@code serve} starts, serves, drains and ends. It holds no buffer.
 */
@NullMarked
package io.millrace.server.cli;

import org.jspecify.annotations.NullMarked;
