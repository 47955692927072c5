package io.millrace.server.config;

/**
 * Sizes and counts beyond which a client is refused or an upstream is not read.
 *
 * @param requestLine bytes of a request line
 * @param headerBytes bytes of all header fields of a request
 * @param headerCount header fields of a request
 * @param body bytes of a request body
 * @param pipelined bytes read from a client beyond the request being answered
 * @param connections client connections; 0 is the lesser of 20,000 and 45% of the descriptor limit
 * @param requestsPerConnection requests after which a client connection is closed
 * @param frameHold bytes of a frame that is held whole; longer ones flow through
 * @param highWatermark unsent bytes for a client above which its upstream is not read
 * @param lowWatermark unsent bytes for a client below which its upstream is read again
 * @param bodyRate bytes a second behind which a request body may fall by {@code requestBodyIdle} and no more; 0 is none
 * @param memory bytes that the relay may hold outside of the heap for all clients; 0 is half of what the JVM has there
 */
public record Limits(
        int requestLine,
        int headerBytes,
        int headerCount,
        long body,
        int pipelined,
        int connections,
        int requestsPerConnection,
        int frameHold,
        int highWatermark,
        int lowWatermark,
        int bodyRate,
        long memory) {
    /**
     * 8 KiB, 16 KiB, 100, 32 MiB, 64 KiB, by descriptors, 1,000, 64 KiB, 64 KiB, 32 KiB, 1 KiB a
     * second, and half of what the JVM has.
     */
    public static final Limits DEFAULT =
            new Limits(8192, 16 * 1024, 100, 32L << 20, 64 * 1024, 0, 1000, 64 * 1024, 64 * 1024, 32 * 1024, 1024, 0);

    private static final long MIN_MEMORY = 1 << 20;

    public Limits {
        Checks.range("requestLine", requestLine, 256, 65_536);
        Checks.range("headerBytes", headerBytes, 1024, 1 << 20);
        Checks.range("headerCount", headerCount, 8, 10_000);
        Checks.range("body", body, 0, 1L << 40);
        Checks.range("pipelined", pipelined, 1024, 16 << 20);
        Checks.range("connections", connections, 0, 10_000_000);
        Checks.range("requestsPerConnection", requestsPerConnection, 1, Integer.MAX_VALUE);
        Checks.range("frameHold", frameHold, 4096, 16 << 20);
        Checks.range("highWatermark", highWatermark, 1024, 256 << 20);
        Checks.range("lowWatermark", lowWatermark, 0, 256 << 20);
        Checks.range("bodyRate", bodyRate, 0, 1 << 30);
        Checks.range("memory", memory, 0, 1L << 50);
        if (memory > 0 && memory < MIN_MEMORY) {
            throw new IllegalArgumentException("memory: " + memory + " (expected: 0, or >= " + MIN_MEMORY + ")");
        }
        if (lowWatermark >= highWatermark) {
            throw new IllegalArgumentException(
                    "lowWatermark: " + lowWatermark + " (expected: < highWatermark, " + highWatermark + ")");
        }
    }

    /** This with another {@code requestLine}. */
    public Limits withRequestLine(int requestLine) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }

    /** This with another {@code headerBytes}. */
    public Limits withHeaderBytes(int headerBytes) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }

    /** This with another {@code headerCount}. */
    public Limits withHeaderCount(int headerCount) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }

    /** This with another {@code body}. */
    public Limits withBody(long body) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }

    /** This with another {@code pipelined}. */
    public Limits withPipelined(int pipelined) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }

    /** This with another {@code connections}. */
    public Limits withConnections(int connections) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }

    /** This with another {@code requestsPerConnection}. */
    public Limits withRequestsPerConnection(int requestsPerConnection) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }

    /** This with another {@code frameHold}. */
    public Limits withFrameHold(int frameHold) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }

    /** This with another {@code highWatermark}. */
    public Limits withHighWatermark(int highWatermark) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }

    /** This with another {@code lowWatermark}. */
    public Limits withLowWatermark(int lowWatermark) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }

    /** This with another {@code bodyRate}. */
    public Limits withBodyRate(int bodyRate) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }

    /** This with another {@code memory}. */
    public Limits withMemory(long memory) {
        return new Limits(
                requestLine,
                headerBytes,
                headerCount,
                body,
                pipelined,
                connections,
                requestsPerConnection,
                frameHold,
                highWatermark,
                lowWatermark,
                bodyRate,
                memory);
    }
}
