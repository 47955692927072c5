package io.millrace.server.own;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.access.Access;
import io.millrace.server.access.Caller;
import io.millrace.server.chat.ChatSide;
import io.millrace.server.chat.OpenApi;
import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.OwnPaths;
import io.millrace.server.console.Console;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestListener;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.Target;
import io.millrace.server.live.LiveView;
import io.millrace.server.telemetry.Metrics;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Answers requests without an upstream: preflights, the relay's documents and page, stops, and clients that connect
 * again.
 */
public final class OwnEndpoints {
    private static final byte[] NO_STREAM = Dialect.CHAT.errorBody(
            404, "stream_not_found", "There is no such stream in progress, or not with this key.", null, null);

    private static final String SHOWN =
            "The streams are shown at an admin listener, or at a loopback address without a proxy.";
    private static final Refusal NOT_HERE = Refusal.of(403, "permission_denied", SHOWN);
    private static final Refusal NO_LIVE =
            Refusal.of(403, "permission_denied", "This client may not see the streams of others.");
    private static final byte[] NO_ANSWER = Dialect.CHAT.errorBody(
            503, "resume_unavailable", "The node that has the stream does not answer. Try again.", null, null);

    private final MetricsAnswer metrics;
    private final Streams streams;
    private final LiveView live;
    private final Pulse pulse;

    /** The streams on all event loops that clients may ask for. */
    public interface Streams {
        /**
         * Stops a stream for its client.
         *
         * @param id the stream's id, which its client knows
         * @param key the key of the request to stop; it must be the key of the stream's client
         * @param asking the event loop of the request to stop
         * @param told called on {@code asking}; receives whether a stream was stopped
         */
        void stop(String id, byte[] key, EventLoop asking, Consumer<Stopped> told);

        /** What became of a stream to be stopped. The last is one of another node, which does not answer. */
        enum Stopped {
            DONE,
            NOT_FOUND,
            UNAVAILABLE
        }

        /**
         * Who answers a request to read a stream.
         *
         * @param id the stream's id, which its client knows
         * @param key the key of the request; it must be the key of the stream's client
         */
        RequestListener follow(String id, byte[] key, Asked asked);

        /**
         * Who answers a request to read the stream of an answer; null if no such answer of this client's is kept.
         *
         * @param answerId the id that the answer has in its own dialect
         */
        @Nullable
        RequestListener followAnswer(String answerId, byte[] key, Asked asked);

        /**
         * Who answers an EventSource to {@code /chat} that connects again.
         *
         * @param lastEventId the id of the last event that it got
         * @return null if the id names no stream
         */
        @Nullable
        RequestListener followChat(String lastEventId, byte[] key, Asked asked);
    }

    /** The endpoints. {@code live} has the requests in progress, {@code relaying} the event loops that relay. */
    public OwnEndpoints(Metrics metrics, Streams streams, LiveView live, List<EventLoop> relaying) {
        this.metrics = new MetricsAnswer(metrics);
        this.streams = streams;
        this.live = live;
        pulse = new Pulse(relaying);
    }

    /**
     * A request that may be for the relay itself.
     *
     * @param access the rules of this configuration
     * @param caller the client of the request
     * @param draining whether the relay is about to stop
     * @param done called once, when the request is answered or its client has closed
     * @param failed called if the relay cannot make the answer
     * @param relaying has an upstream answer the request
     */
    public record Asked(
            ClientStream downstream,
            HttpRequest request,
            Target target,
            RelayConfig config,
            Access access,
            Caller caller,
            boolean draining,
            Runnable done,
            Runnable failed,
            Function<Asked, RequestListener> relaying) {
        /** Has an upstream answer the request. Must be called once, and only if nobody else answers it. */
        public RequestListener relay() {
            return relaying.apply(this);
        }

        private RequestListener answer(Runnable answer) {
            return new LocalExchange(downstream, answer, done, failed);
        }

        /** Answers with an error in the form that most clients know. */
        private RequestListener refuse(Refusal refusal) {
            byte[] json = Dialect.CHAT.errorBody(refusal.status(), refusal.code(), refusal.message(), null, null);
            var headers = new DefaultHttpHeaders();
            refusal.addTo(headers);
            return answer(() -> downstream.respond(refusal.status(), json, headers));
        }

        /** What only the same client has again. */
        private byte[] owner() {
            return caller.owner(request.headers(), target, config.resume());
        }

        private String streamId() {
            return target.path().substring(ServedPaths.STREAMS.length());
        }

        /** Whether a page of another name asks, although the relay adds keys. */
        private boolean isForbidden() {
            return access.violation(request, false) != null;
        }
    }

