package io.millrace.server.http;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpHeadersFactory;
import io.netty.handler.codec.http.HttpMessage;
import org.jspecify.annotations.Nullable;

/**
 * Header fields as a decoder reads them, validated. They note whether the length of the body occurred more than once,
 * because Netty's decoder keeps one of several {@code Content-Length} fields, and the first one for HTTP/1.0.
 */
public final class ReadFields extends DefaultHttpHeaders {
    /** The factory for a decoder's configuration. */
    public static final HttpHeadersFactory FACTORY = new HttpHeadersFactory() {
        @Override
        public HttpHeaders newHeaders() {
            return new ReadFields();
        }

        @Override
        public HttpHeaders newEmptyHeaders() {
            return new ReadFields();
        }
    };

    private int lengths;

    private ReadFields() {}

    @Override
    public HttpHeaders add(String name, Object value) {
        return add((CharSequence) name, value);
    }

    @Override
    public HttpHeaders add(CharSequence name, Object value) {
        if (HttpHeaderNames.CONTENT_LENGTH.contentEqualsIgnoreCase(name)) {
            lengths += value.toString().indexOf(',') < 0 ? 1 : 2;
        }
        super.add(name, value);
        return this;
    }

    /** Why the fields of {@code head} do not give exactly one length of its body, or null if they do. */
    public static @Nullable String lengthViolation(HttpMessage head) {
        boolean several = head.headers() instanceof ReadFields fields && fields.lengths > 1;
        return several ? "more than one Content-Length" : null;
    }
}
