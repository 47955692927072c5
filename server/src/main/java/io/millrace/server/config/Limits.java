package io.millrace.server.config;

/**
 * Limits of sizes and counts. Beyond them, a client is refused or an upstream is not read.
 *
 * @param requestLine bytes of a request line
 * @param headerBytes bytes of all header fields of a request
 * @param headerCount header fields of a request
 * @param body bytes of a request body
 * @param pipelined bytes read from a client beyond the current request
 * @param connections client connections; 0 means the least of 20,000, 45% of the descriptor limit, and one for each 24
 *     KiB of the heap
 * @param connectionsPerAddress client connections of one public address; 0 means no limit
 * @param handshakes TLS handshakes with clients in progress
 * @param streams requests in progress; 0 means the lesser of 45% of the descriptor limit and one for each 24 KiB of the
 *     heap
 * @param streamsPerAddress requests in progress of one public address; 0 means no limit
 * @param requestsPerConnection requests after which a client connection is closed
 * @param frameHold bytes of a frame that is held until it is complete; longer frames are passed on in pieces
 * @param highWatermark unsent bytes for a client above which its upstream is not read
 * @param lowWatermark unsent bytes for a client below which its upstream is read again
 * @param bodyRate the least rate of a request body in bytes per second; a body may fall behind it by {@code
 *     requestBodyIdle}; 0 means none
 * @param memory bytes that the relay may hold outside of the heap for all clients; 0 means half of the JVM's limit
 */
public record Limits(
        int requestLine,
        int headerBytes,
        int headerCount,
        long body,
        int pipelined,
        int connections,
        int connectionsPerAddress,
        int handshakes,
        int streams,
        int streamsPerAddress,
        int requestsPerConnection,
        int frameHold,
        int highWatermark,
        int lowWatermark,
        int bodyRate,
        long memory)
        implements Settings<Limits, Limits.Builder> {
    /**
     * 8 KiB, 16 KiB, 100, 32 MiB, 64 KiB, by descriptors and heap, 1,024, 512, by descriptors and heap, 512, 1,000, 64 KiB, 64 KiB, 32 KiB, 1 KiB a
     * second, and half of what the JVM has.
     */
    public static final Limits DEFAULT = Builders.build(Limits.class, new Builder());

    private static final long MIN_MEMORY = 1 << 20;

    public Limits {
        Checks.range("requestLine", requestLine, 256, 65_536);
        Checks.range("headerBytes", headerBytes, 1024, 1 << 20);
        Checks.range("headerCount", headerCount, 8, 10_000);
        Checks.range("body", body, 0, 1L << 40);
        Checks.range("pipelined", pipelined, 1024, 16 << 20);
        Checks.range("connections", connections, 0, 10_000_000);
        Checks.range("connectionsPerAddress", connectionsPerAddress, 0, 10_000_000);
        Checks.range("handshakes", handshakes, 1, 10_000_000);
        Checks.range("streams", streams, 0, 10_000_000);
        Checks.range("streamsPerAddress", streamsPerAddress, 0, 10_000_000);
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

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public int requestLine = 8192;
        public int headerBytes = 16 * 1024;
        public int headerCount = 100;
        public long body = 32L << 20;
        public int pipelined = 64 * 1024;
        public int connections;
        public int connectionsPerAddress = 1024;
        public int handshakes = 512;
        public int streams;
        public int streamsPerAddress = 512;
        public int requestsPerConnection = 1000;
        public int frameHold = 64 * 1024;
        public int highWatermark = 64 * 1024;
        public int lowWatermark = 32 * 1024;
        public int bodyRate = 1024;
        public long memory;
    }
}
