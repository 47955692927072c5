package io.millrace.server.cli;

import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A module's command that came in by the door. */
public final class HelloProvider implements CommandProvider {
    @Override
    public List<Object> commands() {
        return List.of(new Hello());
    }

    @Command(name = "hello", description = "Says hello.")
    static final class Hello implements Callable<Integer> {
        @Spec
        private CommandSpec spec;

        @Option(names = "--fail", description = "With this message.")
        private String fail;

        @Override
        public Integer call() {
            if (fail != null) {
                throw new IllegalStateException(fail);
            }
            spec.commandLine().getOut().println("hello");
            return 7;
        }
    }
}
