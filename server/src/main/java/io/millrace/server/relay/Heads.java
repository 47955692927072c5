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

/** Makes the heads that the relay sends: the upstream's request and the client's response. */
final class Heads {
    private static final Set<String> GOOGLE_KEYS = Set.of("key", "access_token");

    private Heads() {}

    /**
     * The request for {@code upstream}.
     *
     * @param knownLength the length of a body that is here as a whole, or -1 if it comes in parts, of the length that the client tells
     * @param mayStream whether the answer may be an event stream, for which no content coding is asked
     */
    static HttpRequest request(
            HttpRequest client, Target target, Upstream upstream, long knownLength, boolean mayStream) {
        HttpHeaders headers = HeaderRules.toUpstream(client.headers(), upstream.credential());
        headers.set(HttpHeaderNames.HOST, upstream.authority());
        if (mayStream) {
            headers.set(HttpHeaderNames.ACCEPT_ENCODING, HttpHeaderValues.IDENTITY);
        } else if (upstream.credential() != null && headers.contains(HttpHeaderNames.ACCEPT_ENCODING)) {
            // An error is searched for the key, in whatever coding the upstream answers.
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
     * The request for an {@code upstream} that speaks {@code dialect} and not what its client does. A key of the client's
     * own is passed on in the form that this dialect's servers know, if it is meant for them.
     *
     * @param keyDialect of the servers that the client's own key is meant for
     * @param uri path and query to ask for
     * @param length of the body
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

    /** Whether a client of this upstream may have its own key in the query, where ours must not meet it. */
    private static boolean sendsKeyInQuery(@Nullable Credential credential) {
        return credential != null && credential.header().equalsIgnoreCase("x-goog-api-key");
    }

    /**
     * The head of an event stream.
     *
     * @param upstream null for a stream that the relay begins by itself
     * @param streamId by what its client may stop it, or null
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

    /** The head of a response that is relayed as it is. */
    static HttpResponse plain(HttpResponse upstream, @Nullable Credential credential, String requestId) {
        HttpHeaders headers = HeaderRules.toClient(upstream.headers(), credential, false);
        headers.set(HeaderRules.OWN_REQUEST_ID, requestId);
        boolean tellsKey = credential != null
                && upstream.status().reasonPhrase().contains(credential.secret().reveal());
        var status = tellsKey ? HttpResponseStatus.valueOf(upstream.status().code()) : upstream.status();
        return Head.ofResponse(status, headers);
    }

    /** Makes {@code head}, which came with one body, that of a stream which is here as a whole. */
    static void ofStreamed(HttpResponse head, String contentType) {
        head.headers().set(HttpHeaderNames.CONTENT_TYPE, contentType);
        head.headers().set(HttpHeaderNames.CACHE_CONTROL, "no-cache, no-transform");
        head.headers().set(HeaderRules.ACCEL_BUFFERING, "no");
    }

    /**
     * Makes {@code head}, which came with an answer in another dialect, that of one in the client's.
     *
     * @param dropped names of what was left out of the request, or null
     */
    static void ofTranslated(HttpResponse head, Dialect client, String contentType, @Nullable String dropped) {
        HttpHeaders headers = head.headers();
        if (dropped != null) {
            headers.add(HeaderRules.DROPPED, dropped);
        }
        headers.set(HttpHeaderNames.CONTENT_TYPE, contentType);
        // The only one that Anthropic's SDKs show; OpenAI's is among those of every stream.
        if (client == Dialect.MESSAGES && !headers.contains("request-id")) {
            String id = headers.get(HeaderRules.REQUEST_ID, headers.get(HeaderRules.OWN_REQUEST_ID));
            headers.set("request-id", id);
        }
    }

    /**
     * Says in a response's head which upstream served, and after how many attempts.
     *
     * @param last whether an SDK that retries by itself is told not to
     */
    static void servedBy(HttpHeaders headers, String upstream, int attempts, boolean last) {
        headers.set(HeaderRules.UPSTREAM, upstream);
        headers.set(HeaderRules.ATTEMPTS, String.valueOf(attempts));
        if (last) {
            headers.set(HeaderRules.SHOULD_RETRY, "false");
        }
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

    /** The body behind {@code head} has no content coding any more, and its length is not known. */
    static void ofInflated(HttpResponse head) {
        head.headers().remove(HttpHeaderNames.CONTENT_ENCODING).remove(HttpHeaderNames.CONTENT_LENGTH);
    }

    /** Whether the body behind {@code head} has a content coding, such as gzip. */
    static boolean isCoded(HttpResponse head) {
        String coding = head.headers().get(HttpHeaderNames.CONTENT_ENCODING, "").trim();
        return !coding.isEmpty() && !coding.equalsIgnoreCase("identity");
    }

    private static boolean expectsBody(HttpMethod method) {
        return method.equals(HttpMethod.POST) || method.equals(HttpMethod.PUT) || method.equals(HttpMethod.PATCH);
    }

    /** Whether a request asks for an event stream by its {@code Accept}. */
    static boolean acceptsEventStream(HttpHeaders headers) {
        for (String value : headers.getAll(HttpHeaderNames.ACCEPT)) {
            if (value.toLowerCase(Locale.ROOT).contains("text/event-stream")) {
                return true;
            }
        }
        return false;
    }
}
