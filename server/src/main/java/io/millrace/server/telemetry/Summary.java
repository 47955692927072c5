package io.millrace.server.telemetry;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.Usage;
import io.millrace.server.config.Listener.Protocol;
import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The facts about an exchange that is over, for the access log and the counts.
 *
 * @param attempts the attempts at upstreams
 * @param stream null if the response was no event stream
 * @param kept null if the stream is not kept for readers
 * @param timeline the timeline of the attempt that became the answer, otherwise of the last one
 */
public record Summary(
        Request request,
        Attempts attempts,
        Response response,
        @Nullable Stream stream,
        @Nullable Kept kept,
        Timeline timeline) {
    /**
     * The request.
     *
     * @param client the address of the client; null for a client of a unix socket
     * @param id the id of the exchange; null for a request that was refused before it became an exchange
     * @param protocol the protocol of the client
     * @param tls the TLS version of the connection; null without TLS
     * @param path the raw path without its query, which may contain keys
     * @param dialect the name of the client's format, such as {@code chat}; {@code text} at {@code /chat}
     * @param model the requested model, or null
     * @param bytes the length of its body
     * @param caller the name of the client; null if no keys are required, or the key was not valid
     * @param correlation what others call it
     * @param callerKey distinguishes the keys of the client; null if there was no key
     */
    public record Request(
            @Nullable InetAddress client,
            Protocol protocol,
            @Nullable String tls,
            @Nullable String id,
            @Nullable String method,
            @Nullable String path,
            String dialect,
            @Nullable String model,
            long bytes,
            Correlation correlation,
            @Nullable String caller,
            @Nullable String callerKey) {}

    /**
     * The attempts at upstreams.
     *
     * @param route the name of the route; null if no route takes the request
     * @param last the upstream of the attempt that became the answer, otherwise of the last one
     * @param begun the number of attempts
     * @param retries the attempts of these at the same upstream as the one before
     * @param fallbacks the attempts of these at the next upstream
     * @param hedged whether one of these was made in parallel with another
     * @param failures the attempts that failed, in the order of their failures
     */
    public record Attempts(
            @Nullable String route,
            Asked last,
            int begun,
            int retries,
            int fallbacks,
            boolean hedged,
            List<Failed> failures) {
        /** No attempt was made. {@code upstream} is the first of the route. Both are null if there is no route. */
        public static Attempts none(@Nullable String route, @Nullable String upstream) {
            return new Attempts(route, new Asked(upstream, null, null, null, null, null), 0, 0, 0, false, List.of());
        }
    }

    /**
     * An attempt that failed.
     *
     * @param upstream its name in the configuration
     * @param origin the origin that was asked
     * @param reason one word: a status, or the kind of failure
     * @param startNs when it began
     * @param endNs when it failed
     */
    public record Failed(String upstream, String origin, String reason, long startNs, long endNs) {}

    /**
     * An upstream, and the dialect of the request to it.
     *
     * @param upstream its name in the configuration, or null if none was chosen
     * @param origin its origin, or null if none was asked
     * @param requestId what it calls the request, or null
     * @param translatedTo its dialect if it is not the client's, otherwise null
     * @param dropped the names of the parts that were left out of a translated request, or null
     * @param traced the attempt in its trace, or null
     */
    public record Asked(
            @Nullable String upstream,
            @Nullable String origin,
            @Nullable String requestId,
            @Nullable Dialect translatedTo,
            @Nullable String dropped,
            Trace.@Nullable Attempt traced) {}

    /**
     * The response to the client.
     *
     * @param error the code of an error of the relay, or null
     * @param errorMessage what the client was told of that error, or null
     * @param terminalMissing whether the relay ended the stream because of silence after its finish reasons
     * @param bytes the length of its body
     * @param whole the content of an answer in one body
     */
    public record Response(
            int status,
            Outcome outcome,
            @Nullable String error,
            @Nullable String errorMessage,
            boolean terminalMissing,
            long bytes,
            Whole whole) {}

    /**
     * The content of an answer in one body.
     *
     * @param finishReason the upstream's word for it, or null
     * @param model the model that has answered, or null
     * @param usage the provider's token counts
     */
    public record Whole(
            @Nullable String finishReason, @Nullable String model, Usage usage) {
        /** Nothing is known. */
        public static final Whole NONE = new Whole(null, null, Usage.NONE);
    }

    /**
     * The content of an event stream.
     *
     * @param finishReason the upstream's word for it, or null
     * @param model the model that has answered, or null
     * @param usageExact whether {@code usage} is the provider's usage of the whole answer; otherwise it is that of a
     *     part
     */
    public record Stream(
            @Nullable String finishReason,
            @Nullable String model,
            long frames,
            long outputFrames,
            Usage usage,
            boolean usageExact) {
        /** The content of a stream that got nothing from an upstream. */
        public static final Stream EMPTY = new Stream(null, null, 0, 0, Usage.NONE, false);
    }

    /**
     * A stream that is kept for readers.
     *
     * @param stream its id
     * @param readers the clients that have followed it so far, without the one that asked
     * @param beganNs when the request came
     * @param leftNs when the client that asked left; 0 if it did not
     * @param unreadNs how long nobody read the stream after that
     */
    public record Kept(String stream, int readers, long beganNs, long leftNs, long unreadNs) {}

    /** The provider's token counts, of the stream or of the answer in one body. */
    public Usage usage() {
        return stream == null ? response.whole().usage() : stream.usage();
    }

    /** Whether {@link #usage} is that of the whole answer. An answer in one body has its usage behind the text. */
    public boolean usageExact() {
        return stream == null ? usage().inputTokens() >= 0 && usage().outputTokens() >= 0 : stream.usageExact();
    }

    /** The upstream's word for why the answer ended, or null. */
    public @Nullable String finishReason() {
        return stream == null ? response.whole().finishReason() : stream.finishReason();
    }

    /** The requested model, otherwise the one that answered, or null. */
    public @Nullable String model() {
        return request.model() == null ? servedModel() : request.model();
    }

    /** The model that has answered, or null. */
    public @Nullable String servedModel() {
        return stream == null ? response.whole().model() : stream.model();
    }

    /**
     * The summary of a request that was refused before it became an exchange; {@code method} and {@code path} may be
     * null.
     */
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
                new Request(
                        client,
                        protocol,
                        tls,
                        null,
                        method,
                        path,
                        Dialect.UNKNOWN.label(),
                        null,
                        0,
                        Correlation.NONE,
                        null,
                        null),
                Attempts.none(null, null),
                new Response(status, Outcome.REFUSED, error, null, false, 0, Whole.NONE),
                null,
                null,
                timeline);
    }
}
