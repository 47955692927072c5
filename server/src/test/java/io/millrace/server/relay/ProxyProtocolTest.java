package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.address.AddressSet;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.test.AccessLines;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A listener whose load balancers begin each connection with a PROXY head. This machine is the load balancer. */
@Tag("sockets")
@Tag("h2")
class ProxyProtocolTest {
    private static final String V1 = "PROXY TCP4 %s 10.0.0.1 4711 443\r\n";
    private static final String V2 =
            "\r\n\r\n\0\r\nQUIT\n\041\021\000\014\313\000\161\007\012\000\000\001\000\001\000\002";
    private static final String V2_LOCAL = "\r\n\r\n\0\r\nQUIT\n\040\000\000\000";

    private final List<RawClient> clients = new ArrayList<>();

    @AfterEach
    void leave() throws IOException {
        for (RawClient client : clients) {
            client.close();
        }
    }

    @Test
    void theHeadNamesTheClientOfAllRequestsOfItsConnection() throws IOException {
        try (var lines = new AccessLines();
                var harness = start("127.0.0.0/8", 0)) {
            RawClient client = connect(harness, V1.formatted("203.0.113.7"));
            for (int i = 0; i < 2; i++) {
                assertThat(ask(client)).isEqualTo(200);
                assertThat(lines.next().get("client_ip").asText()).isEqualTo("203.0.113.7");
            }
            assertThat(ask(connect(harness, V2))).isEqualTo(200);
            assertThat(lines.next().get("client_ip").asText()).isEqualTo("203.0.113.7");
            assertThat(ask(connect(harness, V2_LOCAL))).isEqualTo(200);
            assertThat(lines.next().get("client_ip").asText()).isEqualTo("127.0.0.1");
        }
    }

    @Test
    void aTrustedProxyBehindTheHeadNamesTheClientOfTheRequest() throws IOException {
        try (var lines = new AccessLines();
                var harness = start("127.0.0.0/8", 0)) {
            RawClient client = connect(harness, V1.formatted("198.51.100.1"));
            client.send("GET", "/v1/models", "", "X-Forwarded-For: 203.0.113.9");
            client.readAll();
            assertThat(lines.next().get("client_ip").asText()).isEqualTo("203.0.113.9");
        }
    }

    @Test
    void aListedPeerWithoutAHeadIsClosed() throws IOException {
        try (var harness = start("127.0.0.0/8", 0)) {
            RawClient client = connect(harness, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
            assertThat(client.read()).isEqualTo(-1);
        }
    }

    @Test
    void fromOtherPeersAHeadIsABadRequest() throws IOException {
        try (var harness = start("10.0.0.0/8", 0)) {
            assertThat(connect(harness, V1.formatted("203.0.113.7")).readAll().status())
                    .isEqualTo(400);
            assertThat(ask(connect(harness, ""))).isEqualTo(200);
        }
    }

    @Test
    void anAddressHasAsManyConnectionsAsItMay() throws IOException {
        try (var harness = start("127.0.0.0/8", 2)) {
            RawClient first = connect(harness, V1.formatted("203.0.113.7"));
            assertThat(ask(first)).isEqualTo(200);
            assertThat(ask(connect(harness, V1.formatted("203.0.113.7")))).isEqualTo(200);
            RawClient third = connect(harness, V1.formatted("203.0.113.7"));
            third.send("GET", "/v1/models", "");
            RawClient.Response refused = third.readAll();
            assertThat(refused.status()).isEqualTo(503);
            assertThat(refused.header("retry-after")).isEqualTo("1");
            assertThat(ask(connect(harness, V1.formatted("203.0.113.8")))).isEqualTo(200);
            first.close();
            await().until(() -> ask(connect(harness, V1.formatted("203.0.113.7"))) == 200);
        }
    }

    @Test
    void loadBalancersThemselvesHaveNoLimit() throws IOException {
        try (var harness = start("127.0.0.0/8", 1)) {
            for (int i = 0; i < 3; i++) {
                assertThat(ask(connect(harness, V2_LOCAL))).isEqualTo(200);
            }
            for (int i = 0; i < 3; i++) {
                assertThat(ask(connect(harness, V1.formatted("198.51.100.1")))).isEqualTo(200);
            }
        }
    }

    private static RelayHarness start(String from, int mostConnections) {
        return RelayHarness.start(config -> config.with(c -> {
            Listener listener = Listener.at(new HostAndPort("127.0.0.1", 0));
            c.listeners = List.of(listener.with(l -> l.proxies = AddressSet.of(from)));
            c.limits = config.limits().with(l -> l.connectionsPerAddress = mostConnections);
            c.trustedProxies = AddressSet.of("198.51.100.1");
            c.accessLog = new AccessLog(AccessLog.Format.JSON, null);
        }));
    }

    private RawClient connect(RelayHarness harness, String first) throws IOException {
        var client = harness.clientThatSends(first);
        clients.add(client);
        return client;
    }

    private static int ask(RawClient client) throws IOException {
        client.send("GET", "/v1/models", "");
        return client.readAll().status();
    }
}
