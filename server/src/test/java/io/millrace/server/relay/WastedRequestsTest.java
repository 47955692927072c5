package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.address.AddressSet;
import io.millrace.server.config.Http2;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.test.ClientFile;
import io.millrace.server.test.Http2Client;
import io.millrace.server.test.Http2Client.Answer;
import io.millrace.server.test.RelayHarness;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** HTTP/2 clients of which the relay has work for nothing, and honest clients that look like them. */
@Tag("sockets")
class WastedRequestsTest {
    private static final String BODY =
            "{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}";
    private static final String HELD = RelayHarness.withSpec(Api.CHAT.path, "ttft_ms=60000");
    private static final String ANSWERED = RelayHarness.withSpec(Api.CHAT.path, "tokens=2");
    private static final int REFUSED_STREAM = 7;
    private static final int CANCEL = 8;
    private static final int MOST = 20;
    /** The requests that any connection has. */
    private static final int AT_FIRST = 2;

    @TempDir
    private Path directory;

    /** The next connection does not begin where the last one did. An older one that gets answers goes on. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anAddressThatWastesRequestsHasFewOnANewConnection(boolean leaves) throws IOException {
        try (var harness = start(l -> l.wastedPerAddress = MOST, AddressSet.NONE);
                var before = Http2Client.connect(harness.port())) {
            postAll(before, 1, 10, ANSWERED, "");
            assertThat(before.answers(10, 0).values()).allMatch(WastedRequestsTest::isWhole);
            await().untilAsserted(
                            () -> { // again if the debts were paid by time
                                waste(harness, leaves, "");
                                try (var client = Http2Client.connect(harness.port())) {
                                    postAll(client, 1, 10, ANSWERED, "");
                                    assertThat(client.answers(10, 0).values())
                                            .allMatch(answer -> isWhole(answer) || answer.reset() == REFUSED_STREAM)
                                            .filteredOn(WastedRequestsTest::isWhole)
                                            .hasSizeBetween(AT_FIRST, 9);
                                    client.post(101, ANSWERED, BODY); // what was answered lets more begin
                                    assertThat(isWhole(client.answer(101))).isTrue();
                                }
                            });
            postAll(before, 101, 10, ANSWERED, "");
            assertThat(before.answers(10, 0).values()).allMatch(WastedRequestsTest::isWhole);
            assertThat(metrics(harness)).contains("millrace_refused_total{reason=\"wasted_requests\"}");
        }
    }

    @Test
    void theClientsOfATrustedProxyCountApart() throws IOException {
        try (var harness = start(l -> l.wastedPerAddress = MOST, AddressSet.of("127.0.0.0/8"))) {
            await().untilAsserted(() -> {
                waste(harness, false, "203.0.113.7");
                try (var client = Http2Client.connect(harness.port())) {
                    postAll(client, 1, 10, HELD, "203.0.113.8");
                    await().until(() -> harness.mock.stats().activeStreams() == 10);
                    postAll(client, 21, 110, ANSWERED, "203.0.113.7"); // more than another connection may send
                    assertThat(client.answers(110, 0).values()).allMatch(answer -> answer.reset() == REFUSED_STREAM);
                    takeBack(client, 301, 110, "203.0.113.9");
                    postAll(client, 601, 1, ANSWERED, "203.0.113.8");
                    assertThat(isWhole(client.answer(601))).isTrue();
                } finally {
                    await().until(() -> harness.mock.stats().activeStreams() == 0);
                }
            });
        }
    }

    /** Cancels requests of {@code address}, or leaves them, until its limit is passed. */
    private static void waste(RelayHarness harness, boolean leaves, String address) throws IOException {
        for (int i = 0; i < 3; i++) {
            int seen = harness.mock.requests().size();
            try (var client = Http2Client.connect(harness.port())) {
                postAll(client, 1, MOST, HELD, address);
                await().until(() -> harness.mock.requests().size() > seen);
                for (int id = 1; !leaves && id < 2 * MOST; id += 2) {
                    client.reset(id, CANCEL);
                }
            }
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
        }
    }

