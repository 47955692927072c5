package io.millrace.server.cli;

import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import io.millrace.server.transport.Transport;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Runs the mock LLM until it is stopped. */
@Command(
        name = "mock",
        description = "Runs a mock LLM that speaks the providers' dialects, at a pace and with faults on request.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footerHeading = "%nExamples:%n",
        footer = {
            "  millrace mock",
            "  millrace mock --listen 127.0.0.1:9100 --spec ttft_ms=300,gap_ms=20",
            "  millrace mock --spec reset_after=5",
            "The keys of --spec are in docs/mock.md. A request can have them, too: in its model's name, such as"
                    + " mock:tokens=20,gap_ms=50, or in the header x-mock."
        })
@SuppressWarnings("NullAway.Init") // picocli fills in what is not optional
final class MockCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(
            names = "--listen",
            paramLabel = "HOST:PORT",
            defaultValue = "127.0.0.1:9100",
            description = "Address to listen on. Default ${DEFAULT-VALUE}.")
    private String listen;

    @Option(
            names = "--spec",
            paramLabel = "KEY=VALUE,...",
            defaultValue = "",
            description = "The length, pace and faults of answers, unless the request has its own.")
    private String mockSpec;

    @Option(
            names = "--replay-dir",
            paramLabel = "DIR",
            description = "Directory of recorded .sse files, which replay=NAME in a spec sends.")
    private @Nullable Path replayDir;

    @Option(
            names = "--transport",
            paramLabel = "NAME",
            description = "epoll, io_uring, kqueue or nio. Default: the best that is available.")
    private @Nullable String transport;

    @Option(names = "--event-loops", paramLabel = "N", description = "Threads. Default 0, one per core.")
    private int eventLoops;

    @Override
    public Integer call() throws InterruptedException {
        var stop = StopSignal.install();
        try (var mock = MockServer.start(config())) {
            var out = spec.commandLine().getOut();
            out.println("millrace " + Build.version() + " mock LLM listening on " + mock.uri());
            out.flush();
            stop.await();
        }
        return 0;
    }

    private MockConfig config() {
        try {
            return parsed();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    private MockConfig parsed() {
        var address = HostAndPort.parse(listen);
        int threads = eventLoops == 0 ? Runtime.getRuntime().availableProcessors() : eventLoops;
        return MockConfig.defaults()
                .withAddress(address.host(), address.port())
                .withSpec(MockSpec.parse(mockSpec))
                .withReplayDir(replayDir)
                .withEventLoops(threads)
                .withTransport(transport == null ? Transport.best() : Transport.named(transport));
    }
}
