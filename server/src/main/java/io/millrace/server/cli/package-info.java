/**
 * The command line: {@code millrace serve}, {@code mock}, {@code check} and {@code train}. Other modules add their commands by a
 * {@link io.millrace.server.cli.CommandProvider}.
 */
@NullMarked
package io.millrace.server.cli;

import org.jspecify.annotations.NullMarked;
