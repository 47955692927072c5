package io.millrace.server.relay;

import io.millrace.server.access.ClientKey;
import io.millrace.server.access.CrossOrigin;
import io.millrace.server.access.OpenGuard;
import io.millrace.server.chat.ChatSide;
import io.millrace.server.chat.OpenApi;
import io.millrace.server.config.OwnPaths;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.console.Console;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestListener;
import io.millrace.server.http.Target;
import io.millrace.server.telemetry.Metrics;
import io.millrace.server.telemetry.Outcome;
import io.netty.buffer.Unpooled;
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

/** What the relay answers without an upstream: preflights, its own documents and page, stops, and who connects again. */
final class OwnEndpoints {
    private static final String STREAMS = "/millrace/streams/";

    private final Metrics metrics;
    private final List<RelayLoop> loops;

    /** {@code loops} by their numbers. */
    OwnEndpoints(Metrics metrics, List<RelayLoop> loops) {
        this.metrics = metrics;
        this.loops = loops;
    }

    /** Who answers the request, or null if an upstream is to be asked. */
    RequestListener answer(
            RelayLoop loop,
            RelaySettings current,
            ClientStream downstream,
            HttpRequest request,
            Target target,
            boolean draining) {
        HttpMethod method = request.method();
        CrossOrigin crossOrigin = CrossOrigin.of(current.config().cors());
        if (crossOrigin != null && CrossOrigin.isPreflight(request)) {
            return local(loop, downstream, () -> bare(downstream, crossOrigin.preflight(request)));
        }
        if (isChat(current.config(), target)) {
            return chat(loop, downstream, request);
        }
        if (method.equals(HttpMethod.DELETE)) {
            return stopRequest(loop, current, downstream, request, target);
        }
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.HEAD)) {
            return null;
        }
        RequestListener document = document(loop, current.config().ownPaths(), downstream, target, draining);
        return document != null ? document : page(loop, current, downstream, request, target);
    }

    /** Whether a request is one to {@code /chat}. */
    static boolean isChat(RelayConfig config, Target target) {
        return config.ownPaths().chat() && target.path().equals(ChatSide.PATH);
    }

    private RequestListener document(
            RelayLoop loop, OwnPaths own, ClientStream downstream, Target target, boolean draining) {
        return switch (target.path()) {
            case "/healthz" -> own.healthz() ? text(loop, downstream, 200, "ok\n") : null;
            case "/readyz" ->
                own.readyz() ? text(loop, downstream, draining ? 503 : 200, draining ? "draining\n" : "ready\n") : null;
            case "/openapi.json" ->
                own.openapi()
                        ? local(loop, downstream, () -> respond(downstream, 200, "application/json", OpenApi.json()))
                        : null;
            case "/metrics" ->
                own.metrics()
                        ? local(loop, downstream, () -> respond(downstream, 200, Metrics.CONTENT_TYPE, metrics.text()))
                        : null;
            default -> null;
        };
    }

    /** Where keys are added, a page of another name may not be the relay's. */
    private static RequestListener page(
            RelayLoop loop, RelaySettings current, ClientStream downstream, HttpRequest request, Target target) {
        boolean wanted = current.config().ownPaths().page() && Console.owns(target.path());
        if (!wanted || isForbidden(current.config(), request)) {
            return null;
        }
        String ifNoneMatch = request.headers().get(HttpHeaderNames.IF_NONE_MATCH);
        return local(
                loop,
                downstream,
                () -> Console.loaded()
                        .whenCompleteAsync(
                                (console, failure) -> {
                                    if (failure != null) {
                                        downstream.reset();
                                    } else if (downstream.isActive()) {
                                        respond(downstream, console.answer(target.path(), ifNoneMatch));
                                    }
                                },
                                loop.eventLoop()));
    }

    private static boolean isForbidden(RelayConfig config, HttpRequest request) {
        return config.injectsCredentials() && OpenGuard.violation(request, config, false) != null;
    }

    /** A page of another origin may not stop the streams that are paid for with the relay's own keys. */
    private RequestListener stopRequest(
            RelayLoop loop, RelaySettings current, ClientStream downstream, HttpRequest request, Target target) {
        boolean wanted = current.config().ownPaths().streams() && target.path().startsWith(STREAMS);
        if (!wanted || isForbidden(current.config(), request)) {
            return null;
        }
        String id = target.path().substring(STREAMS.length());
        int owner = OpenStreams.loopOf(id);
        return new StopExchange(
                downstream,
                loop,
                owner >= 0 && owner < loops.size() ? loops.get(owner) : null,
                id,
                ClientKey.hash(request.headers(), target));
    }

    /**
     * What a request to {@code /chat} gets without an upstream: an EventSource that connects again is told to stop, for
     * another answer would be paid for again (WHATWG HTML 9.2.3). Null if it is to be answered.
     */
    private static RequestListener chat(RelayLoop loop, ClientStream downstream, HttpRequest request) {
        HttpMethod method = request.method();
        var allow = new DefaultHttpHeaders().set(HttpHeaderNames.ALLOW, ChatSide.METHODS);
        if (method.equals(HttpMethod.OPTIONS)) {
            return local(loop, downstream, () -> bare(downstream, allow));
        }
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.POST)) {
            return local(loop, downstream, () -> downstream.respond(405, ChatSide.methodRefused(), allow));
        }
        boolean again = request.headers().contains("last-event-id");
        return again ? local(loop, downstream, () -> bare(downstream, new DefaultHttpHeaders())) : null;
    }

    private RequestListener text(RelayLoop loop, ClientStream downstream, int status, String text) {
        byte[] body = text.getBytes(StandardCharsets.US_ASCII);
        return local(loop, downstream, () -> respond(downstream, status, "text/plain; charset=utf-8", body));
    }

    private static RequestListener local(RelayLoop loop, ClientStream downstream, Runnable answer) {
        return new LocalExchange(downstream, answer, () -> loop.counters().endedLocally(Outcome.LOCAL.label()));
    }

    private static void bare(ClientStream downstream, HttpHeaders headers) {
        bare(downstream, new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.NO_CONTENT, headers));
    }

    private static void bare(ClientStream downstream, HttpResponse response) {
        downstream.writeHead(response);
        downstream.end();
    }

    private static void respond(ClientStream downstream, int status, String type, byte[] body) {
        var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status));
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
        response.headers().set(HttpHeaderNames.CONTENT_LENGTH, body.length);
        response.headers().set("x-content-type-options", "nosniff");
        downstream.writeHead(response);
        downstream.writeBody(Unpooled.wrappedBuffer(body));
        downstream.end();
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
