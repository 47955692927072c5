package io.millrace.server.downstream;

import io.millrace.server.http.ReadFields;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpScheme;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpLineException;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Converts heads between HTTP/2 and the relay's form, which is HTTP/1.1's (RFC 9113 section 8). Fields that belong to
 * a connection of HTTP/1.1 never occur in a request, because Netty's decoder refuses them. They are removed from
 * responses.
 */
final class Http2Heads {
    private static final AsciiString TE = HttpHeaderNames.TE;

    /** A head that is not a valid request. */
    static final class Malformed extends IllegalArgumentException {
        private static final long serialVersionUID = 1;

        Malformed(String message) {
            super(message);
        }
    }

    private Http2Heads() {}

    /**
     * The request that {@code head} makes. If it is invalid, its decoder result says why.
     *
     * @param hasBody whether a body follows, of which the head need not say the length
     * @param maxTarget the most bytes that the target may have
     */
    static HttpRequest request(Http2Headers head, boolean hasBody, int maxTarget) {
        HttpHeaders fields = ReadFields.FACTORY.newHeaders();
        String method = text(head.method());
        String target = text(head.path());
        IllegalArgumentException violation = null;
        try {
            violation = violation(head);
            addFields(head, fields);
        } catch (IllegalArgumentException e) {
            violation = new Malformed(String.valueOf(e.getMessage()));
        }
        var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, method(method), target, fields);
        if (hasBody && !isBodiless(request.method()) && !fields.contains(HttpHeaderNames.CONTENT_LENGTH)) {
            fields.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        if (violation != null) {
            request.setDecoderResult(DecoderResult.failure(violation));
        } else if (target.length() > maxTarget) {
            request.setDecoderResult(DecoderResult.failure(new TooLongHttpLineException()));
        }
        return request;
    }

    /** Whether requests of this kind have no body. An empty body may still follow such a head. */
    static boolean isBodiless(HttpMethod method) {
        return method.equals(HttpMethod.GET) || method.equals(HttpMethod.HEAD) || method.equals(HttpMethod.TRACE);
    }

    /** Converts the head of {@code response}, without the fields that belong to a connection of HTTP/1.1. */
    static Http2Headers response(HttpResponse response) {
        HttpHeaders fields = response.headers();
        var head = new DefaultHttp2Headers(false, fields.size() + 1);
        head.status(response.status().codeAsText());
        Iterator<Map.Entry<CharSequence, CharSequence>> each = fields.iteratorCharSequence();
        while (each.hasNext()) {
            Map.Entry<CharSequence, CharSequence> field = each.next();
            AsciiString name = AsciiString.of(field.getKey()).toLowerCase();
            if (!isOfConnection(name)) {
                head.add(name, field.getValue());
            }
        }
        return head;
    }

    private static @Nullable IllegalArgumentException violation(Http2Headers head) {
        CharSequence scheme = head.scheme();
        boolean connect = HttpMethod.valueOf(text(head.method())).equals(HttpMethod.CONNECT);
        if (!connect && (scheme == null || !isHttp(scheme))) {
            return new Malformed("the scheme is not http or https");
        }
        String path = text(head.path());
        if (!connect && !path.startsWith("/") && !path.equals("*")) {
            return new Malformed("the path does not begin with a slash");
        }
        return null;
    }

    private static void addFields(Http2Headers head, HttpHeaders to) {
        CharSequence authority = head.authority();
        if (authority != null) {
            to.add(HttpHeaderNames.HOST, authority);
        }
        StringBuilder cookie = null;
        for (Map.Entry<CharSequence, CharSequence> field : head) {
            CharSequence name = field.getKey();
            CharSequence value = field.getValue();
            if (Http2Headers.PseudoHeaderName.hasPseudoHeaderFormat(name)) {
                continue;
            }
            if (HttpHeaderNames.COOKIE.contentEquals(name)) {
                cookie = cookie == null ? new StringBuilder() : cookie.append("; ");
                cookie.append(value);
            } else if (HttpHeaderNames.HOST.contentEquals(name) && authority != null) {
                if (!AsciiString.contentEqualsIgnoreCase(authority, value)) {
                    throw new Malformed("host and :authority differ");
                }
            } else if (!TE.contentEquals(name)) {
                to.add(name, value);
            }
        }
        if (cookie != null) {
            to.add(HttpHeaderNames.COOKIE, cookie.toString());
        }
    }

    private static boolean isHttp(CharSequence scheme) {
        return AsciiString.contentEqualsIgnoreCase(HttpScheme.HTTP.name(), scheme)
                || AsciiString.contentEqualsIgnoreCase(HttpScheme.HTTPS.name(), scheme);
    }

    private static boolean isOfConnection(AsciiString name) {
        return name.contentEquals(HttpHeaderNames.CONNECTION)
                || name.contentEquals(HttpHeaderNames.TRANSFER_ENCODING)
                || name.contentEquals(HttpHeaderNames.UPGRADE)
                || name.contentEquals("keep-alive")
                || name.contentEquals("proxy-connection");
    }

    /** The method of a refused head does not matter. */
    private static HttpMethod method(String name) {
        try {
            return HttpMethod.valueOf(name);
        } catch (IllegalArgumentException e) {
            return HttpMethod.GET;
        }
    }

    private static String text(@Nullable CharSequence value) {
        return value == null ? "" : value.toString();
    }
}
