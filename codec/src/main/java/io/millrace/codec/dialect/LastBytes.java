package io.millrace.codec.dialect;

import io.netty.buffer.ByteBuf;

/** Keeps the last 8 KiB of a frame that comes in pieces, and finds values in them without the beginning. */
final class LastBytes {
    private static final int CAPACITY = 8 * 1024;

    private final byte[] bytes = new byte[CAPACITY];
    private int length;

    /** Adds a piece. Only the last 8 KiB are kept. */
    void add(ByteBuf buf, int start, int end) {
        int added = Math.min(end - start, CAPACITY);
        int kept = Math.min(length, CAPACITY - added);
        System.arraycopy(bytes, length - kept, bytes, 0, kept);
        buf.getBytes(end - added, bytes, kept, added);
        length = kept + added;
    }

    /** Whether the bytes end like a frame whose data is an object, with or without its line end. */
    boolean endObject() {
        int at = length;
        while (at > 0 && bytes[at - 1] <= ' ' && bytes[at - 1] >= 0) {
            at--;
        }
        return at > 0 && bytes[at - 1] == '}';
    }

    /** This thread's cursor on the kept bytes. */
    JsonCursor cursor() {
        return InspectorScratch.cursor(bytes, 0, length);
    }

    /**
     * Moves before the last object that is the value of {@code quotedKey} in the tail; {@code false} if there is none.
     */
    static boolean findLastObject(JsonCursor tail, byte[] quotedKey) {
        for (int at = tail.end(); (at = lastKey(tail, at, quotedKey)) >= 0; ) {
            if (tail.objectAhead()) {
                return true;
            }
        }
        return false;
    }

    /** Moves before the value of the last {@code quotedKey} in the tail; {@code false} if there is none. */
    static boolean findLastValue(JsonCursor tail, byte[] quotedKey) {
        return lastKey(tail, tail.end(), quotedKey) >= 0;
    }

    /** Returns the index of the last {@code quotedKey} before {@code limit}, and moves before its value. */
    private static int lastKey(JsonCursor tail, int limit, byte[] quotedKey) {
        byte[] bytes = tail.bytes();
        for (int at = limit - quotedKey.length; at >= tail.start(); at--) {
            if (FieldLines.startsWith(bytes, at, tail.end(), quotedKey)) {
                tail.moveTo(at + quotedKey.length);
                int colon = tail.position();
                if (colon < tail.end() && bytes[colon] == ':') {
                    tail.moveTo(colon + 1);
                    return at;
                }
            }
        }
        return -1;
    }
}
