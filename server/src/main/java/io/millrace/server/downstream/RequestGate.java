package io.millrace.server.downstream;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.http.Refusal;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.TooLongHttpHeaderException;
import io.netty.handler.codec.http.TooLongHttpLineException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Accepts only request heads that can be read in exactly one way (RFC 9110, RFC 9112). */
final class RequestGate {
    /** The text for a fault of the relay. Its log says more. */
    static final Refusal FAULT =
            Refusal.of(500, "internal_error", "The relay failed to serve the request. Its log says why.");

    /** What a name may have beside letters, digits and dots (RFC 3986 section 2.3 and 2.2, and percent-encoding). */
    private static final String NAME_MARKS = "-_~!$&'()*+,;=%";

    private static final int MAX_PORT_DIGITS = 5;

    private RequestGate() {}

    /**
     * Whether it is a name, an IPv4 address, or an IPv6 address in brackets (RFC 3986 section 3.2.2), with or without a
     * port.
     */
    private static boolean isHost(String text) {
        boolean inBrackets = text.startsWith("[");
        int start = inBrackets ? 1 : 0;
        int end = start;
        while (end < text.length() && isOfHost(text.charAt(end), inBrackets)) {
            end++;
        }
        if (end == start || (inBrackets && !text.startsWith("]", end))) {
            return false;
        }
        return isEmptyOrPort(text, inBrackets ? end + 1 : end);
    }

    /** Whether a name, or an address in brackets, may have this character. */
    private static boolean isOfHost(char c, boolean inBrackets) {
        if ((c >= '0' && c <= '9') || c == '.') {
            return true;
        }
        char lower = (char) (c | 0x20);
        return inBrackets
                ? (lower >= 'a' && lower <= 'f') || c == ':'
                : (lower >= 'a' && lower <= 'z') || NAME_MARKS.indexOf(c) >= 0;
    }

    /** Whether nothing follows from {@code at}, or only a colon and one to five digits. */
    private static boolean isEmptyOrPort(String text, int at) {
        int digits = text.length() - at - 1;
        if (digits < 0) {
            return true;
        }
        if (text.charAt(at) != ':' || digits == 0 || digits > MAX_PORT_DIGITS) {
            return false;
        }
        for (int i = at + 1; i < text.length(); i++) {
            if (text.charAt(i) < '0' || text.charAt(i) > '9') {
                return false;
            }
        }
        return true;
    }

    /**
     * The body of the answer to {@code request}, in the form that its client expects; null if no request could be read.
     */
    static byte[] json(Refusal refusal, @Nullable HttpRequest request) {
        Dialect shape = Dialect.ofErrorShape(request == null ? "" : request.uri());
        return shape.errorBody(refusal.status(), refusal.code(), refusal.message(), null, null);
    }

    /** The fields of the answer's head that do not come from its body. */
    static HttpHeaders headers(Refusal refusal) {
        var headers = new DefaultHttpHeaders();
        if (refusal.status() == HttpResponseStatus.UPGRADE_REQUIRED.code()) {
            headers.set(HttpHeaderNames.UPGRADE, HttpVersion.HTTP_1_1.text()); // required by RFC 9110 section 15.5.22
        }
        return headers;
    }

    /** Why the head is refused, or null if it is not. */
    static @Nullable Refusal verify(HttpRequest request, int maxHeaders, long maxBodyBytes) {
        if (request.decoderResult().isFailure()) {
            return ofFailure(request.decoderResult().cause());
        }
        Refusal refusal = verifyVersion(request);
        if (refusal == null) {
            refusal = verifyTarget(request);
        }
        if (refusal == null) {
            refusal = verifyHeaders(request, maxHeaders);
        }
        if (refusal == null && HttpUtil.getContentLength(request, 0L) > maxBodyBytes) {
            String message = "The request body is over " + maxBodyBytes + " bytes.";
            refusal = Refusal.of(413, "request_too_large", message);
        }
        return refusal;
    }

    /** The refusal for a failure of the decoder. */
    static Refusal ofFailure(Throwable cause) {
        if (cause instanceof TooLongHttpLineException) {
            return Refusal.of(414, "uri_too_long", "The request line is too long.");
        }
        if (cause instanceof TooLongHttpHeaderException) {
            return Refusal.of(431, "headers_too_large", "The request header fields are too large.");
        }
        if (cause instanceof TooLongFrameException) {
            return Refusal.of(413, "bad_chunks", "The request body is refused: " + cause.getMessage());
        }
        String detail = cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
        return bad("The request is not valid " + (cause instanceof Http2Heads.Malformed ? "HTTP/2: " : "HTTP/1.1: ")
                + detail);
    }