    /** The listener that answers the request, or null if an upstream must answer it. */
    public @Nullable RequestListener answer(Asked asked) {
        HttpMethod method = asked.request().method();
        HttpResponse preflight = asked.access().preflight(asked.request());
        if (preflight != null) {
            return asked.answer(() -> bare(asked.downstream(), preflight));
        }
        if (!ServedPaths.isServed(asked.downstream().terms(), asked.config(), method, asked.target())) {
            return notServed(asked);
        }
        if (isChat(asked.config(), asked.target())) {
            return chat(asked);
        }
        if (ServedPaths.isLive(asked.config(), method, asked.target())) {
            return live(asked);
        }
        if (method.equals(HttpMethod.DELETE)) {
            return stop(asked);
        }
        if (ServedPaths.isFollowed(asked.config(), method, asked.target())) {
            return follow(asked);
        }
        String answerId = ServedPaths.answerId(asked.config(), method, asked.target());
        if (answerId != null) {
            return followAnswer(answerId, asked);
        }
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.HEAD)) {
            return null;
        }
        RequestListener document = document(asked);
        return document != null ? document : page(asked);
    }

    /** Whether a request is one to {@code /chat}. */
    public static boolean isChat(RelayConfig config, Target target) {
        return ServedPaths.isChat(config, target);
    }

    private @Nullable RequestListener document(Asked asked) {
        OwnPaths own = asked.config().ownPaths();
        ClientStream downstream = asked.downstream();
        boolean draining = asked.draining();
        return switch (asked.target().path()) {
            case ServedPaths.HEALTHZ -> own.healthz() ? health(asked) : null;
            case ServedPaths.READYZ ->
                own.readyz() ? text(asked, draining ? 503 : 200, draining ? "draining\n" : "ready\n") : null;
            case ServedPaths.OPENAPI ->
                own.openapi() ? asked.answer(() -> respond(downstream, 200, "application/json", OpenApi.json())) : null;
            case ServedPaths.METRICS -> own.metrics() ? metrics(asked) : null;
            default -> null;
        };
    }

    /**
     * Answers {@code /healthz}. An event loop that relays and can answer is not stuck. The loop that does not relay
     * asks the others.
     */
    private RequestListener health(Asked asked) {
        boolean alive = !asked.downstream().terms().listener().isAdmin() || pulse.isAlive();
        return text(asked, alive ? 200 : 503, alive ? "ok\n" : "stuck\n");
    }

    /**
     * Answers {@code /metrics}, which names all clients. So not every client may read it. On a listener without clients
     * everyone may.
     */
    private RequestListener metrics(Asked asked) {
        Refusal refusal = MetricsAnswer.refusal(asked);
        Consumer<Console.Answer> written = answer -> respond(asked.downstream(), answer);
        return refusal == null ? asked.answer(() -> metrics.write(asked, written)) : asked.refuse(refusal);
    }

    private static @Nullable RequestListener page(Asked asked) {
        String path = asked.target().path();
        if (!asked.config().ownPaths().page() || !Console.owns(path) || asked.isForbidden()) {
            return null;
        }
        ClientStream downstream = asked.downstream();
        String ifNoneMatch = asked.request().headers().get(HttpHeaderNames.IF_NONE_MATCH);
        String model = DefaultModel.of(asked.config());
        return asked.answer(() -> Console.loaded()
                .whenCompleteAsync(
                        (console, failure) -> {
                            if (failure != null) {
                                downstream.reset();
                            } else if (downstream.isActive()) {
                                respond(downstream, console.answer(path, model, ifNoneMatch));
                            }
                        },
                        downstream.eventLoop()));
    }

    /** Shows the requests in progress, or ends one of them. Both are for those who run the relay. */
    private RequestListener live(Asked asked) {
        Refusal refusal = whyNotLive(asked);
        if (refusal != null) {
            return asked.refuse(refusal);
        }
        ClientStream downstream = asked.downstream();
        if (asked.request().method().equals(HttpMethod.DELETE)) {
            String id = asked.target().path().substring(ServedPaths.LIVE.length() + 1);
            return asked.answer(() -> live.stop(
                    id,
                    downstream.eventLoop(),
                    stopped -> onStopped(downstream, stopped ? Streams.Stopped.DONE : Streams.Stopped.NOT_FOUND)));
        }
        return live.watch(downstream, asked.target().query(), asked.done());
    }

    private @Nullable Refusal whyNotLive(Asked asked) {
        Listener listener = asked.downstream().terms().listener();
        boolean proxied = !asked.config().clients().on() && Access.isForwarded(asked.request());
        if (!listener.isAdmin() && (!listener.address().isLocal() || proxied)) {
            return NOT_HERE;
        }
        if (!listener.isAdmin() && !asked.caller().mayReadMetrics()) {
            return asked.caller().refusal() != null ? asked.caller().refusal() : NO_LIVE;
        }
        String violation = asked.access().violationOfOwn(asked.request());
        if (violation != null) {
            return Refusal.of(403, "forbidden_origin", violation);
        }
        return asked.request().method().equals(HttpMethod.GET) ? live.refusal() : null;
    }

    private static void onStopped(ClientStream downstream, Streams.Stopped stopped) {
        if (!downstream.isActive()) {
            return;
        }
        switch (stopped) {
            case DONE -> bare(downstream, new DefaultHttpHeaders());
            case NOT_FOUND -> downstream.respond(404, NO_STREAM, new DefaultHttpHeaders());
            case UNAVAILABLE ->
                downstream.respond(503, NO_ANSWER, new DefaultHttpHeaders().set(HttpHeaderNames.RETRY_AFTER, "1"));
        }
    }

    private @Nullable RequestListener follow(Asked asked) {
        if (asked.isForbidden()) {
            return null;
        }
        if (asked.caller().refusal() != null) {
            return asked.refuse(asked.caller().refusal());
        }
        return streams.follow(asked.streamId(), asked.owner(), asked);
    }

    /** An answer that is not kept here, or not for this client, may be known to its provider. */
    private @Nullable RequestListener followAnswer(String answerId, Asked asked) {
        boolean refused = asked.isForbidden() || asked.caller().refusal() != null;
        return refused ? null : streams.followAnswer(answerId, asked.owner(), asked);
    }

    private @Nullable RequestListener stop(Asked asked) {
        boolean isStream = asked.target().path().startsWith(ServedPaths.STREAMS);
        if (!asked.config().ownPaths().streams() || !isStream || asked.isForbidden()) {
            return null;
        }
        if (asked.caller().refusal() != null) {
            return asked.refuse(asked.caller().refusal());
        }
        byte[] key = asked.owner();
        String id = asked.streamId();
        ClientStream downstream = asked.downstream();
        return asked.answer(
                () -> streams.stop(id, key, downstream.eventLoop(), stopped -> onStopped(downstream, stopped)));
    }

    /**
     * The answer to a request to {@code /chat} that needs no upstream; null if the request needs one. An EventSource
     * that connects again gets the rest of its answer. If there is none, it gets a status that stops it, because a second
     * answer would cost again (WHATWG HTML 9.2.3).
     */
    private @Nullable RequestListener chat(Asked asked) {
        HttpMethod method = asked.request().method();
        ClientStream downstream = asked.downstream();
        var allow = new DefaultHttpHeaders().set(HttpHeaderNames.ALLOW, ChatSide.METHODS);
        if (method.equals(HttpMethod.OPTIONS)) {
            return asked.answer(() -> bare(downstream, allow));
        }
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.POST)) {
            return asked.answer(() -> downstream.respond(405, ChatSide.methodRefused(), allow));
        }
        String last = asked.request().headers().get("last-event-id");
        if (last == null) {
            return null;
        }
        boolean refused = asked.access().violation(asked.request(), true) != null
                || asked.caller().refusal() != null;
        RequestListener rest =
                refused || !asked.config().detaches() ? null : streams.followChat(last, asked.owner(), asked);
        return rest != null ? rest : asked.answer(() -> bare(downstream, new DefaultHttpHeaders()));
    }

    /**
     * Answers 404. The request is not sent to an upstream, because the path may be one of the relay's own that another
     * listener serves.
     */
    private static RequestListener notServed(Asked asked) {
        byte[] json = Dialect.ofPath(asked.target().path())
                .errorBody(404, "not_found", "This address of the relay does not serve this path.", null, null);
        return asked.answer(() -> asked.downstream().respond(404, json, new DefaultHttpHeaders()));
    }

    private static RequestListener text(Asked asked, int status, String text) {
        byte[] body = text.getBytes(StandardCharsets.US_ASCII);
        return asked.answer(() -> respond(asked.downstream(), status, "text/plain; charset=utf-8", body));
    }

    private static void bare(ClientStream downstream, HttpHeaders headers) {
        bare(downstream, new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.NO_CONTENT, headers));
    }

    private static void bare(ClientStream downstream, HttpResponse response) {
        downstream.writeHead(response);
        downstream.end();
    }

    private static void respond(ClientStream downstream, int status, String type, byte[] body) {
        var headers = new DefaultHttpHeaders();
        headers.set(HttpHeaderNames.CONTENT_TYPE, type);
        headers.set("x-content-type-options", "nosniff");
        respond(downstream, new Console.Answer(status, headers, body));
    }

    private static void respond(ClientStream downstream, Console.Answer answer) {
        var status = HttpResponseStatus.valueOf(answer.status());
        var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, status, answer.headers());
        if (answer.status() != HttpResponseStatus.NOT_MODIFIED.code()) {
            response.headers().set(HttpHeaderNames.CONTENT_LENGTH, answer.body().length);
        }
        downstream.writeHead(response);
        downstream.writeBody(Unpooled.wrappedBuffer(answer.body()));
        downstream.end();
    }
}