    /** Such as an editor that asks at each key, and cancels what is out of date. */
    @Test
    void aClientThatCancelsMostOfItsRequestsIsServed() throws IOException {
        try (var harness = start(l -> {}, AddressSet.NONE);
                var client = Http2Client.connect(harness.port())) {
            for (int id = 1; id < 600; id += 10) {
                postAll(client, id, 3, HELD, "");
                postAll(client, id + 6, 2, ANSWERED, "");
                assertThat(client.answers(2, 0).values()).allMatch(WastedRequestsTest::isWhole);
                for (int left = id; left < id + 6; left += 2) {
                    client.reset(left, CANCEL);
                }
            }
            assertThat(metrics(harness)).doesNotContain("reason=\"wasted_requests\"");
        }
    }

    /** Such as an SDK that is over its limit or has an old key, beside streams of others on the same connection. */
    @ParameterizedTest
    @ValueSource(ints = {401, 404, 429})
    void aClientThatMostlyGetsAnswersOfTheRelayItselfIsNotCutOff(int status) throws IOException {
        var clients = new ClientFile(directory);
        String key = clients.add("honest", "limits: {requestsPerSecond: 10000, burst: 10000}");
        String other = clients.add("greedy", "limits: {requestsPerMinute: 1}");
        try (var harness = start(l -> {}, AddressSet.NONE, clients::in);
                var client = Http2Client.connect(harness.port())) {
            ask(client, 1, RelayHarness.withSpec(Api.CHAT.path, "tokens=20,gap_ms=20"), key);
            ask(client, 3, ANSWERED, other);
            await().until(() -> harness.mock.requests().size() == 2);
            var answers = new ArrayList<Answer>();
            for (int id = 5; id < 1205; id += 120) {
                for (int each = id; each < id + 120; each += 2) {
                    switch (status) {
                        case 401 -> ask(client, each, ANSWERED, ClientFile.newKey());
                        case 404 -> ask(client, each, "/nowhere", key);
                        default -> ask(client, each, ANSWERED, other);
                    }
                }
                answers.addAll(client.answers(60, 0).values());
            }
            answers.addAll(client.answers(602 - answers.size(), 0).values());
            assertThat(answers).hasSize(602).allMatch(Answer::ended);
            assertThat(answers).filteredOn(answer -> answer.status() == status).hasSize(600);
            assertThat(answers).filteredOn(WastedRequestsTest::isWhole).hasSize(2);
        }
    }

    private static void ask(Http2Client client, int stream, String path, String key) throws IOException {
        Http2Headers head = Http2Client.head("POST", path)
                .add("content-type", "application/json")
                .add("authorization", "Bearer " + key);
        client.headers(stream, 0, head);
        client.data(stream, BODY, true);
    }

    private static boolean isWhole(Answer answer) {
        return answer.body().endsWith("data: [DONE]\n\n");
    }

    private static void postAll(Http2Client client, int first, int count, String path, String address)
            throws IOException {
        var all = new ByteArrayOutputStream();
        for (int i = 0; i < count; i++) {
            all.writeBytes(client.postBytes(first + 2 * i, path, BODY, address));
        }
        client.sendRaw(all.toByteArray());
    }

    /** Sends each request together with its reset. */
    private static void takeBack(Http2Client client, int first, int count, String address) throws IOException {
        var all = new ByteArrayOutputStream();
        for (int id = first; id < first + 2 * count; id += 2) {
            all.writeBytes(client.postBytes(id, HELD, BODY, address));
            all.writeBytes(new byte[] {0, 0, 4, Http2Client.RST_STREAM, 0, 0, 0, (byte) (id >> 8), (byte) id});
            all.writeBytes(new byte[] {0, 0, 0, CANCEL});
        }
        client.sendRaw(all.toByteArray());
    }

    private static RelayHarness start(Consumer<Http2.Builder> http2, AddressSet trusted) {
        return start(http2, trusted, config -> config);
    }

    private static RelayHarness start(
            Consumer<Http2.Builder> http2, AddressSet trusted, UnaryOperator<RelayConfig> change) {
        return RelayHarness.start(config -> change.apply(config).with(c -> {
            c.routes = List.of(Route.of("v1", Match.paths("/v1/*"), "default"));
            c.http2 = config.http2().with(http2);
            c.trustedProxies = trusted;
            c.listeners = config.listeners().stream()
                    .map(listener -> listener.with(l -> l.protocols = List.of(Protocol.H2)))
                    .toList();
        }));
    }

    private static String metrics(RelayHarness harness) {
        return new String(harness.relay.metrics().text(), StandardCharsets.UTF_8);
    }
}
