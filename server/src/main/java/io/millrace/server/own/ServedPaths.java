package io.millrace.server.own;

import io.millrace.server.chat.ChatSide;
import io.millrace.server.config.Listener.Served;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.OwnPaths;
import io.millrace.server.console.Console;
import io.millrace.server.downstream.ConnectionTerms;
import io.millrace.server.http.Target;
import io.netty.handler.codec.http.HttpMethod;
import java.util.EnumSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The kind of a request. A listener answers only requests of kinds that it serves. */
final class ServedPaths {
    static final String HEALTHZ = "/healthz";
    static final String READYZ = "/readyz";
    static final String METRICS = "/metrics";
    static final String OPENAPI = "/openapi.json";
    static final String STREAMS = "/millrace/streams/";
    static final String LIVE = "/millrace/live";

    private static final Pattern ANSWER = Pattern.compile(".*/responses/([A-Za-z0-9_.-]{1,256})");
    private static final Pattern STREAMED = Pattern.compile("[?&]stream=true(&|$)");

    private static final Set<Served> RELAYED = EnumSet.of(Served.RELAY);
    private static final Set<Served> CHAT = EnumSet.of(Served.RELAY, Served.PAGE);
    private static final Set<Served> STOP = EnumSet.of(Served.RELAY, Served.STREAMS);
    private static final Set<Served> HEALTH = EnumSet.of(Served.HEALTH);
    private static final Set<Served> COUNTS = EnumSet.of(Served.METRICS);
    private static final Set<Served> PAGE = EnumSet.of(Served.PAGE);

    private ServedPaths() {}

    /** Whether a request is one to {@code /chat}. */
    static boolean isChat(RelayConfig config, Target target) {
        return config.ownPaths().chat() && target.path().equals(ChatSide.PATH);
    }

    /** Whether a request is one to watch the requests in progress, or to end one of them. */
    static boolean isLive(RelayConfig config, HttpMethod method, Target target) {
        String path = target.path();
        boolean watches = method.equals(HttpMethod.GET) && path.equals(LIVE);
        boolean ends = method.equals(HttpMethod.DELETE) && path.startsWith(LIVE + "/");
        return config.ownPaths().page() && (watches || ends);
    }

    /** Whether a request is one to read a stream: where no route keeps its answers, there is none. */
    static boolean isFollowed(RelayConfig config, HttpMethod method, Target target) {
        boolean reads = method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD);
        return reads && target.path().startsWith(STREAMS) && config.detaches();
    }

    /** The id of the answer of which a request wants the stream, as the Responses API asks for it; else null. */
    static @Nullable String answerId(RelayConfig config, HttpMethod method, Target target) {
        if (!method.equals(HttpMethod.GET) || !config.detaches()) {
            return null;
        }
        Matcher answer = ANSWER.matcher(target.path());
        return answer.matches() && STREAMED.matcher(target.query()).find() ? answer.group(1) : null;
    }

    /** Whether the listener of a connection serves the request. */
    static boolean isServed(ConnectionTerms terms, RelayConfig config, HttpMethod method, Target target) {
        for (Served kind : kinds(config, method, target)) {
            if (terms.serves(kind)) {
                return true;
            }
        }
        return false;
    }

    /**
     * The kinds of the request. A listener that serves one of them serves the request. Paths that are not the relay's
     * own belong to upstreams.
     */
    private static Set<Served> kinds(RelayConfig config, HttpMethod method, Target target) {
        if (isChat(config, target)) {
            return CHAT;
        }
        OwnPaths own = config.ownPaths();
        String path = target.path();
        if (isLive(config, method, target)) {
            return PAGE;
        }
        if (method.equals(HttpMethod.DELETE)) {
            return own.streams() && path.startsWith(STREAMS) ? STOP : RELAYED;
        }
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.HEAD)) {
            return RELAYED;
        }
        if (isFollowed(config, method, target)) {
            return STOP;
        }
        return switch (path) {
            case HEALTHZ -> own.healthz() ? HEALTH : RELAYED;
            case READYZ -> own.readyz() ? HEALTH : RELAYED;
            case METRICS -> own.metrics() ? COUNTS : RELAYED;
            case OPENAPI -> own.openapi() ? CHAT : RELAYED;
            default -> own.page() && Console.owns(path) ? PAGE : RELAYED;
        };
    }
}
