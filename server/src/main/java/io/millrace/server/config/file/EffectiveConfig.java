package io.millrace.server.config.file;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.millrace.server.config.AccessLog;
import io.millrace.server.config.Balance;
import io.millrace.server.config.Cors;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Disconnect;
import io.millrace.server.config.Health;
import io.millrace.server.config.Heartbeat;
import io.millrace.server.config.Hedge;
import io.millrace.server.config.HostAndPort;
import io.millrace.server.config.Limits;
import io.millrace.server.config.Match;
import io.millrace.server.config.OwnPaths;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Retry;
import io.millrace.server.config.Route;
import io.millrace.server.config.RouteTarget;
import io.millrace.server.config.Timeouts;
import io.millrace.server.config.Upstream;
import java.net.URI;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes a configuration as YAML, every default spelled out, keys by their source only: reading it gives the same. */
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
        return write(tree(config));
    }

    /** The same of a configuration with one route that takes everything, without the route and its upstream. */
    public static String toYamlWithoutUpstreams(RelayConfig config) {
        var tree = tree(config);
        tree.put("heartbeat", heartbeat(config.routes().get(0).heartbeat()));
        tree.keySet().removeAll(List.of("upstreams", "routes"));
        return write(tree);
    }

    private static String write(Map<String, Object> tree) {
        try {
            return YAML.writeValueAsString(tree);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Map<String, Object> tree(RelayConfig config) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("listen", config.listen().stream().map(HostAndPort::toString).toList());
        tree.put("transport", config.transport().label());
        tree.put("eventLoops", config.eventLoops());
        tree.put("allowOpen", config.allowOpen());
        tree.put("timeouts", timeouts(config.timeouts()));
        tree.put("limits", limits(config.limits()));
        tree.put("accessLog", accessLog(config.accessLog()));
        tree.put("ownPaths", ownPaths(config.ownPaths()));
        tree.put("cors", cors(config.cors()));
        var upstreams = new LinkedHashMap<String, Object>();
        config.upstreams().forEach((name, upstream) -> upstreams.put(name, upstream(upstream)));
        tree.put("upstreams", upstreams);
        tree.put(
                "routes",
                config.routes().stream().map(r -> route(r, config.timeouts())).toList());
        return tree;
    }

    private static Map<String, Object> timeouts(Timeouts timeouts) {
        var tree = new LinkedHashMap<String, Object>();
        for (var component : Timeouts.class.getRecordComponents()) {
            try {
                var value = (Duration) component.getAccessor().invoke(timeouts);
                tree.put(component.getName(), Quantities.format(value));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
        return tree;
    }

    private static Map<String, Object> limits(Limits limits) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("requestLine", Quantities.formatSize(limits.requestLine()));
        tree.put("headerBytes", Quantities.formatSize(limits.headerBytes()));
        tree.put("headerCount", limits.headerCount());
        tree.put("body", Quantities.formatSize(limits.body()));
        tree.put("pipelined", Quantities.formatSize(limits.pipelined()));
        tree.put("connections", limits.connections());
        tree.put("requestsPerConnection", limits.requestsPerConnection());
        tree.put("frameHold", Quantities.formatSize(limits.frameHold()));
        tree.put("highWatermark", Quantities.formatSize(limits.highWatermark()));
        tree.put("lowWatermark", Quantities.formatSize(limits.lowWatermark()));
        tree.put("bodyRate", Quantities.formatSize(limits.bodyRate()));
        tree.put("memory", Quantities.formatSize(limits.memory()));
        return tree;
    }

    private static Map<String, Object> accessLog(AccessLog log) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("format", ConfigReader.label(log.format()));
        putIfGiven(tree, "file", log.file());
        return tree;
    }

    private static Map<String, Object> ownPaths(OwnPaths paths) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("healthz", paths.healthz());
        tree.put("readyz", paths.readyz());
        tree.put("metrics", paths.metrics());
        tree.put("streams", paths.streams());
        tree.put("chat", paths.chat());
        tree.put("openapi", paths.openapi());
        tree.put("page", paths.page());
        return tree;
    }

    private static Map<String, Object> cors(Cors cors) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("origins", cors.origins());
        tree.put("credentials", cors.credentials());
        tree.put("maxAge", Quantities.format(cors.maxAge()));
        return tree;
    }

    private static Map<String, Object> upstream(Upstream upstream) {
        var tree = new LinkedHashMap<String, Object>();
        if (upstream.urls().size() == 1) {
            tree.put("url", upstream.url().toString());
        } else {
            tree.put("urls", upstream.urls().stream().map(URI::toString).toList());
        }
        if (!upstream.dialects().isEmpty()) {
            tree.put(
                    "dialect",
                    upstream.dialects().stream().map(ConfigReader::label).toList());
        }
        putIfGiven(tree, "model", upstream.model());
        if (upstream.credential() != null) {
            tree.put("credential", credential(upstream.credential()));
        }
        putIfGiven(tree, "ca", upstream.ca());
        tree.put("maxConnections", upstream.maxConnections());
        tree.put("idle", Quantities.format(upstream.idle()));
        tree.put("maxConcurrent", upstream.maxConcurrent());
        tree.put("health", health(upstream.health()));
        var budget = new LinkedHashMap<String, Object>();
        budget.put("ratio", upstream.retryBudget().ratio());
        budget.put("perSecond", upstream.retryBudget().perSecond());
        tree.put("retryBudget", budget);
        return tree;
    }

    private static Map<String, Object> health(Health health) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("consecutiveFailures", health.consecutiveFailures());
        tree.put("failureRate", health.failureRate());
        tree.put("minRequests", health.minRequests());
        tree.put("window", Quantities.format(health.window()));
        tree.put("ejection", Quantities.format(health.ejection()));
        tree.put("maxEjection", Quantities.format(health.maxEjection()));
        tree.put("slowStart", Quantities.format(health.slowStart()));
        var probe = new LinkedHashMap<String, Object>();
        putIfGiven(probe, "path", health.probePath());
        probe.put("interval", Quantities.format(health.probeInterval()));
        tree.put("probe", probe);
        return tree;
    }

    private static Map<String, Object> credential(Credential credential) {
        var tree = new LinkedHashMap<String, Object>();
        String[] source = credential.secret().source().split(": ", 2);
        tree.put(source[0], source[1]);
        tree.put("header", credential.header());
        tree.put("prefix", credential.prefix());
        return tree;
    }

    private static Map<String, Object> route(Route route, Timeouts common) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("name", route.name());
        if (!route.match().equals(Match.ALL)) {
            tree.put("match", match(route.match()));
        }
        if (route.targets().size() == 1 && route.targets().get(0).timeouts() == null) {
            tree.putAll(target(route.targets().get(0), route));
        } else {
            tree.put(
                    "targets",
                    route.targets().stream().map(t -> target(t, route)).toList());
        }
        if (route.dialect() != null) {
            tree.put("dialect", ConfigReader.label(route.dialect()));
        }
        if (!route.timeouts().equals(common)) {
            tree.put("timeouts", ownTimeouts(route.timeouts(), common));
        }
        tree.put("heartbeat", heartbeat(route.heartbeat()));
        tree.put("retry", retry(route.retry()));
        tree.put("hedge", route.hedge() == null ? "off" : hedge(route.hedge()));
        tree.put("disconnect", disconnect(route.disconnect()));
        tree.put("balance", balance(route.balance()));
        tree.put("includeUsage", route.includeUsage());
        tree.put("translation", ConfigReader.label(route.translation()));
        return tree;
    }

    private static Map<String, Object> target(RouteTarget target, Route route) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("upstream", target.upstream());
        putIfGiven(tree, "rewriteModel", target.rewriteModel());
        if (target.timeouts() != null) {
            tree.put("timeouts", ownTimeouts(target.timeouts(), route.timeouts()));
        }
        return tree;
    }

    private static Map<String, Object> ownTimeouts(Timeouts timeouts, Timeouts common) {
        var own = timeouts(timeouts);
        own.keySet().removeIf(key -> !ConfigReader.isRouteTimeout(key));
        own.entrySet().removeAll(timeouts(common).entrySet());
        return own;
    }

    private static Object retry(Retry retry) {
        if (retry.equals(Retry.OFF)) {
            return PolicyReader.OFF;
        }
        var tree = new LinkedHashMap<String, Object>();
        tree.put("attempts", retry.attempts());
        tree.put("base", Quantities.format(retry.base()));
        tree.put("cap", Quantities.format(retry.cap()));
        tree.put("retryAfterCap", Quantities.format(retry.retryAfterCap()));
        tree.put("total", Quantities.format(retry.total()));
        return tree;
    }

    private static Map<String, Object> hedge(Hedge hedge) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("delay", hedge.delay() == null ? PolicyReader.P95 : Quantities.format(hedge.delay()));
        tree.put("maxShare", hedge.maxShare());
        return tree;
    }

    private static Map<String, Object> disconnect(Disconnect disconnect) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("policy", ConfigReader.label(disconnect.policy()));
        tree.put("maxFrames", disconnect.maxFrames());
        tree.put("maxTime", Quantities.format(disconnect.maxTime()));
        return tree;
    }

    private static Object balance(Balance balance) {
        return switch (balance.kind()) {
            case P2C -> ConfigReader.label(balance.kind());
            case HEADER -> Map.of("header", balance.header());
            case PROMPT_PREFIX -> Map.of("promptPrefix", Quantities.formatSize(balance.prefixBytes()));
        };
    }

    private static Map<String, Object> match(Match match) {
        var tree = new LinkedHashMap<String, Object>();
        if (!match.paths().isEmpty()) {
            tree.put("paths", match.paths());
        }
        if (!match.models().isEmpty()) {
            tree.put("models", match.models());
        }
        putIfGiven(tree, "header", match.header());
        return tree;
    }

    private static Map<String, Object> heartbeat(Heartbeat heartbeat) {
        var tree = new LinkedHashMap<String, Object>();
        tree.put("interval", heartbeat.interval().isZero() ? "off" : Quantities.format(heartbeat.interval()));
        if (heartbeat.form() != null) {
            tree.put("form", ConfigReader.label(heartbeat.form()));
        }
        tree.put("early", heartbeat.early());
        return tree;
    }

    private static void putIfGiven(Map<String, Object> tree, String key, Object value) {
        if (value != null) {
            tree.put(key, value.toString());
        }
    }
}
