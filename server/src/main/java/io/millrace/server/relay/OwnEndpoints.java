package io.millrace.server.relay;

import io.millrace.server.access.ClientKey;
import io.millrace.server.access.CrossOrigin;
import io.millrace.server.access.OpenGuard;
import io.millrace.server.chat.ChatSide;
import io.millrace.server.chat.OpenApi;
import io.millrace.server.config.OwnPaths;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.console.Console;
import io.millrace.server.downstream.DownstreamConnection;
import io.millrace.server.downstream.DownstreamExchange;
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
    DownstreamExchange answer(
            RelayLoop loop,
            RelaySettings current,
            DownstreamConnection connection,
            HttpRequest request,
            Target target,
            boolean draining) {
        HttpMethod method = request.method();
        CrossOrigin crossOrigin = CrossOrigin.of(current.config().cors());
        if (crossOrigin != null && CrossOrigin.isPreflight(request)) {
            return local(loop, connection, () -> bare(connection, crossOrigin.preflight(request)));
        }
        if (isChat(current.config(), target)) {
            return chat(loop, connection, request);
        }
        if (method.equals(HttpMethod.DELETE)) {
            return stopRequest(loop, current, connection, request, target);
        }
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.HEAD)) {
            return null;
        }
        DownstreamExchange document = document(loop, current.config().ownPaths(), connection, target, draining);
        return document != null ? document : page(loop, current, connection, request, target);
    }

    /** Whether a request is one to {@code /chat}. */
    static boolean isChat(RelayConfig config, Target target) {
        return config.ownPaths().chat() && target.path().equals(ChatSide.PATH);
    }

    private DownstreamExchange document(
            RelayLoop loop, OwnPaths own, DownstreamConnection connection, Target target, boolean draining) {
        return switch (target.path()) {
            case "/healthz" -> own.healthz() ? text(loop, connection, 200, "ok\n") : null;
            case "/readyz" ->
                own.readyz() ? text(loop, connection, draining ? 503 : 200, draining ? "draining\n" : "ready\n") : null;
            case "/openapi.json" ->
                own.openapi()
                        ? local(loop, connection, () -> respond(connection, 200, "application/json", OpenApi.json()))
                        : null;
            case "/metrics" ->
                own.metrics()
                        ? local(loop, connection, () -> respond(connection, 200, Metrics.CONTENT_TYPE, metrics.text()))
                        : null;
            default -> null;
        };
    }

    /** Where keys are added, a page of another name may not be the relay's. */
    private static DownstreamExchange page(
            RelayLoop loop,
            RelaySettings current,
            DownstreamConnection connection,
            HttpRequest request,
            Target target) {
        boolean wanted = current.config().ownPaths().page() && Console.owns(target.path());
        if (!wanted || isForbidden(current.config(), request)) {
            return null;
        }
        String ifNoneMatch = request.headers().get(HttpHeaderNames.IF_NONE_MATCH);
        return local(
                loop,
                connection,
                () -> Console.loaded()
                        .whenCompleteAsync(
                                (console, failure) -> {
                                    if (failure != null) {
                                        connection.reset();
                                    } else if (connection.channel().isActive()) {
                                        respond(connection, console.answer(target.path(), ifNoneMatch));
                                    }
                                },
                                loop.eventLoop()));
    }

    private static boolean isForbidden(RelayConfig config, HttpRequest request) {
        return config.injectsCredentials() && OpenGuard.violation(request, config, false) != null;
    }

    /** A page of another origin may not stop the streams that are paid for with the relay's own keys. */
    private DownstreamExchange stopRequest(
            RelayLoop loop,
            RelaySettings current,
            DownstreamConnection connection,
            HttpRequest request,
            Target target) {
        boolean wanted = current.config().ownPaths().streams() && target.path().startsWith(STREAMS);
        if (!wanted || isForbidden(current.config(), request)) {
            return null;
        }
        String id = target.path().substring(STREAMS.length());
        int owner = OpenStreams.loopOf(id);
        return new StopExchange(
                connection,
                loop,
                owner >= 0 && owner < loops.size() ? loops.get(owner) : null,
                id,
                ClientKey.hash(request.headers(), target));
    }

    /**
     * What a request to {@code /chat} gets without an upstream: an EventSource that connects again is told to stop, for
     * another answer would be paid for again (WHATWG HTML 9.2.3). Null if it is to be answered.
     */
    private static DownstreamExchange chat(RelayLoop loop, DownstreamConnection connection, HttpRequest request) {
        HttpMethod method = request.method();
        var allow = new DefaultHttpHeaders().set(HttpHeaderNames.ALLOW, ChatSide.METHODS);
        if (method.equals(HttpMethod.OPTIONS)) {
            return local(loop, connection, () -> bare(connection, allow));
        }
        if (!method.equals(HttpMethod.GET) && !method.equals(HttpMethod.POST)) {
            return local(loop, connection, () -> connection.respond(405, ChatSide.methodRefused(), allow));
        }
        boolean again = request.headers().contains("last-event-id");
        return again ? local(loop, connection, () -> bare(connection, new DefaultHttpHeaders())) : null;
    }

    private DownstreamExchange text(RelayLoop loop, DownstreamConnection connection, int status, String text) {
        byte[] body = text.getBytes(StandardCharsets.US_ASCII);
        return local(loop, connection, () -> respond(connection, status, "text/plain; charset=utf-8", body));
    }

    private static DownstreamExchange local(RelayLoop loop, DownstreamConnection connection, Runnable answer) {
        return new LocalExchange(connection, answer, () -> loop.counters().endedLocally(Outcome.LOCAL.label()));
    }

    private static void bare(DownstreamConnection connection, HttpHeaders headers) {
        bare(connection, new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.NO_CONTENT, headers));
    }

    private static void bare(DownstreamConnection connection, HttpResponse response) {
        connection.writeHead(response);
        connection.endResponse();
    }

    private static void respond(DownstreamConnection connection, int status, String type, byte[] body) {
        var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status));
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, type);
        response.headers().set(HttpHeaderNames.CONTENT_LENGTH, body.length);
        response.headers().set("x-content-type-options", "nosniff");
        connection.writeHead(response);
        connection.writeBody(Unpooled.wrappedBuffer(body));
        connection.endResponse();
    }

    private static void respond(DownstreamConnection connection, Console.Answer answer) {
        var status = HttpResponseStatus.valueOf(answer.status());
        var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, status, answer.headers());
        if (answer.status() != HttpResponseStatus.NOT_MODIFIED.code()) {
            response.headers().set(HttpHeaderNames.CONTENT_LENGTH, answer.body().length);
        }
        connection.writeHead(response);
        connection.writeBody(Unpooled.wrappedBuffer(answer.body()));
        connection.endResponse();
    }
}
