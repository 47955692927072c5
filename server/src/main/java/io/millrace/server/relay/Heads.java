package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.access.ClientKey;
import io.millrace.server.config.Credential;
import io.millrace.server.config.Upstream;
import io.millrace.server.http.Head;
import io.millrace.server.http.HeaderRules;
import io.millrace.server.http.Target;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Makes heads of the relay: of the request to the upstream, and of the response to the client. */
final class Heads {
    private static final Set<String> GOOGLE_KEYS = Set.of("key", "access_token");

    private Heads() {}

    /**
     * The head of the request to {@code upstream}.
     *
     * @param knownLength the length of a complete body; -1 if it comes in parts, with the length in the client's head
     * @param mayStream whether the answer may be an event stream; then no content coding is asked for
     */
    static HttpRequest request(
            HttpRequest client, Target target, Upstream upstream, long knownLength, boolean mayStream) {
        HttpHeaders headers = HeaderRules.toUpstream(client.headers(), upstream.credential());
        headers.set(HttpHeaderNames.HOST, upstream.authority());
        if (mayStream) {
            headers.set(HttpHeaderNames.ACCEPT_ENCODING, HttpHeaderValues.IDENTITY);
        } else if (upstream.credential() != null && headers.contains(HttpHeaderNames.ACCEPT_ENCODING)) {
            // An error is searched for the key, so the upstream must not compress it.
            boolean gzip = headers.containsValue(HttpHeaderNames.ACCEPT_ENCODING, HttpHeaderValues.GZIP, true);
            headers.set(HttpHeaderNames.ACCEPT_ENCODING, gzip ? HttpHeaderValues.GZIP : HttpHeaderValues.IDENTITY);
        }
        long length = knownLength < 0 ? HttpUtil.getContentLength(client, -1L) : knownLength;
        if (length > 0 || (length == 0 && expectsBody(client.method()))) {
            headers.set(HttpHeaderNames.CONTENT_LENGTH, length);
        }
        Target asked = sendsKeyInQuery(upstream.credential()) ? target.withoutParameters(GOOGLE_KEYS) : target;
        return Head.ofRequest(client.method(), asked.under(upstream.basePath()), headers);
    }

