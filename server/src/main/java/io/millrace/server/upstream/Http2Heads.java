package io.millrace.server.upstream;

import io.millrace.server.http.NameSet;
import io.millrace.server.http.ReadFields;
import io.netty.handler.codec.DecoderResult;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpScheme;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.util.AsciiString;
import java.util.Iterator;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Converts heads between the relay's form, which is HTTP/1.1's, and HTTP/2 (RFC 9113 section 8). */
final class Http2Heads {
    /** Fields that belong to a connection of HTTP/1.1, or that HTTP/2 expresses differently. */
    private static final NameSet NOT_SENT = NameSet.of(
            "connection",
            "host",
            "http2-settings",
            "keep-alive",
            "proxy-connection",
            "te",
            "transfer-encoding",
            "upgrade");
    /**
     * Fields with secrets. Several clients share a connection, and none may guess another client's secret from the
     * length of compressed heads.
     */
    private static final NameSet SECRET =
            NameSet.of("authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "proxy-authorization");

    private Http2Heads() {}

    /** Whether a field is kept out of the table that all requests of a connection share (RFC 7541, section 7.1.3). */
    static boolean isSecret(CharSequence name) {
        return SECRET.contains(name);
    }

    /** Converts the head of {@code request}. Its Host becomes the authority. */
    static Http2Headers request(HttpRequest request, boolean tls) {
        HttpHeaders fields = request.headers();
        var head = new DefaultHttp2Headers(false, fields.size() + 4);
        head.method(request.method().asciiName());
        head.scheme((tls ? HttpScheme.HTTPS : HttpScheme.HTTP).name());
        String host = fields.get(HttpHeaderNames.HOST);
        if (host != null) {
            head.authority(host);
        }
        head.path(request.uri());
        Iterator<Map.Entry<CharSequence, CharSequence>> each = fields.iteratorCharSequence();
        while (each.hasNext()) {
            Map.Entry<CharSequence, CharSequence> field = each.next();
            if (!NOT_SENT.contains(field.getKey())) {
                head.add(AsciiString.of(field.getKey()).toLowerCase(), field.getValue());
            }
        }
        return head;
    }

    /** The response that {@code head} begins. If it is invalid, its decoder result says why. */
    static HttpResponse response(Http2Headers head) {
        HttpHeaders fields = ReadFields.FACTORY.newHeaders();
        int status = status(head.status());
        String violation = status < 0 ? "status: " + head.status() + " (expected: 100 to 599)" : null;
        try {
            for (Map.Entry<CharSequence, CharSequence> field : head) {
                if (!Http2Headers.PseudoHeaderName.hasPseudoHeaderFormat(field.getKey())) {
                    fields.add(field.getKey(), field.getValue());
                }
            }
        } catch (IllegalArgumentException e) {
            violation = e.getMessage();
        }
        var known = HttpResponseStatus.valueOf(status < 0 ? 502 : status);
        var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, known, fields);
        if (violation == null) {
            violation = ReadFields.lengthViolation(response);
        }
        if (violation != null) {
            response.setDecoderResult(DecoderResult.failure(new IllegalArgumentException(violation)));
        }
        return response;
    }

    /** The status; -1 if it is not three digits. */
    private static int status(@Nullable CharSequence text) {
        if (text == null || text.length() != 3) {
            return -1;
        }
        int status = 0;
        for (int i = 0; i < 3; i++) {
            char digit = text.charAt(i);
            if (digit < '0' || digit > '9') {
                return -1;
            }
            status = status * 10 + digit - '0';
        }
        return status;
    }
}
