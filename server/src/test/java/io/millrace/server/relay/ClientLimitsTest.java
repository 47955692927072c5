package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.test.ClientFile;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The response to a client that exceeds its limits. Everything that it took is given back. */
@Tag("sockets")
@Tag("h2")
class ClientLimitsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String STALL = "stall_after=2";
    private static final List<String> PATHS = List.of(Api.CHAT.path, Api.RESPONSES.path, Api.MESSAGES.path);
    private static final List<String> ENDINGS = List.of(
            "tokens=3",
            "tokens=3,end_after=2",
            "tokens=3,reset_after=1",
            "tokens=3,error_after=1",
            "status=500",
            "status=400",
            "close_on_accept=1",
            "tokens=3,usage=0",
            "fail_first=1,status=503");

    @TempDir
    private Path directory;

    private ClientFile clients;
    private String key;

    private RelayHarness start(String limits) {
        return start(limits, config -> config);
    }

    private RelayHarness start(String limits, UnaryOperator<RelayConfig> change) {
        clients = new ClientFile(directory);
        key = clients.add("web", "limits: {" + limits + "}");
        return RelayHarness.start(
                config -> change.apply(RelayHarness.withRetry(clients.in(config), RelayHarness.QUICK)));
    }

    @ParameterizedTest
    @EnumSource
    void tooManyRequestsAreToldInTheDialect(Api api) throws IOException {
        try (var harness = start("requestsPerSecond: 0.01, burst: 1")) {
            RawClient.Response served = ask(harness, api.path, "tokens=2", "");
            assertThat(served.status()).isEqualTo(200);
            RawClient.Response refused = ask(harness, api.path, "tokens=2", "");
            assertThat(refused.status()).isEqualTo(429);
            assertThat(Integer.parseInt(refused.header("retry-after"))).isBetween(90, 111);
            assertThat(Integer.parseInt(refused.header("retry-after-ms"))).isBetween(90_000, 110_001);
            assertThat(refused.header("x-should-retry")).isEqualTo("false");
            JsonNode error = JSON.readTree(refused.text()).get("error");
            switch (api) {
                case CHAT, RESPONSES -> {
                    assertThat(error.get("code").asText()).isEqualTo("rate_limit_exceeded");
                    assertThat(error.get("type").asText()).isEqualTo("requests");
                    for (RawClient.Response response : List.of(served, refused)) {
                        assertThat(response.header("x-ratelimit-limit-requests"))
                                .isEqualTo("1");
                        assertThat(response.header("x-ratelimit-remaining-requests"))
                                .isEqualTo("0");
                        assertThat(response.header("x-ratelimit-reset-requests"))
                                .matches("1m\\d\\ds");
                    }
                }
                case MESSAGES -> {
                    assertThat(error.get("type").asText()).isEqualTo("rate_limit_error");
                    assertThat(served.header("anthropic-ratelimit-requests-limit"))
                            .isEqualTo("1");
                    assertThat(refused.header("anthropic-ratelimit-requests-remaining"))
                            .isEqualTo("0");
                }
                case GEMINI -> {
                    assertThat(error.get("status").asText()).isEqualTo("RESOURCE_EXHAUSTED");
                    assertThat(error.get("details").get(0).get("retryDelay").asText())
                            .matches("\\d+\\.\\d{3}s");
                    assertThat(served.header("x-ratelimit-limit-requests")).isNull();
                }
            }
            assertThat(harness.mock.requests()).hasSize(1);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(new String(harness.relay.metrics().text(), StandardCharsets.UTF_8))
                    .contains("millrace_refused_total{reason=\"rate_limit_exceeded\"} 1.0");
        }
    }

    @Test
    void aPlaceIsGivenBackWhenAStreamEnds() throws IOException {
        try (var harness = start("streams: 1")) {
            try (var first = stalled(harness, key)) {
                assertThat(first.socket().isConnected()).isTrue();
                RawClient.Response refused = ask(harness, Api.CHAT.path, "tokens=2", "");
                assertThat(refused.status()).isEqualTo(429);
                assertThat(refused.header("retry-after")).isIn("1", "2");
                assertThat(refused.header("x-should-retry")).isNull();
            }
            await().until(() -> ask(harness, Api.CHAT.path, "tokens=2", "").status() == 200);
        }
    }

    /** Tokens that are left of 6,000, of which a tenth refills each six seconds. */
    @ParameterizedTest
    @CsvSource({
        "'tokens=500', 200, 4900, 5600",
        "'tokens=500,usage=0', 200, 4900, 5600",
        "'tokens=900,end_after=100', 200, 5700, 6000",
        "'tokens=900,reset_after=100', 200, 5700, 6000",
        "'status=500', 500, 5900, 6000",
        "'fail_first=1,status=503,tokens=500', 200, 4900, 5600",
    })
    void tokensAreSettledByWhatWasUsed(String spec, int status, int least, int most) throws IOException {
        try (var harness = start("tokensPerMinute: 6000")) {
            RawClient.Response response = ask(harness, Api.CHAT.path, spec, "\"max_tokens\":3000,");
            assertThat(response.status()).isEqualTo(status);
            assertThat(Integer.parseInt(response.header("x-ratelimit-remaining-tokens")))
                    .isBetween(2800, 3100);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(left(harness)).isBetween(least, most);
        }
    }

    /** The mock's answer of 100 tokens has more than 400 bytes, so an estimate by its length would take more. */
    @Test
    void tokensOfAnAnswerInOneBodyAreSettledByItsUsage() throws IOException {
        try (var harness = start("tokensPerMinute: 6000")) {
            String once = "\"max_tokens\":3000,\"stream\":false,";
            try (var client = harness.client()) {
                String body = body(once).replace("\"stream\":true,", "");
                client.send("POST", RelayHarness.withSpec(Api.CHAT.path, "tokens=100"), body, "X-Millrace-Key: " + key);
                RawClient.Response response = client.readAll();
                assertThat(response.text()).contains("\"completion_tokens\":100");
                assertThat(response.body().length).isGreaterThan(4 * 130);
            }
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(left(harness)).isBetween(5800, 5900);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(new String(harness.relay.metrics().text(), StandardCharsets.UTF_8))
                    .contains("millrace_client_tokens_total{client=\"web\",direction=\"output\"} 101.0");
        }
    }

    @Test
    void tokensOfAClientThatLeftAreSettledToo() throws IOException {
        try (var harness = start("tokensPerMinute: 6000")) {
            stalled(harness, key).close();
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(left(harness)).isBetween(5800, 6000);
        }
    }

    @Test
    void aDebtRefusesUntilItIsPaid() throws IOException {
        try (var harness = start("tokensPerMinute: 60")) {
            assertThat(ask(harness, Api.CHAT.path, "tokens=500", "").status()).isEqualTo(200);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            RawClient.Response refused = ask(harness, Api.CHAT.path, "tokens=1", "\"max_tokens\":1,");
            assertThat(refused.status()).isEqualTo(429);
            assertThat(JSON.readTree(refused.text()).get("error").get("type").asText())
                    .isEqualTo("tokens");
            assertThat(Integer.parseInt(refused.header("retry-after"))).isGreaterThan(300);
            assertThat(harness.mock.requests()).hasSize(1);
        }
    }

    @Test
    void aClientWithATokenLimitIsNotShownTheUsageThatItDidNotAskFor() throws IOException {
        try (var harness = start("tokensPerMinute: 6000")) {
            RawClient.Response response = ask(harness, Api.CHAT.path, "tokens=3", "");
            assertThat(new String(harness.mock.requests().get(0).body(), StandardCharsets.UTF_8))
                    .contains("\"include_usage\":true");
            assertThat(response.text()).doesNotContain("prompt_tokens").contains("[DONE]");
        }
    }

    @Test
    void aBudgetIsSpentOnce() throws IOException {
        try (var harness = start("tokensPerDay: 100")) {
            assertThat(ask(harness, Api.MESSAGES.path, "tokens=500", "").status())
                    .isEqualTo(200);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            RawClient.Response refused = ask(harness, Api.CHAT.path, "tokens=1", "");
            assertThat(refused.status()).isEqualTo(429);
            assertThat(JSON.readTree(refused.text()).get("error").get("code").asText())
                    .isEqualTo("insufficient_quota");
            assertThat(refused.header("x-should-retry")).isEqualTo("false");
        }
    }

    @Test
    void allPlacesComeBackHoweverStreamsEnd() throws Exception {
        try (var harness = start("streams: 3, requestsPerSecond: 0, tokensPerMinute: 1000000000")) {
            var next = new AtomicInteger();
            var failures = new AtomicInteger();
            var threads = new ArrayList<Thread>();
            for (int i = 0; i < 3; i++) {
                var thread = new Thread(() -> {
                    for (int n = next.getAndIncrement(); n < 300; n = next.getAndIncrement()) {
                        try {
                            end(harness, n);
                        } catch (IOException | RuntimeException e) {
                            failures.incrementAndGet();
                        }
                    }
                });
                thread.start();
                threads.add(thread);
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(failures).hasValue(0);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            try (var one = stalled(harness, key);
                    var two = stalled(harness, key);
                    var three = stalled(harness, key)) {
                assertThat(List.of(one, two, three)).doesNotHaveDuplicates();
                assertThat(ask(harness, Api.CHAT.path, "tokens=2", "").status()).isEqualTo(429);
            }
        }
    }

    /** In one of the ways of {@link #ENDINGS}, or by the client: it leaves before, in or after the answer. */
    private void end(RelayHarness harness, int n) throws IOException {
        if (n % 4 != 0) {
            try (var client = harness.client()) {
                send(client, PATHS.get(n % PATHS.size()), ENDINGS.get(n % ENDINGS.size()), "");
                client.readHead();
            }
            return;
        }
        try (var client = harness.client()) {
            send(client, Api.CHAT.path, n % 8 == 0 ? "stall_head=1" : STALL, "");
            if (n % 8 != 0) {
                client.readHead();
            }
        }
    }

    @Test
    void oneClientLeavesPlacesForTheOthers() throws IOException {
        try (var harness =
                start("burst: 1000", config -> config.with(c -> c.limits = c.limits.with(l -> l.streams = 40)))) {
            String honest = clients.add("honest");
            clients.write();
            await().until(() -> asks(harness, honest) == 200);
            var greedy = new ArrayList<RawClient>();
            try {
                int status;
                do {
                    RawClient client = harness.client();
                    greedy.add(client);
                    send(client, Api.CHAT.path, STALL, "");
                    status = Integer.parseInt(client.readHead().substring(9, 12));
                } while (status == 200 && greedy.size() <= 40);
                assertThat(status).isEqualTo(429);
                assertThat(greedy).hasSize(31);
                for (int i = 0; i < 20; i++) {
                    assertThat(asks(harness, honest)).isEqualTo(200);
                }
            } finally {
                for (RawClient client : greedy) {
                    client.close();
                }
            }
        }
    }

    private int left(RelayHarness harness) throws IOException {
        RawClient.Response probe = ask(harness, Api.CHAT.path, "tokens=1", "\"max_tokens\":1,");
        assertThat(probe.status()).isEqualTo(200);
        return Integer.parseInt(probe.header("x-ratelimit-remaining-tokens"));
    }

    private RawClient stalled(RelayHarness harness, String with) throws IOException {
        RawClient client = harness.client();
        client.send("POST", RelayHarness.withSpec(Api.CHAT.path, STALL), body(""), "x-api-key: " + with);
        assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
        return client;
    }

    private static int asks(RelayHarness harness, String with) throws IOException {
        try (var client = harness.client()) {
            client.send("POST", RelayHarness.withSpec(Api.CHAT.path, "tokens=1"), body(""), "x-api-key: " + with);
            return client.readAll().status();
        }
    }

    private RawClient.Response ask(RelayHarness harness, String path, String spec, String fields) throws IOException {
        try (var client = harness.client()) {
            send(client, path, spec, fields);
            return client.readAll();
        }
    }

    private void send(RawClient client, String path, String spec, String fields) throws IOException {
        client.send("POST", RelayHarness.withSpec(path, spec), body(fields), "X-Millrace-Key: " + key);
    }

    private static String body(String fields) {
        String turns = "[{\"role\":\"user\",\"content\":\"Hello\"}]";
        return "{" + fields + "\"model\":\"m\",\"stream\":true,\"messages\":" + turns + ",\"input\":" + turns + "}";
    }
}
