package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Real proxies in front of the relay, with usual settings. Streams have {@value #TOKENS} tokens, {@value #GAP_MS} ms
 * apart. The client measures when each token arrives.
 */
@Tag("time")
class IntermediaryTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final int TOKENS = 25;
    private static final int GAP_MS = 40;
    private static final String PACED = "tokens=" + TOKENS + ",gap_ms=" + GAP_MS;

    private RelayHarness harness;

    /** The proxies, and how to start each. */
    enum Proxy {
        NGINX,
        HAPROXY,
        CADDY;

        Intermediary start(int relayPort) throws IOException {
            return switch (this) {
                case NGINX -> Intermediary.nginx(relayPort);
                case HAPROXY -> Intermediary.haproxy(relayPort);
                case CADDY -> Intermediary.caddy(relayPort);
            };
        }
    }

    @BeforeEach
    void startRelay() {
        harness = RelayHarness.start();
    }

    @AfterEach
    void stopRelay() {
        harness.close();
    }

    @ParameterizedTest
    @EnumSource(Proxy.class)
    void passesTokensOneByOne(Proxy proxy) throws IOException {
        try (var edge = proxy.start(harness.port())) {
            var arrivals = stream(edge, CHAT, PACED);

            assertThat(arrivals.intact()).isTrue();
            assertThat(arrivals.text()).endsWith("data: [DONE]\n\n");
            assertThat(arrivals.tokenGapsMs()).hasSize(TOKENS - 1);
            assertThat(median(arrivals.tokenGapsMs())).isBetween(0.75 * GAP_MS, 1.5 * GAP_MS);
            assertThat(arrivals.clumps()).isGreaterThan(TOKENS * 8 / 10);
        }
    }

    /** The control: without the relay's header, nginx does not pass tokens on. */
    @Test
    void clumpsBehindNginxWithoutTheHeader() throws IOException {
        try (var edge = Proxy.NGINX.start(harness.port())) {
            var arrivals = stream(edge, "/header-off" + CHAT, PACED);

            assertThat(arrivals.intact()).isTrue();
            assertThat(arrivals.text()).endsWith("data: [DONE]\n\n");
            assertThat(arrivals.tokenGapsMs()).hasSize(TOKENS - 1);
            assertThat(arrivals.clumps()).isLessThan(TOKENS / 3);
        }
    }

    /**
     * nginx uses HTTP/1.0 here, whose bodies end with the connection. Only the reset after a body distinguishes a cut
     * from an end.
     */
    @ParameterizedTest
    @EnumSource(Proxy.class)
    void showsTheClientATruncation(Proxy proxy) throws IOException {
        try (var edge = proxy.start(harness.port())) {
            var arrivals = stream(edge, CHAT, PACED + ",end_after=5");

            assertThat(arrivals.tokenGapsMs()).hasSize(4);
            assertThat(arrivals.text())
                    .contains("\"upstream_truncated\"")
                    .doesNotContain("[DONE]")
                    .doesNotContain("finish_reason\":\"");
            assertThat(arrivals.intact()).isEqualTo(proxy != Proxy.NGINX);
        }
    }

    /**
     * The client already has half of a frame, so no error frame can follow. Caddy 2.6 is not tested for this: it ends
     * a response whose upstream was reset as if it was complete. Later versions cut it too.
     */
    @ParameterizedTest
    @EnumSource(names = {"NGINX", "HAPROXY"})
    void breaksTheClientsConnectionWhereNoErrorFrameCanBeWritten(Proxy proxy) throws IOException {
        try (var edge = proxy.start(harness.port())) {
            var arrivals = stream(edge, CHAT, "tokens=5,big_frame=400000,end_at_byte=200000");

            assertThat(arrivals.intact()).isFalse();
            assertThat(arrivals.text()).doesNotContain("upstream_truncated");
        }
    }

    @ParameterizedTest
    @EnumSource(Proxy.class)
    void cancelsTheUpstreamWhenTheClientLeaves(Proxy proxy) throws IOException {
        try (var edge = proxy.start(harness.port())) {
            try (var client = post(edge, CHAT, "tokens=100000,gap_ms=" + GAP_MS)) {
                assertThat(client.readHead()).startsWith("HTTP/1.1 200 ");
                assertThat(client.readLine()).isNotEmpty();
            }

            await().until(() -> harness.mock.stats().streamsAborted() == 1);
            await().until(() -> harness.relay.metrics().activeExchanges() == 0);
            assertThat(harness.relay.metrics().exchanges("client_gone")).isOne();
        }
    }

    private static Arrivals stream(Intermediary edge, String path, String spec) throws IOException {
        try (var client = post(edge, path, spec)) {
            return Arrivals.read(client);
        }
    }

    private static RawClient post(Intermediary edge, String path, String spec) throws IOException {
        var client = new RawClient(edge.port());
        client.post(RelayHarness.withSpec(path, spec), "mock", "");
        return client;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
