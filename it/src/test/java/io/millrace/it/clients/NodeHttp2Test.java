package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.it.clients.CurlTest.Api;
import io.millrace.server.config.Listener.Protocol;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Node's own clients over TLS, its {@code http2} and its {@code fetch}, at a relay that speaks nothing but HTTP/2. */
final class NodeHttp2Test {
    private static final TestTls TLS = TestTls.make();
    private static final int GAP_MS = 30;

    private static Bed bed;

    /** What the script is to ask. */
    record Task(String name, String way, String url, String json, String ca, int leaveAfter) {}

    /** What it got. */
    record Said(String name, int status, String body, int spreadMs, String error) {}

    @BeforeAll
    static void start() {
        bed = new Bed(TLS, Protocol.H2);
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"http2", "fetch"})
    void getsTheBytesThatTheUpstreamSentAsTheyCome(String way) throws IOException, InterruptedException {
        var model = "mock:tokens=10,seed=7,gap_ms=" + GAP_MS;
        var tasks = new ArrayList<Task>();
        for (Api api : Api.values()) {
            tasks.add(task(api.name(), way, api, model, 0));
        }
        for (Said said : ask(tasks)) {
            Api api = Api.valueOf(said.name());
            var direct = Curl.post(api.url(bed.mock(), model), api.request(model));
            assertThat(said.error()).isNull();
            assertThat(said.status()).isEqualTo(200);
            assertThat(CurlTest.timeless(said.body())).isEqualTo(CurlTest.timeless(direct.body()));
            assertThat(said.spreadMs()).isGreaterThan(5 * GAP_MS);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"http2", "fetch"})
    void getsAnErrorFrameAndACleanEndWhenTheUpstreamBreaksOff(String way) {
        var tasks = new ArrayList<Task>();
        for (Api api : Api.values()) {
            tasks.add(task(api.name(), way, api, "mock:tokens=6,reset_after=3", 0));
        }
        for (Said said : ask(tasks)) {
            assertThat(said.error()).isNull();
            assertThat(said.body()).contains(Api.valueOf(said.name()).errorFrameStart());
        }
    }

    /** Of sixteen streams at once, each second is left after its third piece. */
    @ParameterizedTest
    @ValueSource(strings = {"http2", "fetch"})
    void leavesSomeStreamsOfMany(String way) {
        var tasks = new ArrayList<Task>();
        for (int i = 0; i < 16; i++) {
            tasks.add(
                    i % 2 == 0
                            ? task("stays", way, Api.CHAT, "mock:tokens=20,gap_ms=20", 0)
                            : task("leaves", way, Api.CHAT, "mock:tokens=2000,gap_ms=20", 3));
        }
        for (Said said : ask(tasks)) {
            assertThat(said.error()).isNull();
            assertThat(said.body().contains("data: [DONE]"))
                    .isEqualTo(said.name().equals("stays"));
        }
        Awaitility.await().until(() -> bed.metrics().contains("millrace_active_exchanges 0"));
    }

    private static Task task(String name, String way, Api api, String model, int leaveAfter) {
        return new Task(
                name,
                way,
                api.url(bed.relay(), model),
                api.request(model),
                TLS.ca().toString(),
                leaveAfter);
    }

    private static List<Said> ask(List<Task> tasks) {
        List<Said> said = new NodeSdk("http2.mjs").run(tasks, Said.class);
        assertThat(said).hasSameSizeAs(tasks);
        return said;
    }
}
