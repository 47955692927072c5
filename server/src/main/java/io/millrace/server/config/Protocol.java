package io.millrace.server.config;

import org.jspecify.annotations.Nullable;

/** A protocol of clients. */
public enum Protocol {
    /** HTTP/2. */
    H2("h2"),
    /** HTTP/1.1, and HTTP/1.0. */
    HTTP_1_1("http/1.1");

    private final String label;

    Protocol(String label) {
        this.label = label;
    }

    /** The protocol of an ALPN name. A client without ALPN speaks HTTP/1.1. */
    public static Protocol named(@Nullable String label) {
        return H2.label.equals(label) ? H2 : HTTP_1_1;
    }

    /** The name in the configuration and in TLS (ALPN). */
    public String label() {
        return label;
    }
}
