package io.millrace.server.relay;

import io.millrace.server.access.ClientKey;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The streams of one event loop that clients may stop, by the ids that their clients got. Confined to that event loop.
 */
final class OpenStreams {
    private static final Pattern LOOP = Pattern.compile("([0-9]{1,4})-");
    private static final int ID_BYTES = 12;
    private static final int IDS_PER_FILL = 64;
    private static final byte[] NO_KEY = new byte[0];

    private final String prefix;
    private final Map<String, Stream> streams = new HashMap<>();
    private final SecureRandom random = new SecureRandom();
    private final byte[] bytes = new byte[ID_BYTES * IDS_PER_FILL];
    private int used = bytes.length;

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Stream(BooleanSupplier stop, byte[] key) {}

    /** Creates the list of the event loop with this number. */
    OpenStreams(int loop) {
        prefix = loop + "-";
    }

    /** The event loop in an id, {@code -1} if there is none. */
    static int loopOf(String id) {
        Matcher loop = LOOP.matcher(id);
        return loop.lookingAt() ? Integer.parseInt(loop.group(1)) : -1;
    }

    /**
     * Adds a stream of a client with this key.
     *
     * @param stop ends the stream; returns false if it cannot be ended
     * @return its id, which cannot be guessed
     */
    String add(BooleanSupplier stop, byte[] key) {
        if (used == bytes.length) {
            random.nextBytes(bytes);
            used = 0;
        }
        String id = prefix + HexFormat.of().formatHex(bytes, used, used + ID_BYTES);
        used += ID_BYTES;
        streams.put(id, new Stream(stop, key));
        return id;
    }

    void remove(String id) {
        streams.remove(id);
    }

    /**
     * Stops the stream.
     *
     * @return false if there is no such stream of this key, or it cannot be stopped
     */
    boolean stop(String id, byte[] key) {
        Stream found = streams.get(id);
        boolean same = ClientKey.same(found == null ? NO_KEY : found.key(), key);
        return found != null && same && found.stop().getAsBoolean();
    }

    int size() {
        return streams.size();
    }
}
