package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.bench.doctor.DoctorCommand;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/**
 * What the doctor says about real paths to a server, good and bad ones. Each leads to a mock, with Millrace in between
 * except for the direct one. All are examined at once, because an examination is mostly waiting.
 */
@Tag("time")
class DoctorTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int TRIES = 5;

    private static final ExecutorService THREADS = Executors.newCachedThreadPool();
    private static final Map<String, String> BASES = new ConcurrentHashMap<>();
    private static final Map<String, CompletableFuture<Result>> RESULTS = new ConcurrentHashMap<>();
    private static final List<AutoCloseable> OPEN = new ArrayList<>();

    private record Result(int exitCode, JsonNode json) {
        List<String> wrong() {
            List<String> codes = new ArrayList<>();
            json.path("findings").forEach(finding -> {
                if (finding.path("wrong").asBoolean()) {
                    codes.add(finding.path("code").asText());
                }
            });
            return codes;
        }

        String fixes() {
            return json.findValues("fixes").toString();
        }
    }

    @BeforeAll
    static void startAll() throws IOException {
        var harness = opened(RelayHarness.start());
        int relay = harness.port();
        var nginx = opened(Intermediary.patientNginx(relay));
        for (String path : List.of("right", "buffering", "buffering11", "compressing", "impatient")) {
            BASES.put("nginx " + path, base(nginx.port(), "/" + path));
        }
        BASES.put("direct", base(harness.mock.port(), ""));
        BASES.put("Millrace", base(relay, ""));
        BASES.put("HAProxy", base(opened(Intermediary.haproxy(relay)).port(), ""));
        BASES.put(
                "HAProxy delaying",
                base(opened(Intermediary.delayingHaproxy(relay)).port(), ""));
        BASES.put("cutting", base(opened(new CarelessProxy(relay, 10_000, 0)).port(), ""));
        BASES.put(
                "Nagle",
                base(opened(new CarelessProxy(relay, Integer.MAX_VALUE, 40)).port(), ""));
        BASES.forEach((way, url) -> RESULTS.put(way, CompletableFuture.supplyAsync(() -> examine(url), THREADS)));
    }

    @AfterAll
    static void stopAll() throws Exception {
        for (AutoCloseable each : OPEN) {
            each.close();
        }
        THREADS.shutdown();
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "Millrace", "nginx right", "HAProxy"})
    void saysThatARightWayIsClean(String way) {
        Result result = settled(way, List.of());
        assertThat(result.wrong()).isEmpty();
        assertThat(result.exitCode()).isZero();
        assertThat(result.json().path("clean").asBoolean()).isTrue();
        assertThat(result.json().path("stream").path("tokens").asInt()).isEqualTo(120);
    }

    @Test
    void findsANginxThatBuffers() {
        Result result = settled("nginx buffering", List.of("buffered"));
        assertThat(result.wrong()).containsExactly("buffered");
        assertThat(result.exitCode()).isOne();
        assertThat(result.json().path("hops").toString()).contains("nginx", "Millrace");
        assertThat(result.fixes()).contains("proxy_http_version 1.1", "proxy_ignore_headers X-Accel-Buffering");
    }

    @Test
    void doesNotSayThatANginxBuffersThatHandsOnChunks() {
        // Whether the kernel delays every other token by an acknowledgement depends on the machine.
        assertThat(settled("nginx buffering11", List.of()).wrong()).isSubsetOf("delayed_ack");
    }

    @Test
    void findsANginxThatCompresses() {
        Result result = settled("nginx compressing", List.of("compressed"));
        assertThat(result.wrong()).containsExactly("compressed");
        assertThat(result.fixes()).contains("gzip off;");
    }

    @Test
    void findsANginxThatCutsSilence() {
        Result result = settled("nginx impatient", List.of("idle"));
        assertThat(result.wrong()).containsExactly("idle");
        assertThat(result.json().toString()).containsPattern("cut after [012]\\.\\d s without a byte");
        assertThat(result.fixes()).contains("proxy_read_timeout 660s;");
    }

    @Test
    void findsAHaproxyThatLetsTheKernelWait() {
        Result result = settled("HAProxy delaying", List.of("corked"));
        assertThat(result.wrong()).containsExactly("corked");
        assertThat(result.fixes()).contains("option http-no-delay");
    }

    /**
     * Whether the kernel delays data by itself depends on the machine. A proxy that writes every 40 ms does so always.
     */
    @Test
    void findsACombOf40Ms() {
        assertThat(settled("Nagle", List.of("delayed_ack")).wrong()).containsExactly("delayed_ack");
    }

    @Test
    void findsAProxyThatTruncates() {
        Result result = settled("cutting", List.of("truncated"));
        assertThat(result.wrong()).contains("truncated");
        assertThat(result.exitCode()).isOne();
    }

    /** A busy machine groups frames too, so an unexpected result is measured again. */
    private static Result settled(String way, List<String> expected) {
        Result result = RESULTS.get(way).join();
        for (int i = 1; i < TRIES && !result.wrong().equals(expected); i++) {
            result = examine(BASES.get(way));
        }
        return result;
    }

    private static Result examine(String url) {
        var out = new StringWriter();
        int exitCode = new CommandLine(new DoctorCommand())
                .setOut(new PrintWriter(out))
                .execute(url, "--idle", "3", "--json");
        try {
            return new Result(exitCode, JSON.readTree(out.toString()));
        } catch (JsonProcessingException e) {
            throw new AssertionError(out.toString(), e);
        }
    }

    private static String base(int port, String path) {
        return "http://127.0.0.1:" + port + path + "/v1";
    }

    private static <T extends AutoCloseable> T opened(T closeable) {
        OPEN.add(0, closeable);
        return closeable;
    }
}
