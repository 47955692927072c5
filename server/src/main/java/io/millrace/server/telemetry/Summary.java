package io.millrace.server.telemetry;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.Usage;
import io.millrace.server.config.Listener.Protocol;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * The facts about an exchange that is over, for the access log and the counts.
 *
 * @param attempts those at upstreams
 * @param stream null if the response was no event stream
 * @param timeline that of the attempt which was the answer, else of the last one
 */
public record Summary(
        Request request,
        Attempts attempts,
        Response response,
        @Nullable Stream stream,
        Timeline timeline) {
    /**
     * The request.
     *
     * @param client its address; null for a client of a unix socket
     * @param id null for a request that was refused before it became an exchange
     * @param protocol that the client speaks
     * @param tls the version that encrypts the connection; null in the clear
     * @param path the raw path without its query, where keys can be
     * @param model the model asked for, else the one that answered, or null
     * @param bytes of its body
     * @param caller the name of the client that asked; null where keys are not asked for, or there was no valid one
     * @param callerKey tells the keys of the client apart; null if it has none
     */
    public record Request(
            @Nullable InetAddress client,
            Protocol protocol,
            @Nullable String tls,
            @Nullable String id,
            @Nullable String method,
            @Nullable String path,
            Dialect dialect,
            @Nullable String model,
            long bytes,
            @Nullable String caller,
            @Nullable String callerKey) {}

    /**
     * The attempts at upstreams.
     *
     * @param last the upstream of the attempt that was the answer, else of the last one
     * @param begun how many
     * @param retries of these, at the same upstream as the one before
     * @param fallbacks of these, at the next upstream
     * @param hedged whether one of these was made beside another
     * @param failures why attempts failed, such as {@code main:503,main:reset}, or null
     */
    public record Attempts(
            Asked last,
            int begun,
            int retries,
            int fallbacks,
            boolean hedged,
            @Nullable String failures) {
        /** No attempt was made. {@code upstream} is the first of the route; null if there is no route. */
        public static Attempts none(@Nullable String upstream) {
            return new Attempts(new Asked(upstream, null, null), 0, 0, 0, false, null);
        }
    }

    /**
     * An upstream, and the dialect of the request to it.
     *
     * @param upstream its name in the configuration, or null if none was chosen
     * @param translatedTo its dialect where it is not the client's, else null
     * @param dropped the names of what was left out of a translated request, or null
     */
    public record Asked(
            @Nullable String upstream,
            @Nullable Dialect translatedTo,
            @Nullable String dropped) {}

    /**
     * The response to the client.
     *
     * @param error the code of an error of the relay's own, or null
     * @param terminalMissing whether the stream was ended for the silence behind its finish reasons
     * @param bytes of its body
     */
    public record Response(
            int status, Outcome outcome, @Nullable String error, boolean terminalMissing, long bytes) {}

    /**
     * The content of an event stream.
     *
     * @param finishReason its own, or null
     * @param usageExact whether {@code usage} is what the provider says of the whole answer; else it is what was known of a
     *     part of it
     */
    public record Stream(
            @Nullable String finishReason, long frames, long outputFrames, Usage usage, boolean usageExact) {
        /** For a stream that got nothing from an upstream. */
        public static final Stream EMPTY = new Stream(null, 0, 0, Usage.NONE, false);
    }

    /** For a request that was refused before it became an exchange; {@code method} and {@code path} may be null. */
    public static Summary refused(
            @Nullable InetAddress client,
            Protocol protocol,
            @Nullable String tls,
            @Nullable String method,
            @Nullable String path,
            int status,
            String error) {
        var timeline = new Timeline();
        timeline.endNs = timeline.startNs;
        return new Summary(
                new Request(client, protocol, tls, null, method, path, Dialect.UNKNOWN, null, 0, null, null),
                Attempts.none(null),
                new Response(status, Outcome.REFUSED, error, false, 0),
                null,
                timeline);
    }
}
