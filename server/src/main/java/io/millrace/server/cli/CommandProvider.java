package io.millrace.server.cli;

import java.util.List;

/**
 * Adds commands to the launcher. Implementations are found by {@link java.util.ServiceLoader}, have a public constructor
 * without parameters and do nothing in it.
 */
public interface CommandProvider {
    /**
     * New command objects. Each is annotated with {@link picocli.CommandLine.Command} and has a name of its own. A
     * command is a {@link java.util.concurrent.Callable} that gives the exit code, or a {@link Runnable}.
     */
    List<Object> commands();
}
