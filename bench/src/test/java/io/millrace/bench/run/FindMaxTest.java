package io.millrace.bench.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import io.millrace.server.test.Http2Mock;
import io.netty.handler.codec.http2.Http2Settings;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** {@code --find-max} as a command: what it prints, writes and exits with. */
@Tag("sockets")
class FindMaxTest {
    private static final String ANSWER =
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\ndata: [DONE]\n\n";
    private static final int MOST_TRIES = 5;

    @TempDir
    private Path directory;

    private record Run(int code, String out, JsonNode json, String html) {}

    private Run run(URI target, String arguments) throws IOException {
        Path json = directory.resolve("found.json");
        Path html = directory.resolve("found.html");
        var out = new StringWriter();
        String all = "--quiet --warmup 0s --find-max --slo ttft=10s --url " + target + "/v1 --json " + json + " --html "
                + html + " " + arguments;
        int code = new CommandLine(new BenchCommand())
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(out))
                .execute(all.split(" "));
        return new Run(
                code, out.toString(), new ObjectMapper().readTree(Files.readAllBytes(json)), Files.readString(html));
    }

    @Test
    void reportsTheHighestRate() throws IOException {
        try (var mock = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse("tokens=2,ttft_ms=400")))) {
            Run run = run(mock.uri(), "--requests 2 --rate 300000");
            // On a busy machine the client may not be fit to tell.
            for (int tries = 1; run.code == 3 && tries < MOST_TRIES; tries++) {
                run = run(mock.uri(), "--requests 2 --rate 300000");
            }

            assertThat(run.code).as(run.out).isZero();
            String answer = "highest rate at which 99% of the streams keep ttft=10s: 600000.0/s"
                    + " (none that was tried was too high)";
            assertThat(run.out).contains(answer);
            assertThat(run.html).contains(answer, "highest good rate 600,000/s");
            assertThat(run.json.path("max_rate").doubleValue()).isEqualTo(600_000);
            assertThat(run.json.path("max_rate_known").booleanValue()).isTrue();
            assertThat(run.json.path("max_rate_interval").toString()).isEqualTo("[600000.0,null]");
            assertThat(run.json.path("points")).hasSize(2);
        }
    }

    /** Streams wait in the client for the one place that the server gives, so nothing is known of the server. */
    @Test
    void neverBlamesTheTargetForAClientThatIsNotFit() throws IOException {
        Executor later = CompletableFuture.delayedExecutor(50, TimeUnit.MILLISECONDS);
        try (var mock = Http2Mock.start(new Http2Settings().maxConcurrentStreams(1), request -> {
            request.stream();
            later.execute(() -> request.data(ANSWER).end());
        })) {
            Run run = run(mock.uri(), "--http2 --connections 1 --requests 20 --rate 200");

            assertThat(run.code).as(run.out).isEqualTo(3);
            String answer = "no rate is known at which 99% of the streams keep ttft=10s; at 200.0/s this client was not"
                    + " fit to tell, twice";
            assertThat(run.out).contains(answer, "INVALID", "more places: --connections");
            assertThat(run.html).contains(answer);
            assertThat(run.json.path("max_rate").doubleValue()).isZero();
            assertThat(run.json.path("max_rate_known").booleanValue()).isFalse();
            assertThat(run.json.path("max_rate_interval").toString()).isEqualTo("[0.0,null]");
            assertThat(run.json.path("points")).hasSize(2);
        }
    }
}
