package io.millrace.server.test;

import io.millrace.server.RelayServer;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Route;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.config.Route.Retry;
import io.millrace.server.config.Timeouts;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.transport.Transport;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLContext;
import org.slf4j.Logger;

/** A mock upstream with a relay in front of it, both in this process, on free loopback ports. */
public final class RelayHarness implements AutoCloseable {
    /** The recorded provider streams. */
    public static final Path STREAMS = Path.of("..", "codec", "src", "test", "resources", "fixtures", "streams");

    /** As many attempts as by default, without the waits for real upstreams. */
    public static final Retry QUICK =
            Retry.DEFAULT.with(r -> r.base = Duration.ofMillis(5)).with(r -> r.cap = Duration.ofMillis(20));

    private static Certificates certificates;

    public final MockServer mock;
    public final RelayServer relay;
    private final SSLContext tls;

    private RelayHarness(MockServer mock, RelayServer relay, SSLContext tls) {
        this.mock = mock;
        this.relay = relay;
        this.tls = tls;
    }

    /** Has those that start from now on speak TLS with their clients, as {@code own} says; null ends that. */
    public static void speakTls(Certificates own) {
        certificates = own;
    }

    public static RelayHarness start() {
        return start(config -> config);
    }

    public static RelayHarness start(UnaryOperator<RelayConfig> change) {
        return start(MockConfig.defaults().withReplayDir(STREAMS), change);
    }

    public static RelayHarness start(MockConfig mockConfig, UnaryOperator<RelayConfig> change) {
        var mock = MockServer.start(mockConfig);
        var config = RelayConfig.relayTo(mock.uri()).with(c -> c.accessLog = AccessLog.OFF);
        RelayConfig changed = change.apply(config);
        if (certificates == null) {
            return new RelayHarness(mock, serve(changed), null);
        }
        try {
            Listener.Tls tls = certificates.tls("localhost");
            RelayConfig encrypted = changed.with(c -> c.listeners = changed.listeners().stream()
                    .map(listener -> listener.with(l -> l.tls = tls))
                    .toList());
            return new RelayHarness(mock, RelayServer.start(encrypted), certificates.client());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** A relay, whose clients may speak HTTP/2 too where the tests run over that. */
    public static RelayServer serve(RelayConfig config) {
        return RelayServer.start(spoken(config));
    }

    /** The same, with the access log written to {@code accessLog}. */
    public static RelayServer serve(RelayConfig config, Logger accessLog) {
        return RelayServer.start(spoken(config), accessLog);
    }

    /** As {@link #serve} changes it: with HTTP/2 on its listeners, where the tests run over that. */
    public static RelayConfig spoken(RelayConfig config) {
        if (!RawClient.HTTP2) {
            return config;
        }
        var protocols = List.of(Protocol.H2, Protocol.HTTP_1_1);
        return config.with(c -> c.listeners = config.listeners().stream()
                .map(listener ->
                        listener.protocols().isEmpty() ? listener.with(l -> l.protocols = protocols) : listener)
                .toList());
    }

    /** With {@code retry} on all its routes. */
    public static RelayConfig withRetry(RelayConfig config, Retry retry) {
        return withRoutes(config, r -> r.retry = retry);
    }

    /** With {@code heartbeat} on all its routes. */
    public static RelayConfig withHeartbeat(RelayConfig config, Heartbeat heartbeat) {
        return withRoutes(config, r -> r.heartbeat = heartbeat);
    }

    /** With {@code timeouts}, also on all its routes. */
    public static RelayConfig withTimeouts(RelayConfig config, Timeouts timeouts) {
        return withRoutes(config, r -> r.timeouts = timeouts).with(c -> c.timeouts = timeouts);
    }

    private static RelayConfig withRoutes(RelayConfig config, Consumer<Route.Builder> change) {
        return config.with(c -> c.routes =
                config.routes().stream().map(route -> route.with(change)).toList());
    }

    /** With {@code model} in place of the client's, for all its targets. */
    public static Route withRewriteModel(Route route, String model) {
        return route.with(r -> r.targets = route.targets().stream()
                .map(target -> target.with(t -> t.rewriteModel = model))
                .toList());
    }

    /** The transports that this machine has. */
    public static List<Transport> transports() {
        return Arrays.stream(Transport.values()).filter(Transport::isAvailable).toList();
    }

    public int port() {
        return relay.addresses().get(0).getPort();
    }

    /** A connection to the relay. */
    public RawClient client() throws IOException {
        return new RawClient(port(), tls);
    }

    /** A connection to the relay that sends {@code first} ahead of everything else. */
    public RawClient clientThatSends(String first) throws IOException {
        return new RawClient(port(), tls, first);
    }

    /**
     * One streaming request on a connection of its own, which is read to its end. The mock behaves like {@code spec}.
     */
    public RawClient.Response stream(String path, String spec) throws IOException {
        try (var client = client()) {
            client.post(withSpec(path, spec), "m", "");
            return client.readAll();
        }
    }

    /** The path with the mock's behaviour in its query, which every dialect has. */
    public static String withSpec(String path, String spec) {
        String query = "mock=" + URLEncoder.encode(spec, StandardCharsets.UTF_8);
        return path + (path.contains("?") ? "&" : "?") + query;
    }

    @Override
    public void close() {
        relay.close();
        mock.close();
    }
}
