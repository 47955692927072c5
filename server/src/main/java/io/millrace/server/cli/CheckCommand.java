package io.millrace.server.cli;

import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.ResumeStore;
import io.millrace.server.config.file.ClientsLoader;
import io.millrace.server.config.file.ConfigLoader;
import io.millrace.server.config.file.ConfigSchema;
import io.millrace.server.config.file.EffectiveConfig;
import io.millrace.server.redis.RedisProbe;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Prints the resulting configuration. */
@Command(
        name = "check",
        description =
                "Prints the effective configuration, keys by their source only, or everything that is wrong with it"
                        + " (exit code 1). Its options are those of serve.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  millrace check millrace.yaml --probe",
            "  millrace check --upstream http://127.0.0.1:9100 > millrace.yaml"
        })
@SuppressWarnings("NullAway.Init") // picocli fills in what is not optional
final class CheckCommand implements Callable<Integer> {
    private static final URI EMBEDDED_MOCK = URI.create("http://embedded-mock.invalid");

    @Spec
    private CommandSpec spec;

    @Mixin
    private RelayOptions options;

    @Option(
            names = "--probe",
            description = "Also resolve, connect and do TLS to each upstream, and log in to Redis; no request is sent.")
    private boolean probe;

    @Option(names = "--schema", description = "Print the JSON Schema of the configuration file, for editors.")
    private boolean schema;

    @Override
    public Integer call() {
        if (schema) {
            spec.commandLine().getOut().print(ConfigSchema.json());
            spec.commandLine().getOut().flush();
            return 0;
        }
        var config = ConfigLoader.load(options.arguments().sources(System.getenv(), () -> EMBEDDED_MOCK));
        boolean mock = config.upstreams().values().stream()
                .anyMatch(upstream -> upstream.url().equals(EMBEDDED_MOCK));
        // The mock has another address at each start. Without an upstream in the file, serve starts it again.
        String yaml = mock ? EffectiveConfig.toYamlWithoutUpstreams(config) : EffectiveConfig.toYaml(config);
        spec.commandLine().getOut().print(yaml);
        spec.commandLine().getOut().flush();
        if (mock) {
            spec.commandLine()
                    .getErr()
                    .println(
                            "No upstream is configured and no provider key is set: serve starts an embedded mock LLM.");
        }
        Path clients = config.clients().file();
        if (clients != null) {
            ClientsLoader.warnings(config, ClientsLoader.load(clients))
                    .forEach(warning -> spec.commandLine().getErr().println("warning: " + warning));
        }
        UrlWarnings.of(config).forEach(warning -> spec.commandLine().getErr().println("warning: " + warning));
        return probe && !probe(config, mock) ? 1 : 0;
    }

    private boolean probe(RelayConfig config, boolean mock) {
        PrintWriter out = spec.commandLine().getErr();
        ResumeStore streams = config.resume().redis();
        boolean limits = probe(out, "clients.redis", config.clients().redis());
        boolean kept = probe(out, "resume.redis", streams == null ? null : streams.redis());
        boolean upstreams = mock || new UpstreamProbe(out).run(config);
        return limits && kept && upstreams;
    }

    private static boolean probe(PrintWriter out, String name, @Nullable RedisSettings redis) {
        if (redis == null) {
            return true;
        }
        RedisProbe found = RedisProbe.of(redis);
        String failure = found.failure();
        out.println(name + ": " + redis.url() + ": " + (failure == null ? "connects" : failure));
        if (found.warning() != null && name.startsWith("resume")) {
            out.println("warning: " + name + ": " + found.warning());
        }
        out.flush();
        return failure == null;
    }
}
