package io.millrace.server.access;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.util.AsciiString;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The relay's own kind of key in one request's head, in one of the places where SDKs put keys. It is removed from the
 * request before other code reads that. Confined to the request's event loop.
 */
final class SentKey {
    private static final AsciiString OWN = AsciiString.cached("x-millrace-key");
    private static final AsciiString AUTHORIZATION = AsciiString.cached("authorization");
    private static final AsciiString[] FIELDS = {
        OWN,
        AUTHORIZATION,
        AsciiString.cached("x-api-key"),
        AsciiString.cached("api-key"),
        AsciiString.cached("x-goog-api-key")
    };
    private static final String PARAMETER = "key";
    private static final String BEARER = "bearer ";

    private final HttpRequest request;
    private @Nullable AsciiString field;
    private @Nullable String text;
    private int start;
    private boolean several;

    private SentKey(HttpRequest request) {
        this.request = request;
    }

    /** Finds texts that may be keys, by their first characters. */
    static SentKey in(HttpRequest request) {
        var sent = new SentKey(request);
        HttpHeaders headers = request.headers();
        for (AsciiString each : FIELDS) {
            if (headers.contains(each)) {
                sent.look(each, headers.valueStringIterator(each));
            }
        }
        sent.lookInQuery();
        return sent;
    }

    /** Whether there is none. */
    boolean isMissing() {
        return text == null;
    }

    /** Whether there is more than one key, or the field with the key occurs twice. */
    boolean isAmbiguous() {
        return several;
    }

    /** The hash of the key; null if it does not have the form of a key. */
    byte @Nullable [] digest() {
        return text == null ? null : KeyFormat.digest(text, start);
    }

    /**
     * Removes the field or parameter with the key from the request, and also the field that is only for the relay's
     * keys.
     */
    void remove() {
        if (field != null) {
            request.headers().remove(field);
        }
        request.headers().remove(OWN);
    }

    /**
     * The place from which a key of the relay's would be passed on, because keys are not read there; null if there is
     * none.
     */
    static @Nullable String strayPlace(HttpRequest request) {
        Iterator<Map.Entry<CharSequence, CharSequence>> fields =
                request.headers().iteratorCharSequence();
        while (fields.hasNext()) {
            var each = fields.next();
            if (KeyFormat.isIn(each.getValue()) || KeyFormat.isIn(each.getKey())) {
                return "a header field that is not for keys";
            }
        }
        String uri = request.uri();
        return KeyFormat.isIn(uri) || (uri.indexOf('%') >= 0 && KeyFormat.isIn(decoded(uri))) ? "the URL" : null;
    }

    private void look(AsciiString name, Iterator<String> values) {
        int count = 0;
        boolean ours = false;
        while (values.hasNext()) {
            String value = values.next();
            count++;
            ours |= take(name, value, name.equals(AUTHORIZATION) ? afterBearer(value) : 0);
        }
        several |= ours && count > 1;
    }

    private boolean take(@Nullable AsciiString name, String value, int from) {
        if (from < 0 || !value.startsWith(KeyFormat.PREFIX, from)) {
            return false;
        }
        several |= text != null;
        field = name;
        text = value;
        start = from;
        return true;
    }

    private static int afterBearer(String value) {
        if (!value.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
            return -1;
        }
        int at = BEARER.length();
        while (at < value.length() && value.charAt(at) == ' ') {
            at++;
        }
        return at;
    }

    /** Removes the parameter with the key from the URL at once. */
    private void lookInQuery() {
        String uri = request.uri();
        int query = uri.indexOf('?');
        if (query < 0 || (uri.indexOf(KeyFormat.PREFIX, query) < 0 && uri.indexOf('%', query) < 0)) {
            return;
        }
        List<String> kept = new ArrayList<>();
        boolean found = false;
        for (String parameter : uri.substring(query + 1).split("&", -1)) {
            int equals = parameter.indexOf('=');
            boolean named =
                    equals >= 0 && decoded(parameter.substring(0, equals)).equals(PARAMETER);
            if (named && take(null, decoded(parameter.substring(equals + 1)), 0)) {
                found = true;
            } else {
                kept.add(parameter);
            }
        }
        if (found) {
            request.setUri(uri.substring(0, query) + (kept.isEmpty() ? "" : "?" + String.join("&", kept)));
        }
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return text;
        }
    }
}
