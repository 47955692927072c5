package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class RelayArgumentsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "serve",
                "serve millrace.yaml",
                "serve --listen 127.0.0.1:0 millrace.yaml --drain 5s",
                "serve --listen 127.0.0.1:1 --listen [::1]:2",
                "serve --upstream http://127.0.0.1:9100 --transport nio --event-loops 2 --access-log off",
                "serve --allow-open --listen :8080",
                "serve --allow-open true",
                "serve --page false",
            })
    void readsAPlainServeAsTheCommandLineDoes(String line) {
        var arguments = List.of(line.split(" "));

        assertThat(RelayArguments.ofPlainServe(arguments)).isNotNull().isEqualTo(fullyParsed(arguments));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "check",
                "--version",
                "help serve",
                "serve --help",
                "serve -h",
                "serve --lisen 127.0.0.1:0",
                "serve --listen",
                "serve --listen --drain 5s",
                "serve --listen=127.0.0.1:0",
                "serve --drain 5s --drain 6s",
                "serve --allow-open --allow-open",
                "serve one.yaml two.yaml",
                "serve @arguments",
                "serve --listen @arguments",
                "serve --drain '5s'",
                "serve -- millrace.yaml",
            })
    void leavesAllElseToTheCommandLine(String line) {
        assertThat(RelayArguments.ofPlainServe(line.isEmpty() ? List.of() : List.of(line.split(" "))))
                .isNull();
    }

    private static RelayArguments fullyParsed(List<String> arguments) {
        var options = new RelayOptions();
        new CommandLine(CommandLine.Model.CommandSpec.create()
                        .addMixin("relay", CommandLine.Model.CommandSpec.forAnnotatedObject(options)))
                .parseArgs(arguments.subList(1, arguments.size()).toArray(String[]::new));
        return options.arguments();
    }
}
