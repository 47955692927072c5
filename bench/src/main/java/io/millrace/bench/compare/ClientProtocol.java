package io.millrace.bench.compare;

/** The protocol of the clients. */
enum ClientProtocol {
    HTTP1("HTTP/1.1"),
    HTTP1_TLS("HTTP/1.1 with TLS"),
    HTTP2_TLS("HTTP/2 with TLS");

    private final String label;

    ClientProtocol(String label) {
        this.label = label;
    }

    /** The name for people. */
    String label() {
        return label;
    }

    boolean tls() {
        return this != HTTP1;
    }

    /** How many connections carry that many streams. Over HTTP/2, a hundred streams share one connection. */
    int connections(int streams) {
        return this == HTTP2_TLS ? Math.max(1, streams / 100) : streams;
    }
}
