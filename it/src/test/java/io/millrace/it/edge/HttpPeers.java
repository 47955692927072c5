package io.millrace.it.edge;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** One origin behind a relay, behind other proxies, and behind each pair of them in a row. */
final class HttpPeers implements AutoCloseable {
    private final RelayServer relay;
    private final List<Peer> peers = new ArrayList<>();

    HttpPeers(int originPort) throws IOException {
        relay = relayTo(originPort);
        peers.add(Peer.of("nginx", originPort, relay(), Intermediary::nginx));
        peers.add(Peer.of("HAProxy", originPort, relay(), Intermediary::haproxy));
    }

    /** Another proxy: alone, in front of the relay, and behind a relay. */
    record Peer(String name, Intermediary proxy, Intermediary front, RelayServer relay) {
        private interface Starter {
            Intermediary start(int port) throws IOException;
        }

        private static Peer of(String name, int originPort, int relayPort, Starter starter) throws IOException {
            Intermediary proxy = starter.start(originPort);
            return new Peer(name, proxy, starter.start(relayPort), relayTo(proxy.port()));
        }

        /** Its port when it serves the origin itself. */
        int alone() {
            return proxy.port();
        }

        /** Its port when the relay is behind it. */
        int inFront() {
            return front.port();
        }

        /** The port of a relay that has it behind. */
        int behind() {
            return portOf(relay);
        }

        private void close() throws IOException {
            relay.close();
            front.close();
            proxy.close();
        }
    }

    /** The port of the relay alone. */
    int relay() {
        return portOf(relay);
    }

    List<Peer> peers() {
        return peers;
    }

    /** All paths to the origin. */
    List<Integer> all() {
        return Stream.concat(
                        Stream.of(relay()),
                        peers.stream().flatMap(peer -> Stream.of(peer.alone(), peer.inFront(), peer.behind())))
                .toList();
    }

    @Override
    public void close() throws IOException {
        for (Peer peer : peers) {
            peer.close();
        }
        relay.close();
    }

    private static RelayServer relayTo(int port) {
        var config = RelayConfig.relayTo(URI.create("http://127.0.0.1:" + port))
                .with(c -> c.eventLoops = 1)
                .with(c -> c.accessLog = AccessLog.OFF);
        return RelayServer.start(RelayHarness.withRetry(config, RelayHarness.QUICK));
    }

    private static int portOf(RelayServer server) {
        return server.addresses().get(0).getPort();
    }
}
