package io.millrace.server.downstream;

import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.List;

/** The fields of a response about the origins whose pages may read it. */
final class OriginFields {
    private static final List<CharSequence> NAMES = List.of(
            HttpHeaderNames.ACCESS_CONTROL_ALLOW_ORIGIN,
            HttpHeaderNames.ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HttpHeaderNames.ACCESS_CONTROL_EXPOSE_HEADERS);

    private OriginFields() {}

    /**
     * Replaces the fields of {@code headers} about origins by those of {@code added}, and adds the fields that they
     * name to {@code Vary}.
     */
    static void set(HttpHeaders added, HttpHeaders headers) {
        String vary = added.get(HttpHeaderNames.VARY);
        if (vary != null) {
            headers.add(HttpHeaderNames.VARY, vary);
        }
        for (CharSequence name : NAMES) {
            String value = added.get(name);
            if (value != null) {
                headers.set(name, value);
            } else {
                headers.remove(name);
            }
        }
    }
}
