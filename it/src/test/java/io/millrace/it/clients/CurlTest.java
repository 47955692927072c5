package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code curl -N} prints, and when. */
final class CurlTest {
    private static final int TOKENS = 10;
    private static final int GAP_MS = 50;
    private static final String PACED = "mock:tokens=" + TOKENS + ",gap_ms=" + GAP_MS;

    private static Bed bed;

    /** The dialects with their paths. The error key marks a JSON error of the dialect. */
    enum Api {
        CHAT("/v1/chat/completions"),
        RESPONSES("/v1/responses"),
        MESSAGES("/v1/messages"),
        GEMINI("/v1beta/models/%s:streamGenerateContent?alt=sse");

        private final String path;

        Api(String path) {
            this.path = path;
        }

        String url(String base, String model) {
            return base + String.format(path, model);
        }

        String request(String model) {
            return switch (this) {
                case CHAT ->
                    "{\"model\":\"%s\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"
                            .formatted(model);
                case RESPONSES -> "{\"model\":\"%s\",\"stream\":true,\"input\":\"Hi\"}".formatted(model);
                case MESSAGES ->
                    ("{\"model\":\"%s\",\"stream\":true,\"max_tokens\":99,"
                                    + "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}")
                            .formatted(model);
                case GEMINI -> "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}]}";
            };
        }

        /** The start of a JSON error of this dialect. */
        String errorStart() {
            return switch (this) {
                case CHAT, RESPONSES -> "{\"error\":{\"message\":\"";
                case MESSAGES -> "{\"type\":\"error\",\"error\":{\"type\":\"";
                case GEMINI -> "{\"error\":{\"code\":";
            };
        }

        /** The start of this dialect's error frame. */
        String errorFrameStart() {
            return switch (this) {
                case CHAT -> "data: {\"error\":{\"message\":\"";
                case RESPONSES -> "event: error\ndata: {\"type\":\"error\",\"sequence_number\":";
                case MESSAGES -> "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\"";
                case GEMINI -> "data: {\"error\":{\"code\":";
            };
        }
    }