    /**
     * The head of a request in {@code dialect}, which is not the client's dialect. A key of the client is passed on in
     * the form of this dialect's servers, if it is meant for them.
     *
     * @param keyDialect the dialect of the servers for which the client's own key is meant
     * @param uri path and query of the request
     * @param length the length of the body
     */
    static HttpRequest translated(
            HttpRequest client,
            Target asked,
            Dialect keyDialect,
            Upstream upstream,
            Dialect dialect,
            String uri,
            int length) {
        HttpHeaders headers = HeaderRules.translated(client.headers());
        headers.set(HttpHeaderNames.HOST, upstream.authority());
        headers.set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON);
        headers.set(HttpHeaderNames.CONTENT_LENGTH, length);
        headers.set(HttpHeaderNames.ACCEPT_ENCODING, HttpHeaderValues.IDENTITY);
        if (dialect == Dialect.MESSAGES) {
            headers.set("anthropic-version", "2023-06-01");
        }
        Credential credential = upstream.credential();
        if (credential != null) {
            headers.set(credential.header(), credential.value());
        } else if (dialect == keyDialect) {
            ClientKey.passOn(client.headers(), asked, dialect, headers);
        }
        String path = Target.of(uri).translatedUnder(upstream.basePath(), dialect != Dialect.MESSAGES);
        return Head.ofRequest(HttpMethod.POST, path, headers);
    }

    /** Whether a client of this upstream may have its own key in the query, where the relay's key must not be added. */
    private static boolean sendsKeyInQuery(@Nullable Credential credential) {
        return credential != null && credential.header().equalsIgnoreCase("x-goog-api-key");
    }

    /**
     * The head of an event stream.
     *
     * @param upstream null for a stream that the relay begins itself
     * @param streamId the id by which the client may stop it, or null
     */
    static HttpResponse stream(
            @Nullable HttpResponse upstream,
            @Nullable Credential credential,
            String requestId,
            @Nullable String streamId) {
        HttpHeaders headers = upstream == null
                ? DefaultHttpHeadersFactory.headersFactory().newHeaders()
                : HeaderRules.toClient(upstream.headers(), credential, true);
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
        if (streamId != null) {
            headers.set(HeaderRules.STREAM_ID, streamId);
        }
        return Head.ofResponse(HttpResponseStatus.OK, headers);
    }

    /** The head of a response that is relayed unchanged. */
    static HttpResponse plain(HttpResponse upstream, @Nullable Credential credential, String requestId) {
        HttpHeaders headers = HeaderRules.toClient(upstream.headers(), credential, false);
        headers.set(HeaderRules.OWN_REQUEST_ID, requestId);
        boolean tellsKey = credential != null
                && upstream.status().reasonPhrase().contains(credential.secret().reveal());
        var status = tellsKey ? HttpResponseStatus.valueOf(upstream.status().code()) : upstream.status();
        return Head.ofResponse(status, headers);
    }

    /** Changes {@code head}, which came with one body, to the head of a complete stream. */
    static void ofStreamed(HttpResponse head, String contentType) {
        head.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
        head.headers().set(HttpHeaderNames.CACHE_CONTROL, "no-cache, no-transform");
        head.headers().set(HeaderRules.ACCEL_BUFFERING, "no");
    }

    /**
     * Changes {@code head}, which came with an answer in another dialect, to the head of an answer in the client's.
     *
     * @param dropped the names of the fields that were left out of the request, or null
     */
    static void ofTranslated(HttpResponse head, Dialect client, String contentType, @Nullable String dropped) {
        HttpHeaders headers = head.headers();
        if (dropped != null) {
            headers.add(HeaderRules.DROPPED, dropped);
        }
        headers.set(HttpHeaderNames.CONTENT_TYPE, contentType);
        // The only field that Anthropic's SDKs show. OpenAI's is part of every stream's head.
        if (client == Dialect.MESSAGES && !headers.contains("request-id")) {
            String id = headers.get(HeaderRules.REQUEST_ID, headers.get(HeaderRules.OWN_REQUEST_ID));
            headers.set("request-id", id);
        }
    }

    /**
     * Adds the upstream and the number of attempts to a response's head.
     *
     * @param last whether to tell SDKs not to retry
     */
    static void servedBy(HttpHeaders headers, String upstream, int attempts, boolean last) {
        headers.set(HeaderRules.UPSTREAM, upstream);
        headers.set(HeaderRules.ATTEMPTS, String.valueOf(attempts));
        if (last) {
            headers.set(HeaderRules.SHOULD_RETRY, "false");
        }
    }

    /** Whether {@code head} begins an event stream. Its content type decides, and not the client's request. */
    static boolean isEventStream(HttpResponse head) {
        if (head.status().code() != 200) {
            return false;
        }
        CharSequence essence = HttpUtil.getMimeType(head);
        return essence != null
                && "text/event-stream".equalsIgnoreCase(essence.toString().trim());
    }

    /** Removes the content coding and the length from {@code head}. */
    static void ofInflated(HttpResponse head) {
        head.headers().remove(HttpHeaderNames.CONTENT_ENCODING).remove(HttpHeaderNames.CONTENT_LENGTH);
    }

    /** Whether the body of {@code head} has a content coding, such as gzip. */
    static boolean isCoded(HttpResponse head) {
        String coding = head.headers().get(HttpHeaderNames.CONTENT_ENCODING, "").trim();
        return !coding.isEmpty() && !coding.equalsIgnoreCase("identity");
    }

    private static boolean expectsBody(HttpMethod method) {
        return method.equals(HttpMethod.POST) || method.equals(HttpMethod.PUT) || method.equals(HttpMethod.PATCH);
    }

    /** Whether a request asks for an event stream with {@code Accept}. */
    static boolean acceptsEventStream(HttpHeaders headers) {
        for (String value : headers.getAll(HttpHeaderNames.ACCEPT)) {
            if (value.toLowerCase(Locale.ROOT).contains("text/event-stream")) {
                return true;
            }
        }
        return false;
    }
}
