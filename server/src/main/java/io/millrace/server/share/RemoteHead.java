package io.millrace.server.share;

import java.security.MessageDigest;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * What the store has about a stream, without its bytes.
 *
 * @param owner the key of its client
 * @param once the store's key for the name of its request; empty if the request has no name
 * @param text the text that its node has stored; empty if the stream has not begun
 */
@SuppressWarnings("ArrayRecordComponent") // not compared
record RemoteHead(byte[] owner, String once, String text) {
    /** Parses the text that a {@link Shipment} has written; null if there is none. */
    static @Nullable RemoteHead of(@Nullable Object reply) {
        String all = Entries.text(reply);
        int line = all.indexOf('\n');
        int space = all.indexOf(' ');
        if (space < 0 || line < space) {
            return null;
        }
        try {
            byte[] owner = HexFormat.of().parseHex(all.substring(0, space));
            return new RemoteHead(owner, all.substring(space + 1, line), all.substring(line + 1));
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Whether the stream belongs to the client with this key. */
    boolean isOf(byte[] key) {
        return MessageDigest.isEqual(owner, key);
    }

    boolean hasBegun() {
        return !text.isEmpty();
    }
}
