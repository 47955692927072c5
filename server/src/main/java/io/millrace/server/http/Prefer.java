package io.millrace.server.http;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;

/** What a client would like of the answer (RFC 7240). Preferences that are not known are ignored, as the RFC says. */
public final class Prefer {
    /** The field that says which preferences were followed. */
    public static final AsciiString APPLIED = AsciiString.cached("preference-applied");

    /** The client wants to know where the answer will be, and not to wait for it (RFC 7240 section 4.1). */
    public static final String RESPOND_ASYNC = "respond-async";

    private static final AsciiString PREFER = AsciiString.cached("prefer");

    private Prefer() {}

    /** Whether the client prefers {@link #RESPOND_ASYNC}. */
    public static boolean respondAsync(HttpHeaders headers) {
        for (String field : headers.getAll(PREFER)) {
            for (String preference : field.split(",", -1)) {
                int end = preference.indexOf(';');
                String name = end < 0 ? preference : preference.substring(0, end);
                if (name.strip().equalsIgnoreCase(RESPOND_ASYNC)) {
                    return true;
                }
            }
        }
        return false;
    }
}