    /**
     * Netty's decoder returns these two constants only for their exact names. For {@code http/1.1} it makes another
     * object, which is equal.
     */
    @SuppressWarnings("ReferenceEquality")
    private static @Nullable Refusal verifyVersion(HttpRequest request) {
        HttpVersion version = request.protocolVersion();
        if (version == HttpVersion.HTTP_1_1 || version == HttpVersion.HTTP_1_0) {
            return null;
        }
        return Refusal.of(
                505, "http_version", "HTTP version " + version + " is not served (expected: HTTP/1.1, in capitals)");
    }

    private static @Nullable Refusal verifyTarget(HttpRequest request) {
        if (request.method().equals(HttpMethod.CONNECT)) {
            return Refusal.of(501, "connect_not_supported", "CONNECT is not supported: this is a relay, not a tunnel.");
        }
        String target = request.uri();
        if (target.equals("*")) {
            return Refusal.of(501, "target_not_supported", "The target * is not supported.");
        }
        for (int i = 0; i < target.length(); i++) {
            char c = target.charAt(i);
            if (c <= 0x20 || c > 0x7e || c == '#' || c == '\\') {
                return bad("The request target has a character that must be percent-encoded, at position " + i + ".");
            }
            if (c == '%' && target.startsWith("%00", i)) {
                return bad("The request target has an encoded NUL, at position " + i + ".");
            }
        }
        if (target.startsWith("/") || target.startsWith("http://") || target.startsWith("https://")) {
            return null;
        }
        return bad("The request target must begin with a slash.");
    }

    private static @Nullable Refusal verifyHeaders(HttpRequest request, int maxHeaders) {
        var headers = request.headers();
        if (headers.size() > maxHeaders) {
            return Refusal.of(431, "too_many_headers", "More than " + maxHeaders + " request header fields.");
        }
        List<String> hosts = headers.getAll(HttpHeaderNames.HOST);
        boolean mayOmitHost = request.protocolVersion().equals(HttpVersion.HTTP_1_0);
        if (hosts.size() > 1 || (hosts.isEmpty() && !mayOmitHost)) {
            return bad("There must be exactly one Host header (found: " + hosts.size() + ").");
        }
        if (!hosts.isEmpty() && !isHost(hosts.get(0))) {
            return bad("The Host header is not a host and port.");
        }
        if (headers.contains(HttpHeaderNames.TRANSFER_ENCODING)) {
            List<String> codings = headers.getAll(HttpHeaderNames.TRANSFER_ENCODING);
            if (codings.size() != 1 || !codings.get(0).trim().equalsIgnoreCase("chunked")) {
                return Refusal.of(501, "transfer_coding", "The only transfer coding served is chunked.");
            }
        }
        if (asksForUpgrade(headers)) {
            // Clients of Responses that try a WebSocket first accept 426 as a refusal. After 501 they try again.
            boolean probe = isWebSocket(headers) && Dialect.ofPath(request.uri()) == Dialect.RESPONSES;
            return Refusal.of(
                    probe ? 426 : 501,
                    "upgrade_not_supported",
                    "Protocol upgrades such as WebSocket are not supported: use the HTTP streaming API.");
        }
        return verifyBody(request);
    }

    /**
     * A client that offers h2c, as java.net.http does by default, continues in HTTP/1.1 if the offer is ignored (RFC
     * 9110 section 7.8).
     */
    private static boolean asksForUpgrade(HttpHeaders headers) {
        String upgrade = headers.get(HttpHeaderNames.UPGRADE);
        return upgrade != null
                && !upgrade.trim().equalsIgnoreCase("h2c")
                && headers.containsValue(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE, true);
    }

    private static boolean isWebSocket(HttpHeaders headers) {
        return headers.containsValue(HttpHeaderNames.UPGRADE, HttpHeaderValues.WEBSOCKET, true);
    }

    private static @Nullable Refusal verifyBody(HttpRequest request) {
        boolean hasBody = HttpUtil.isTransferEncodingChunked(request) || HttpUtil.getContentLength(request, 0L) > 0;
        return hasBody && Http2Heads.isBodiless(request.method()) ? ofBody(request.method()) : null;
    }

    /** The refusal of a body for a request that must not have one. */
    static Refusal ofBody(HttpMethod method) {
        return bad("A " + method + " request must not have a body.");
    }

    private static Refusal bad(String message) {
        return Refusal.of(400, "bad_request", message);
    }
}
