package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.RelayServer;
import io.millrace.server.config.AccessLog;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Upstream;
import io.millrace.server.config.UpstreamHttp;
import io.millrace.server.test.Http2Mock;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import io.netty.handler.codec.http2.Http2Error;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** One relay, and an upstream over HTTP/2 by prior knowledge: the same contracts as over HTTP/1.1. */
@Tag("sockets")
class Http2UpstreamTest {
    private static final String CHAT = "/v1/chat/completions";
    private static final String FRAME = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    private static final String DONE = "data: [DONE]\n\n";

    @Test
    void relaysAStream() throws IOException {
        try (var upstream = Http2Mock.start(
                        request -> request.stream().data(FRAME).data(DONE).end());
                var relay = relay(upstream.uri());
                var client = client(relay)) {
            for (int i = 0; i < 3; i++) {
                client.post(CHAT, "m", "");
                RawClient.Response response = client.readAll();
                assertThat(response.status()).isEqualTo(200);
                assertThat(response.text()).isEqualTo(FRAME + DONE);
                assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
            }
            assertThat(upstream.connections()).hasSize(1);
            Http2Mock.Request request = upstream.requests().get(0);
            assertThat(request.head().method()).hasToString("POST");
            assertThat(request.head().scheme()).hasToString("http");
            assertThat(request.head().authority()).hasToString("127.0.0.1:" + upstream.port());
            assertThat(request.path()).isEqualTo(CHAT);
            assertThat(request.body()).contains("\"model\":\"m\"");
            assertThat(request.head().contains("host")).isFalse();
            assertThat(upstream.resetOf(request)).isNull();
        }
    }

    @Test
    void cancelsOneStreamOfMany() throws IOException {
        try (var upstream = Http2Mock.start(request -> request.stream().data(FRAME));
                var relay = relay(upstream.uri());
                var stays = client(relay)) {
            stays.post(CHAT, "m", "");
            await().until(() -> upstream.requests().size() == 1);
            var leaves = client(relay);
            leaves.post(CHAT, "m", "");
            await().until(() -> upstream.requests().size() == 2);
            assertThat(leaves.read()).isNotNegative();
            leaves.close();
            Http2Mock.Request left = upstream.requests().get(1);
            await().until(() -> upstream.resetOf(left) != null);
            assertThat(upstream.resetOf(left)).isEqualTo(Http2Error.CANCEL.code());
            upstream.requests().get(0).data(DONE).end();
            assertThat(stays.readAll().text()).isEqualTo(FRAME + DONE);
            assertThat(upstream.connections()).hasSize(1);
            assertThat(upstream.openConnections()).isEqualTo(1);
        }
    }

    static RelayServer relay(URI... upstreams) {
        return relay(config -> config, upstreams);
    }

    static RelayServer relay(UnaryOperator<RelayConfig> change, URI... upstreams) {
        var upstream = Upstream.of("up", List.of(upstreams))
                .with(u -> u.http = UpstreamHttp.DEFAULT.with(h -> h.version = UpstreamHttp.Version.HTTP_2));
        var config = RelayConfig.relayTo(upstream)
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = 1);
        return RelayServer.start(change.apply(RelayHarness.withRetry(config, RelayHarness.QUICK)));
    }

    static RawClient client(RelayServer relay) throws IOException {
        return new RawClient(relay.addresses().get(0).getPort());
    }
}
