package io.millrace.it.clients;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.RelayServer;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RetryBudget;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;

/** A mock LLM with relays in front of it: one that relays everything, one that routes by model, one that translates. */
final class Bed implements AutoCloseable {
    /** A model that the routing relay sends to an upstream where nobody listens. */
    static final String UNREACHABLE = "unreachable";

    /** A model for which the routing relay has no route. */
    static final String UNROUTED = "unrouted";

    /** What upstreams speak. */
    static final List<Dialect> DIALECTS = List.of(Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI);

    private final MockServer mock;
    private final RelayServer relay;
    private final RelayServer routing;
    private final RelayServer translating;
    private final Stopper stopper;

    Bed() {
        mock = MockServer.start(MockConfig.defaults());
        relay = RelayServer.start(
                RelayHarness.withRetry(RelayConfig.relayTo(upstream("default", mock())), RelayHarness.QUICK));
        routing = RelayServer.start(routes());
        translating = RelayServer.start(dialects());
        stopper = new Stopper(relay.addresses().get(0).getPort());
    }

    private RelayConfig routes() {
        var upstreams = new LinkedHashMap<String, Upstream>();
        upstreams.put("mock", upstream("mock", mock()));
        upstreams.put("dead", upstream("dead", url(portWhereNobodyListens())));
        return RelayHarness.withRetry(
                RelayConfig.defaults()
                        .with(c -> c.upstreams = upstreams)
                        .with(c -> c.routes = List.of(
                                Route.of("mock", Match.models("mock", "mock:*"), "mock"),
                                Route.of("dead", Match.models(UNREACHABLE), "dead"))),
                RelayHarness.QUICK);
    }

    /** The mock as four upstreams, each of which speaks one dialect and is reached under a path of its own. */
    private RelayConfig dialects() {
        var upstreams = new LinkedHashMap<String, Upstream>();
        var routes = new ArrayList<Route>();
        for (var dialect : DIALECTS) {
            String name = name(dialect);
            upstreams.put(name, upstream(name, mock()).with(u -> u.dialects = List.of(dialect)));
            routes.add(Route.of(name, Match.paths("/to-" + name + "/*"), name));
        }
        return RelayHarness.withRetry(
                RelayConfig.defaults().with(c -> c.upstreams = upstreams).with(c -> c.routes = routes),
                RelayHarness.QUICK);
    }

    private static String name(Dialect dialect) {
        return dialect.name().toLowerCase(Locale.ROOT);
    }

    /** More of its attempts fail here than a budget is made for. */
    private static Upstream upstream(String name, String url) {
        return Upstream.of(name, URI.create(url)).with(u -> u.retryBudget = new RetryBudget(1, 1000));
    }

    private static int portWhereNobodyListens() {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String url(int port) {
        return "http://127.0.0.1:" + port;
    }

    /** The mock LLM itself. */
    String mock() {
        return url(mock.port());
    }

    /** The relay that relays everything to the mock LLM. */
    String relay() {
        return url(relay.addresses().get(0).getPort());
    }

    /** The relay that looks at the model: the mock's go to the mock LLM. */
    String routing() {
        return url(routing.addresses().get(0).getPort());
    }

    /** The relay that translates to {@code dialect} whatever is in another. */
    String translatingTo(Dialect dialect) {
        return url(translating.addresses().get(0).getPort()) + "/to-" + name(dialect);
    }

    /** The relay that relays everything, whose streams are stopped when they fall silent. */
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
