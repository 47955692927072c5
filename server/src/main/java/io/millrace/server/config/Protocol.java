package io.millrace.server.config;

/** What a client may speak. */
public enum Protocol {
    /** HTTP/2. */
    H2("h2"),
    /** HTTP/1.1, and HTTP/1.0. */
    HTTP_1_1("http/1.1");

    private final String label;

    Protocol(String label) {
        this.label = label;
    }

    /** The name in the configuration and in TLS (ALPN). */
    public String label() {
        return label;
    }
}
