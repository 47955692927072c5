package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.RelayHarness;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Official SDKs leave a stream after three deltas, and go on by their own means: by {@code starting_after} of the Responses
 * API, by a GET of the stream from its start, or by the same request again, of which they skip what they had. Their users see what an undisturbed
 * stream shows, and the upstream is asked once for each.
 */
@Tag("sockets")
class ResumeSdkTest {
    private static final String MODEL = "mock:tokens=9,gap_ms=5";

    @Test
    void goOnWhereTheyLeft() {
        try (var passing = start(upstream -> {});
                var translating = start(upstream -> upstream.dialects = List.of(Dialect.CHAT))) {
            assertWhole(
                    new NodeSdk("openai.mjs"),
                    passing,
                    "responses",
                    "responses.resumed",
                    "responses.resumed.helper",
                    "chat.followed");
            assertWhole(new NodeSdk("openai.mjs"), translating, "responses", "responses.resumed");
            assertWhole(new NodeSdk("anthropic.mjs"), passing, "messages", "messages.followed");
            assertWhole(new OpenAiJavaSdk(), passing, "responses", "responses.resumed");
            assertWhole(
                    new PythonSdk("openai_sdk.py"),
                    passing,
                    "responses",
                    "responses.resumed",
                    "responses.resumed.helper");
            assertThat(passing.mock.requests()).hasSize(11);
            assertThat(translating.mock.requests()).hasSize(2);
        }
    }

    /** SDKs that can only ask again do so under the same {@code Idempotency-Key}. */
    @Test
    void askAgainByTheSameName() {
        try (var relay = start(upstream -> {})) {
            assertWhole(new NodeSdk("genai.mjs"), relay, "gemini", "gemini.joined");
            var vercel = new NodeSdk("vercel.mjs");
            assertWhole(vercel, relay, "chat", "chat.joined");
            assertWhole(vercel, relay, "messages", "messages.joined");
            assertThat(relay.mock.requests()).hasSize(6);
            assertThat(relay.mock.stats().streamsAborted()).isZero();
        }
    }

    private static void assertWhole(Sdk sdk, RelayHarness relay, String undisturbed, String... resumed) {
        String url = "http://127.0.0.1:" + relay.port();
        List<Scenario> scenarios = Stream.concat(Stream.of(undisturbed), Arrays.stream(resumed))
                .map(api -> new Scenario(api, api, url, MODEL, false))
                .toList();
        Map<String, Seen> seen = sdk.run(scenarios);
        Seen whole = seen.get(undisturbed);
        assertThat(whole.error()).isNull();
        assertThat(whole.deltas()).isEqualTo(9);
        for (String api : resumed) {
            Seen one = seen.get(api);
            assertThat(one.error()).as(api).isNull();
            assertThat(one.text()).as(api).isEqualTo(whole.text());
            assertThat(one.deltas()).as(api).isEqualTo(whole.deltas());
            assertThat(one.usage()).as(api).isEqualTo(whole.usage());
        }
    }

    private static RelayHarness start(Consumer<Upstream.Builder> upstream) {
        return RelayHarness.start(config -> detaching(config)
                .with(c -> c.upstreams = Map.of(
                        "default", config.upstreams().values().iterator().next().with(upstream))));
    }

    private static RelayConfig detaching(RelayConfig config) {
        return config.with(c -> c.routes = config.routes().stream()
                .map((Route route) -> route.with(r -> r.disconnect = Disconnect.DETACH))
                .toList());
    }
}
