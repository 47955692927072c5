package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.http.Head;
import io.millrace.server.http.HeaderRules;
import io.netty.handler.codec.http.DefaultHttpHeadersFactory;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.util.AsciiString;
import java.util.List;

/**
 * What is kept of the head of a stream, for those who read it later.
 *
 * @param id of the stream
 * @param status of the first head: 200 but for an answer that failed and was kept for who comes for it
 * @param dialect of the request, in which errors are told
 * @param passed fields of the first head that each head has again
 */
record LogHead(String id, int status, Dialect dialect, HttpHeaders passed) {
    private static final List<AsciiString> PASSED = List.of(
            HttpHeaderNames.CONTENT_TYPE,
            HttpHeaderNames.RETRY_AFTER,
            HeaderRules.REQUEST_ID,
            AsciiString.cached("request-id"),
            HeaderRules.UPSTREAM);

    /** Of a stream that begins with {@code head}. */
    static LogHead of(String id, Dialect dialect, HttpResponse head) {
        return of(id, head.status().code(), dialect, head.headers());
    }

    /** Of an answer with these fields. */
    static LogHead of(String id, int status, Dialect dialect, HttpHeaders headers) {
        HttpHeaders passed = DefaultHttpHeadersFactory.headersFactory().newEmptyHeaders();
        for (AsciiString name : PASSED) {
            String value = headers.get(name);
            if (value != null) {
                passed.set(name, value);
            }
        }
        return new LogHead(id, status, dialect, passed);
    }

    /** Whether the answer is an error. */
    boolean isFailure() {
        return status >= 400;
    }

    /** Whether it is an event stream, of which frames can be told apart. */
    boolean hasFrames() {
        return passed.get(HttpHeaderNames.CONTENT_TYPE, "").regionMatches(true, 0, "text/event-stream", 0, 17);
    }

    /** The head of a response that is a part of the stream. */
    HttpResponse again(String requestId) {
        HttpHeaders headers =
                DefaultHttpHeadersFactory.headersFactory().newHeaders().set(passed);
        headers.set(HttpHeaderNames.CACHE_CONTROL, "no-store, no-transform");
        headers.set(HeaderRules.ACCEL_BUFFERING, "no");
        headers.set("x-content-type-options", "nosniff");
        headers.set(HeaderRules.OWN_REQUEST_ID, requestId);
        headers.set(HeaderRules.STREAM_ID, id);
        return Head.ofResponse(HttpResponseStatus.valueOf(status), headers);
    }
}
