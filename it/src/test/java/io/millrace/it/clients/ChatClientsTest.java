package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** How {@code /chat} works with an EventSource, which reconnects after every end, and with {@code curl}. */
final class ChatClientsTest {
    private static final String WORDS = "mock:tokens=12";
    private static final String PAID_ONCE = "mock:tokens=11";
    private static final String BROKEN = "mock:tokens=12,reset_after=6";
    private static final String REFUSED = "mock:status=401";

    private static MockServer mock;
    private static RelayServer relay;
    private static Map<String, Seen> seen;

    @BeforeAll
    static void run() {
        mock = MockServer.start(MockConfig.defaults());
        relay = RelayServer.start(RelayConfig.relayTo(
                        Upstream.of("mock", mock.uri()).with(u -> u.dialects = List.of(Dialect.MESSAGES)))
                .with(c -> c.accessLog = AccessLog.OFF));
        seen = new NodeSdk("eventsource.mjs")
                .run(List.of(
                        scenario("closes", "chat.closes", WORDS),
                        scenario("forgets", "chat.forgets", PAID_ONCE),
                        scenario("broken", "chat.forgets", BROKEN),
                        scenario("refused", "chat.forgets", REFUSED)));
    }

    @AfterAll
    static void stop() {
        relay.close();
        mock.close();
    }

    @Test
    void eventSourceGetsTheTextAndAnEndAtWhichToClose() throws IOException, InterruptedException {
        Seen one = seen.get("closes");
        assertThat(one.error()).isNull();
        assertThat(one.finish()).isEqualTo("stop");
        assertThat(one.text()).isEqualTo(text(WORDS));
        assertThat(one.deltas()).isGreaterThan(5);
        assertThat(asked(WORDS + "\"")).isEqualTo(2); // one for this text and one for the curl above
    }

    @Test
    void eventSourceThatIsNotClosedIsToldToStopAndPaysOnce() {
        Seen one = seen.get("forgets");
        assertThat(one.error()).isNull();
        assertThat(one.finish()).isEqualTo("stop 204");
        assertThat(asked(PAID_ONCE + "\"")).isEqualTo(1);
    }

    @Test
    void eventSourceIsToldOfAnAnswerThatBroke() {
        Seen one = seen.get("broken");
        assertThat(one.text()).isNotEmpty();
        assertThat(one.error().message()).contains("broke off");
        assertThat(asked(BROKEN + "\"")).isEqualTo(1);
    }

    @Test
    void eventSourceDoesNotComeBackAfterAStatusThatIsAnError() {
        Seen one = seen.get("refused");
        assertThat(one.error().status()).isEqualTo(401);
        assertThat(asked(REFUSED + "\"")).isEqualTo(1);
    }

    @Test
    void curlPostsAPromptAndPrintsText() throws IOException, InterruptedException {
        var text = Curl.run(url() + "/chat", "-d", "prompt=Hello&model=m&format=text");
        assertThat(text.exit()).isZero();
        assertThat(text.body()).isNotEmpty().doesNotContain("data:");
        var file = Curl.run(url() + "/chat?model=m", "-F", "prompt=Hello", "-H", "Accept: application/json");
        assertThat(file.body()).startsWith("{\"text\":\"").contains("\"reason\":\"stop\"");
        var cut = Curl.run(url() + "/chat", "-d", "prompt=Hello&format=text&model=mock:tokens=12,reset_after=5");
        assertThat(cut.exit()).isNotZero();
    }

    private static String text(String model) throws IOException, InterruptedException {
        String prompt = "Tell me about rivers.";
        return Curl.run(url() + "/chat", "-d", "prompt=" + prompt + "&format=text&model=" + model)
                .body();
    }

    private static long asked(String model) {
        return mock.requests().stream()
                .filter(request -> new String(request.body(), java.nio.charset.StandardCharsets.UTF_8).contains(model))
                .count();
    }

    private static Scenario scenario(String name, String api, String model) {
        return new Scenario(name, api, url(), model, false);
    }

    private static String url() {
        return "http://127.0.0.1:" + relay.addresses().get(0).getPort();
    }
}