    @BeforeAll
    static void start() {
        bed = new Bed();
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    @ParameterizedTest
    @EnumSource
    void getsFramesOneByOne(Api api) throws IOException, InterruptedException {
        var curl = ask(api, bed.relay(), PACED);
        assertThat(curl.exit()).isZero();
        assertThat(curl.tail()).isEmpty();
        var arrivals = curl.frames().stream().map(Curl.Frame::atNanos).toList();
        long longPauses = 0;
        for (int i = 1; i < arrivals.size(); i++) {
            if (arrivals.get(i) - arrivals.get(i - 1) >= TimeUnit.MILLISECONDS.toNanos(GAP_MS / 2)) {
                longPauses++;
            }
        }
        assertThat(longPauses).isGreaterThanOrEqualTo(TOKENS / 2);
    }

    @ParameterizedTest
    @EnumSource
    void getsTheBytesThatTheUpstreamSent(Api api) throws IOException, InterruptedException {
        var model = "mock:tokens=20,seed=7";
        var direct = ask(api, bed.mock(), model);
        var relayed = ask(api, bed.relay(), model);
        assertThat(relayed.exit()).isZero();
        assertThat(relayed.frames()).hasSizeGreaterThan(10);
        assertThat(timeless(relayed.body())).isEqualTo(timeless(direct.body()));
    }

    @ParameterizedTest
    @EnumSource
    void getsTheHeadOfAStream(Api api) throws IOException, InterruptedException {
        var curl = ask(api, bed.relay(), "mock:tokens=3");
        assertThat(curl.statusLine()).isEqualTo("HTTP/1.1 200 OK");
        assertThat(curl.headers())
                .containsEntry("cache-control", "no-cache, no-transform")
                .containsEntry("x-accel-buffering", "no")
                .containsEntry("transfer-encoding", "chunked")
                .containsKeys("x-millrace-request-id", "x-request-id")
                .doesNotContainKeys("content-length", "content-encoding");
        assertThat(curl.headers().get("content-type")).startsWith("text/event-stream");
    }

    @ParameterizedTest
    @EnumSource
    void getsABodyEndedByCloseOverHttp10(Api api) throws IOException, InterruptedException {
        var model = "mock:tokens=5";
        var curl = ask(api, bed.relay(), model, "--http1.0");
        assertThat(curl.exit()).isZero();
        assertThat(curl.headers()).doesNotContainKeys("transfer-encoding", "content-length");
        assertThat(timeless(curl.body()))
                .isEqualTo(timeless(ask(api, bed.relay(), model).body()));
    }

    static Stream<Arguments> cuts() {
        return Cut.all().stream()
                .filter(cut -> cut.outputs() > 0)
                .flatMap(cut -> Stream.of(Api.values()).map(api -> Arguments.of(api, cut)));
    }

    @ParameterizedTest
    @MethodSource("cuts")
    void getsAnErrorFrameAndACleanEndWhenTheUpstreamBreaksOff(Api api, Cut cut)
            throws IOException, InterruptedException {
        var curl = ask(api, bed.relay(), "mock:tokens=" + Cut.OUTPUTS + "," + cut.fault());
        assertThat(curl.exit()).isZero();
        assertErrorFrameLast(api, cut, curl);
    }

    /** RFC 9112 8: without a length only a broken connection tells a client that the body is not complete. */
    @ParameterizedTest
    @MethodSource("cuts")
    void getsAnErrorFrameAndABrokenConnectionOverHttp10(Api api, Cut cut) throws IOException, InterruptedException {
        var curl = ask(api, bed.relay(), "mock:tokens=" + Cut.OUTPUTS + "," + cut.fault(), "--http1.0");
        assertThat(curl.exit()).isEqualTo(Curl.RECEIVE_ERROR);
        assertErrorFrameLast(api, cut, curl);
    }

    static void assertErrorFrameLast(Api api, Cut cut, Curl curl) {
        assertThat(curl.tail()).isEmpty();
        var last = curl.frames().get(curl.frames().size() - 1).text();
        assertThat(last).startsWith(api.errorFrameStart()).contains("after " + cut.outputs() + " output frames");
        assertThat(curl.body()).doesNotContain("[DONE]", "message_stop", "response.completed");
    }

    @ParameterizedTest
    @EnumSource
    void getsA404InItsDialectForAModelWithoutARoute(Api api) throws IOException, InterruptedException {
        var curl = ask(api, bed.routing(), Bed.UNROUTED);
        assertJsonError(curl, api, "HTTP/1.1 404 ");
    }

    @ParameterizedTest
    @EnumSource
    void getsA502InItsDialectWhenNobodyListens(Api api) throws IOException, InterruptedException {
        assertJsonError(ask(api, bed.routing(), Bed.UNREACHABLE), api, "HTTP/1.1 502 ");
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "GEMINI") // its model is in the path
    void getsA400InItsDialectForARequestThatIsNoJson(Api api) throws IOException, InterruptedException {
        var curl = Curl.post(api.url(bed.routing(), "mock"), "{\"model\":");
        assertJsonError(curl, api, "HTTP/1.1 400 ");
    }

    @Test
    void getsJsonAsJson() throws IOException, InterruptedException {
        var request = Api.CHAT.request("mock:tokens=3").replace("\"stream\":true", "\"stream\":false");
        var curl = Curl.post(Api.CHAT.url(bed.relay(), ""), request);
        assertThat(curl.exit()).isZero();
        assertThat(curl.headers().get("content-type")).startsWith("application/json");
        assertThat(curl.body()).startsWith("{").contains("\"chat.completion\"");
    }

    static void assertJsonError(Curl curl, Api api, String statusLine) {
        assertThat(curl.exit()).isZero();
        assertThat(curl.statusLine()).startsWith(statusLine);
        assertThat(curl.headers().get("content-type")).startsWith("application/json");
        assertThat(curl.body()).startsWith(api.errorStart());
    }

    private static Curl ask(Api api, String base, String model, String... more)
            throws IOException, InterruptedException {
        return Curl.post(api.url(base, model), api.request(model), more);
    }

    /** The text without parts that differ between two answers of the mock: identifiers and times. */
    static String timeless(String body) {
        return body.replaceAll("\"(id|item_id|responseId|created|created_at|createTime)\":\"?[^,\"]*\"?", "\"$1\":0");
    }
}
