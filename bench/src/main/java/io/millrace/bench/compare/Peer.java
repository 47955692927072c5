package io.millrace.bench.compare;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** A target of the comparison. */
enum Peer {
    /** The mock without a target in front of it. It shows what the measurement itself costs. */
    DIRECT("direct"),
    NGINX("nginx"),
    HAPROXY("HAProxy"),
    CADDY("Caddy"),
    FASTAPI("FastAPI"),
    MILLRACE("Millrace"),
    /**
     * Millrace without a hold and without a second attempt. It shows what these cost, and is measured only if it is
     * named.
     */
    UNGUARDED("Millrace, nothing held"),
    /** Another distribution of Millrace, to compare the costs of two versions. */
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
