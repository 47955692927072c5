package io.millrace.it.clients;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.RelayServer;
import io.millrace.server.config.Health;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.millrace.server.config.Upstream.RetryBudget;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.FreePort;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;

/** A mock LLM with three relays in front of it: one relays everything, one routes by model, one translates. */
final class Bed implements AutoCloseable {
    /** A model that the routing relay sends to an upstream where nobody listens. */
    static final String UNREACHABLE = "unreachable";

    /** A model for which the routing relay has no route. */
    static final String UNROUTED = "unrouted";

    private static final HostAndPort ANY_PORT = new HostAndPort("127.0.0.1", 0);

    /** The dialects of upstreams. */
    static final List<Dialect> DIALECTS = List.of(Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI);

    private final TestTls tls;
    private final List<Protocol> protocols;
    private final MockServer mock;
    private final RelayServer relay;
    private final RelayServer routing;
    private final RelayServer translating;
    private final Stopper stopper;

    /** A bed whose relays have no TLS. */
    Bed() {
        this(null);
    }

    /**
     * A bed whose relays have TLS.
     *
     * @param tls null leaves them in the clear
     * @param protocols that they speak there; none is both
     */
    Bed(TestTls tls, Protocol... protocols) {
        this.tls = tls;
        this.protocols = List.of(protocols);
        mock = MockServer.start(MockConfig.defaults());
        relay = start(RelayConfig.relayTo(upstream("default", mock())));
        routing = start(routes());
        translating = start(dialects());
        stopper =
                new Stopper(relay.addresses().get(relay.addresses().size() - 1).getPort());
    }

    /** The last listener has no TLS. */
    private RelayServer start(RelayConfig config) {
        var listeners = new ArrayList<Listener>();
        if (tls != null) {
            listeners.add(
                    Listener.at(ANY_PORT).with(l -> l.tls = tls.listener()).with(l -> l.protocols = protocols));
        }
        listeners.add(Listener.at(ANY_PORT));
        return RelayServer.start(
                RelayHarness.withRetry(config, RelayHarness.QUICK).with(c -> c.listeners = listeners));
    }

    private RelayConfig routes() {
        var upstreams = new LinkedHashMap<String, Upstream>();
        upstreams.put("mock", upstream("mock", mock()));
        // An SDK tries often. It must not be told at last that the upstream has no origin in place of why.
        var neverEjected = Health.DEFAULT.with(h -> h.consecutiveFailures = 0).with(h -> h.failureRate = 0);
        upstreams.put("dead", upstream("dead", url(FreePort.any())).with(u -> u.health = neverEjected));
        return RelayConfig.defaults()
                .with(c -> c.upstreams = upstreams)
                .with(c -> c.routes = List.of(
                        Route.of("mock", Match.models("mock", "mock:*"), "mock"),
                        Route.of("dead", Match.models(UNREACHABLE), "dead")));
    }

    /** The mock as four upstreams. Each has one dialect and a path of its own. */
    private RelayConfig dialects() {
        var upstreams = new LinkedHashMap<String, Upstream>();
        var routes = new ArrayList<Route>();
        for (var dialect : DIALECTS) {
            String name = name(dialect);
            upstreams.put(name, upstream(name, mock()).with(u -> u.dialects = List.of(dialect)));
            routes.add(Route.of(name, Match.paths("/to-" + name + "/*"), name));
        }
        return RelayConfig.defaults().with(c -> c.upstreams = upstreams).with(c -> c.routes = routes);
    }

    private static String name(Dialect dialect) {
        return dialect.name().toLowerCase(Locale.ROOT);
    }

    /** A large budget, because more attempts fail here than in production. */
    private static Upstream upstream(String name, String url) {
        return Upstream.of(name, URI.create(url)).with(u -> u.retryBudget = new RetryBudget(1, 1000));
    }

    private static String url(int port) {
        return "http://127.0.0.1:" + port;
    }

    private String url(RelayServer relay) {
        return (tls == null ? "http" : "https") + "://127.0.0.1:"
                + relay.addresses().get(0).getPort();
    }

    /** The mock LLM itself. */
    String mock() {
        return url(mock.port());
    }

    /** The relay that relays everything to the mock LLM. */
    String relay() {
        return url(relay);
    }

    /** The relay that routes by model. Requests for the mock's models go to the mock LLM. */
    String routing() {
        return url(routing);
    }

    /** The relay that translates every request to {@code dialect}. */
    String translatingTo(Dialect dialect) {
        return url(translating) + "/to-" + name(dialect);
    }

    /** The metrics of the relay that relays everything. */
    String metrics() throws IOException {
        int port = relay.addresses().get(relay.addresses().size() - 1).getPort();
        try (var answer = URI.create(url(port) + "/metrics").toURL().openStream()) {
            return new String(answer.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** The relay that relays everything. Its streams are stopped when they become silent. */
    String stopping() {
        return url(stopper.port());
    }

    @Override
    public void close() {
        stopper.close();
        translating.close();
        routing.close();
        relay.close();
        mock.close();
    }
}
