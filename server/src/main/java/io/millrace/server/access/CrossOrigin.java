package io.millrace.server.access;

import io.millrace.server.config.Cors;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Answers for the pages of other origins (Fetch Standard, section 3.3): preflights, and the fields of every response. */
final class CrossOrigin {
    private static final String METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
    /** The response fields that a page may read in addition to the fields that every page may read. */
    private static final String EXPOSED = String.join(
            ", ",
            "X-Millrace-Request-Id",
            "X-Millrace-Dropped",
            "X-Millrace-Stream",
            "X-Millrace-Resume",
            "X-Millrace-Offset",
            "X-Millrace-Oldest",
            "X-Millrace-Tail",
            "X-Millrace-State",
            "X-Millrace-Upstream",
            "X-Millrace-Attempts",
            "X-Request-Id",
            "Request-Id",
            "Retry-After",
            "Retry-After-Ms");

    private static final Pattern FIELD_NAMES = Pattern.compile("[A-Za-z0-9!#$%&'*+.^_`|~, \\t-]{1,2048}");

    private final Cors cors;

    private CrossOrigin(Cors cors) {
        this.cors = cors;
    }

    /** The rules for pages of other origins; null if the relay does not decide about them. */
    static @Nullable CrossOrigin of(Cors cors) {
        return cors.on() ? new CrossOrigin(cors) : null;
    }

    /** Whether a request is a CORS preflight. */
    static boolean isPreflight(HttpRequest request) {
        return request.method().equals(HttpMethod.OPTIONS)
                && request.headers().contains(HttpHeaderNames.ORIGIN)
                && request.headers().contains(HttpHeaderNames.ACCESS_CONTROL_REQUEST_METHOD);
    }

    /** The answer to a preflight, without a body: 204, or 403 for an origin that is not listed. */
    HttpResponse preflight(HttpRequest request) {
        boolean granted = isGranted(request);
        var response = new DefaultHttpResponse(
                HttpVersion.HTTP_1_1, granted ? HttpResponseStatus.NO_CONTENT : HttpResponseStatus.FORBIDDEN);
        HttpHeaders headers = response.headers();
        if (!granted) {
            headers.set(HttpHeaderNames.CONTENT_LENGTH, 0);
            return response;
        }
        headers.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.set(
                HttpHeaderNames.ACCESS_CONTROL_MAX_AGE,
                Long.toString(cors.maxAge().toSeconds()));
        headers.set(HttpHeaderNames.VARY, "Access-Control-Request-Headers");
        String wanted = request.headers().get(HttpHeaderNames.ACCESS_CONTROL_REQUEST_HEADERS);
        if (wanted != null && FIELD_NAMES.matcher(wanted).matches()) {
            headers.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_HEADERS, wanted);
        }
        return response;
    }

    /** The fields of the response to {@code request} about origins. They replace an upstream's. */
    HttpHeaders grants(HttpRequest request) {
        var headers = new DefaultHttpHeaders();
        if (!cors.any()) {
            headers.set(HttpHeaderNames.VARY, HttpHeaderNames.ORIGIN);
        }
        if (!isGranted(request)) {
            return headers;
        }
        String origin = request.headers().get(HttpHeaderNames.ORIGIN);
        headers.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN, cors.any() ? Cors.ANY : origin);
        headers.set(HttpHeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if (cors.credentials()) {
            headers.set(HttpHeaderNames.ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        return headers;
    }

    /** Whether the page that sent {@code request} may call. */
    boolean isGranted(HttpRequest request) {
        List<String> origins = request.headers().getAll(HttpHeaderNames.ORIGIN);
        return origins.size() == 1 && cors.admits(origins.get(0));
    }
}
