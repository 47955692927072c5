package io.millrace.it.browser;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.RelayServer;
import io.millrace.server.config.Cors;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.ResumeStore;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.config.Upstream;
import java.net.URI;
import java.util.List;
import java.util.Map;

/**
 * Relays whose {@code /chat} uses one upstream with Chat Completions. They add a key of their own, and therefore check
 * where requests come from.
 */
final class ChatRelay {
    private ChatRelay() {}

    /** Relays to {@code upstream}; pages of {@code origins} may call. */
    static RelayServer start(URI upstream, String... origins) {
        return RelayServer.start(config(upstream, origins));
    }

    /** Relays to {@code upstream}, and keeps answers for readers who come back. */
    static RelayServer startKeeping(URI upstream, String... origins) {
        return RelayServer.start(keeping(config(upstream, origins)));
    }

    /** Keeps answers, and shares them with other relays in the Redis at this port. */
    static RelayServer startSharing(URI upstream, int redis, String... origins) {
        RedisSettings at = RedisSettings.DEFAULT.with(r -> r.url = URI.create("redis://127.0.0.1:" + redis));
        ResumeStore store = ResumeStore.DEFAULT
                .with(s -> s.redis = at)
                .with(s -> s.secret = Secret.of("a secret of thirty-two characters or more", "env: TEST"));
        RelayConfig config = keeping(config(upstream, origins));
        return RelayServer.start(config.with(c -> c.resume = c.resume.with(r -> r.redis = store)));
    }

    private static RelayConfig keeping(RelayConfig config) {
        return config.with(c -> c.routes = config.routes().stream()
                .map(route -> route.with(r -> r.disconnect = Disconnect.DETACH))
                .toList());
    }

    /** Relays to {@code upstream}, which has no default model. */
    static RelayServer startWithoutModel(URI upstream) {
        RelayConfig config = config(upstream);
        Upstream bare = config.upstreams().get("default").with(u -> u.model = null);
        return RelayServer.start(config.with(c -> c.upstreams = Map.of("default", bare)));
    }

    private static RelayConfig config(URI upstream, String... origins) {
        var target = Upstream.of("default", upstream)
                .with(u -> u.credential = new Credential("authorization", "Bearer ", Secret.of("s3cret", "env: TEST")))
                .with(u -> u.dialects = List.of(Dialect.CHAT))
                .with(u -> u.model = "mock");
        return RelayConfig.relayTo(target)
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.cors = Cors.OFF.with(o -> o.origins = List.of(origins)));
    }

    /** The relay's address, without a path. */
    static String url(RelayServer relay) {
        return "http://127.0.0.1:" + relay.addresses().get(0).getPort();
    }
}
