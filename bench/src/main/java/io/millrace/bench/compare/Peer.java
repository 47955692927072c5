package io.millrace.bench.compare;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What is measured. */
enum Peer {
    /** The mock without anything in front of it: what measuring itself costs. */
    DIRECT("direct"),
    NGINX("nginx"),
    HAPROXY("HAProxy"),
    CADDY("Caddy"),
    FASTAPI("FastAPI"),
    MILLRACE("Millrace"),
    /** Millrace without a hold and without a second attempt: shows the cost of these. It is measured only when it is named. */
    UNGUARDED("Millrace, nothing held"),
    /** Another distribution of Millrace, to see what changes between the two cost. */
    BEFORE("Millrace before");

    private final String label;

    Peer(String label) {
        this.label = label;
    }

    /** The name for people. */
    String label() {
        return label;
    }

    /** The name on the command line. */
    String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    static Peer named(String key) {
        return Arrays.stream(values())
                .filter(peer -> peer.key().equals(key.strip()))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("peer: " + key + " (expected: "
                        + Arrays.stream(values()).map(Peer::key).collect(Collectors.joining(", ")) + ")"));
    }
}
