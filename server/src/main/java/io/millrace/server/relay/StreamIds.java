package io.millrace.server.relay;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Makes ids of streams, which cannot be guessed. Confined to an event loop. */
final class StreamIds {
    private static final int ID_BYTES = 12;
    private static final int IDS_PER_FILL = 64;

    private final String prefix;
    private final SecureRandom random = new SecureRandom();
    private final byte[] bytes = new byte[ID_BYTES * IDS_PER_FILL];
    private int used = bytes.length;

    /** All begin with {@code prefix}. */
    StreamIds(String prefix) {
        this.prefix = prefix;
    }

    String next() {
        if (used == bytes.length) {
            random.nextBytes(bytes);
            used = 0;
        }
        String id = prefix + HexFormat.of().formatHex(bytes, used, used + ID_BYTES);
        used += ID_BYTES;
        return id;
    }
}
