package io.millrace.server.relay;

import io.millrace.server.config.Upstream;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;

/** Makes the heads that the relay sends: the upstream's request and the client's response. */
final class Heads {
    private Heads() {}

    /**
     * The request for {@code upstream}.
     *
     * @param knownLength the length of a body that is here as a whole, or -1 to frame it as the client did
     * @param mayStream whether the answer may be an event stream, for which no content coding is asked
     */
    static HttpRequest request(
            HttpRequest client, Target target, Upstream upstream, long knownLength, boolean mayStream) {
        HttpHeaders headers = HeaderRules.toUpstream(client.headers(), upstream.credential());
        headers.set(HttpHeaderNames.HOST, upstream.authority());
        if (mayStream) {
            headers.set(HttpHeaderNames.ACCEPT_ENCODING, HttpHeaderValues.IDENTITY);
        }
        if (knownLength > 0 || (knownLength == 0 && expectsBody(client.method()))) {
            headers.set(HttpHeaderNames.CONTENT_LENGTH, knownLength);
        } else if (knownLength < 0 && HttpUtil.isContentLengthSet(client)) {
            headers.set(HttpHeaderNames.CONTENT_LENGTH, HttpUtil.getContentLength(client));
        } else if (knownLength < 0 && HttpUtil.isTransferEncodingChunked(client)) {
            headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        return new DefaultHttpRequest(
                HttpVersion.HTTP_1_1, client.method(), target.under(upstream.basePath()), headers);
    }

    /** The head of an event stream; {@code upstream} is null for one that the relay begins by itself. */
    static HttpResponse stream(HttpResponse upstream, boolean injected, String requestId) {
        HttpHeaders headers = upstream == null
                ? DefaultHttpHeadersFactory.headersFactory().newHeaders()
                : HeaderRules.toClient(upstream.headers(), injected, true);
        if (!headers.contains(HttpHeaderNames.CONTENT_TYPE)) {
            headers.set(HttpHeaderNames.CONTENT_TYPE, "text/event-stream; charset=utf-8");
        }
        headers.set(HttpHeaderNames.CACHE_CONTROL, "no-cache, no-transform");
        headers.set(HeaderRules.ACCEL_BUFFERING, "no");
        headers.set("x-content-type-options", "nosniff");
        if (!headers.contains(HeaderRules.REQUEST_ID)) {
            headers.set(HeaderRules.REQUEST_ID, requestId);
        }
        headers.set(HeaderRules.OWN_REQUEST_ID, requestId);
        return new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK, headers);
    }

    /** The head of a response that is relayed as it is. */
    static HttpResponse plain(HttpResponse upstream, boolean injected, String requestId) {
        HttpHeaders headers = HeaderRules.toClient(upstream.headers(), injected, false);
        headers.set(HeaderRules.OWN_REQUEST_ID, requestId);
        return new DefaultHttpResponse(HttpVersion.HTTP_1_1, upstream.status(), headers);
    }

    /** Whether {@code head} begins an event stream: decided by its type, never by what the client asked for. */
    static boolean isEventStream(HttpResponse head) {
        if (head.status().code() != 200) {
            return false;
        }
        CharSequence essence = HttpUtil.getMimeType(head);
        return essence != null
                && "text/event-stream".equalsIgnoreCase(essence.toString().trim());
    }

    private static boolean expectsBody(HttpMethod method) {
        return method.equals(HttpMethod.POST) || method.equals(HttpMethod.PUT) || method.equals(HttpMethod.PATCH);
    }
}
