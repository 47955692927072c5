package io.millrace.server.balance;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Hashes of what requests have in common. They are the same in every process and on every machine. */
public final class KeyHash {
    private static final long FNV_BASIS = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    /** The keys at which a prompt begins, in the requests of all dialects. */
    private static final List<byte[]> PROMPT_KEYS = List.of(
            ascii("\"messages\":"),
            ascii("\"system\":"),
            ascii("\"instructions\":"),
            ascii("\"input\":"),
            ascii("\"prompt\":"),
            ascii("\"contents\":"));

    private KeyHash() {}

    /** The hash of a header's value, or of a name. */
    public static long of(CharSequence text) {
        long hash = FNV_BASIS;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * FNV_PRIME;
        }
        return mix(hash);
    }

    /**
     * The hash of the beginning of a request's prompt: the bytes from the first key that holds one, or from the
     * beginning of the body if there is none. One SDK writes the keys of its requests in the same order, so the same
     * prefix has the same hash.
     *
     * @param body remains with the caller, its indices are not moved
     * @param bytes how many bytes are hashed
     */
    public static long ofPrompt(ByteBuf body, int bytes) {
        int start = promptStart(body);
        int end = (int) Math.min(body.writerIndex(), (long) start + bytes);
        long hash = FNV_BASIS;
        for (int i = start; i < end; i++) {
            hash = (hash ^ (body.getByte(i) & 0xff)) * FNV_PRIME;
        }
        return mix(hash);
    }

    /** The last step of MurmurHash3 with 64 bits, which spreads every bit over all bits. */
    static long mix(long value) {
        long mixed = (value ^ (value >>> 33)) * 0xff51afd7ed558ccdL;
        mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
        return mixed ^ (mixed >>> 33);
    }

    private static int promptStart(ByteBuf body) {
        int end = body.writerIndex();
        for (int i = body.readerIndex(); i >= 0 && i < end; i++) {
            i = body.indexOf(i, end, (byte) '"');
            if (i < 0) {
                break;
            }
            int value = promptAt(body, i, end);
            if (value > 0) {
                return value;
            }
        }
        return body.readerIndex();
    }

    /** The index after the prompt's key at {@code index}, or -1 if no such key is there. */
    private static int promptAt(ByteBuf body, int index, int end) {
        for (byte[] key : PROMPT_KEYS) {
            if (index + key.length <= end && matches(body, index, key)) {
                return index + key.length;
            }
        }
        return -1;
    }

    private static boolean matches(ByteBuf body, int index, byte[] key) {
        for (int i = 0; i < key.length; i++) {
            if (body.getByte(index + i) != key[i]) {
                return false;
            }
        }
        return true;
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
