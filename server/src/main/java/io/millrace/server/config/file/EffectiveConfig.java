package io.millrace.server.config.file;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.millrace.server.config.Credential;
import io.millrace.server.config.RedisSettings;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.ResumeStore;
import io.millrace.server.config.Route;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes a configuration as YAML with all defaults, and with the sources of keys in place of keys. Reading the result
 * gives the same configuration.
 */
public final class EffectiveConfig {
    private static final YAMLMapper YAML = new YAMLMapper(YAMLFactory.builder()
            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
            .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
            .enable(YAMLGenerator.Feature.ALWAYS_QUOTE_NUMBERS_AS_STRINGS)
            .enable(YAMLGenerator.Feature.INDENT_ARRAYS_WITH_INDICATOR)
            .build());

    private EffectiveConfig() {}

    /** The YAML, with a line break at its end. */
    public static String toYaml(RelayConfig config) {
        return write(Tables.RELAY.write(config));
    }

    /** The YAML of a configuration with one route for everything, without the route and its upstream. */
    public static String toYamlWithoutUpstreams(RelayConfig config) {
        var tree = Tables.RELAY.write(config);
        var heartbeat = Tables.ROUTE_HEARTBEAT;
        tree.put(heartbeat.key(), heartbeat.writer().apply(config.routes().get(0)));
        tree.keySet().removeAll(List.of("upstreams", "routes"));
        return write(tree);
    }

    /** {@code upstreams}, by name. */
    static Map<String, Object> upstreams(RelayConfig config) {
        var tree = new LinkedHashMap<String, Object>();
        config.upstreams().forEach((name, upstream) -> tree.put(name, Tables.UPSTREAM.write(upstream)));
        return tree;
    }

    /**
     * {@code routes}. Each has only the timeouts that differ from the relay's, and each target only those that differ
     * from its route's.
     */
    static List<Object> routes(RelayConfig config) {
        var routes = new ArrayList<>();
        for (Route route : config.routes()) {
            var tree = Tables.ROUTE.write(route);
            if (tree.get("targets") instanceof List<?> targets) {
                targets.forEach(target -> keepOwnTimeouts((Map<?, ?>) target, route.timeouts()));
            }
            keepOwnTimeouts(tree, config.timeouts());
            tree.values().removeIf(value -> value.equals(Map.of()));
            routes.add(tree);
        }
        return routes;
    }

    private static void keepOwnTimeouts(Map<?, ?> tree, Timeouts common) {
        if (tree.get("timeouts") instanceof Map<?, ?> timeouts) {
            timeouts.entrySet().removeAll(Tables.TIMEOUTS.write(common).entrySet());
        }
    }

    /** {@code credential}, without the key. */
    static @Nullable Map<String, Object> credential(Upstream upstream) {
        Credential credential = upstream.credential();
        if (credential == null) {
            return null;
        }
        var tree = new LinkedHashMap<String, Object>();
        String[] source = credential.secret().source().split(": ", 2);
        tree.put(source[0], source[1]);
        tree.put("header", credential.header());
        tree.put("prefix", credential.prefix());
        return tree;
    }

    /** {@code credential} of a Redis server, without the password. */
    static @Nullable Map<String, Object> credential(RedisSettings redis) {
        if (redis.password() == null) {
            return null;
        }
        var tree = new LinkedHashMap<String, Object>();
        String[] source = redis.password().source().split(": ", 2);
        tree.put(source[0], source[1]);
        if (!redis.user().isEmpty()) {
            tree.put("user", redis.user());
        }
        return tree;
    }

    /** {@code secret} of the store of streams, without itself. */
    static @Nullable Map<String, Object> secret(ResumeStore store) {
        if (store.secret() == null) {
            return null;
        }
        String[] source = store.secret().source().split(": ", 2);
        return Map.of(source[0], source[1]);
    }

    private static String write(Map<String, Object> tree) {
        try {
            return YAML.writeValueAsString(tree);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
