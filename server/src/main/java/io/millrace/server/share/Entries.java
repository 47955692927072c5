package io.millrace.server.share;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Parses the store's answers about the entries of a stream. */
final class Entries {
    /** The most digits that every {@code long} has room for. */
    private static final int MOST_DIGITS = 18;

    private static final byte[] NOTHING = new byte[0];

    private Entries() {}

    /**
     * An entry.
     *
     * @param offset the offset behind its bytes; -1 for the end of the stream
     * @param bytes the bytes since the entry before
     * @param seal how the stream ended; null for an entry with bytes
     * @param tail the offset at which it ended
     */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    record Entry(long offset, byte[] bytes, @Nullable String seal, long tail) {
        boolean isEnd() {
            return seal != null;
        }

        /** The offset of the first byte. */
        long start() {
            return offset - bytes.length;
        }
    }

    /** The entries of an answer. Entries that another program has written are left out. */
    static List<Entry> of(@Nullable Object reply) {
        var entries = new ArrayList<Entry>();
        if (reply instanceof List<?> list) {
            for (Object each : list) {
                Entry entry = each instanceof List<?> pair && pair.size() == 2 ? entry(pair) : null;
                if (entry != null) {
                    entries.add(entry);
                }
            }
        }
        return entries;
    }

    /** The last entry of an answer; null if there is none. */
    static @Nullable Entry last(@Nullable Object reply) {
        List<Entry> all = of(reply);
        return all.isEmpty() ? null : all.get(all.size() - 1);
    }

    private static @Nullable Entry entry(List<?> pair) {
        String id = text(pair.get(0));
        if (!(pair.get(1) instanceof List<?> fields) || fields.size() < 2) {
            return null;
        }
        if (!id.equals(StoreKeys.END)) {
            Object bytes = fields.get(1);
            return bytes instanceof byte[] data ? new Entry(offset(id), data, null, 0) : null;
        }
        String tail = fields.size() == 4 ? text(fields.get(3)) : "";
        return new Entry(-1, NOTHING, text(fields.get(1)), number(tail));
    }

    private static long offset(String id) {
        return number(id.endsWith("-0") ? id.substring(0, id.length() - 2) : id);
    }

    /** A number; {@link Long#MAX_VALUE} if it is none. */
    static long number(String text) {
        boolean digits = !text.isEmpty()
                && text.length() <= MOST_DIGITS
                && text.chars().allMatch(each -> each >= '0' && each <= '9');
        return digits ? Long.parseLong(text) : Long.MAX_VALUE;
    }

    /** An answer as text; empty if it is no text. */
    static String text(@Nullable Object reply) {
        return reply instanceof byte[] bytes ? new String(bytes, StandardCharsets.UTF_8) : "";
    }
}
