package io.millrace.server.balance;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Hashes of what requests have in common: the same in every process and on every machine. */
public final class KeyHash {
    private static final long FNV_BASIS = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;

    /** Where a prompt begins, in the dialects' requests. */
    private static final List<byte[]> PROMPT_KEYS = List.of(
            ascii("\"messages\":"),
            ascii("\"system\":"),
            ascii("\"instructions\":"),
            ascii("\"input\":"),
            ascii("\"prompt\":"),
            ascii("\"contents\":"));

    private KeyHash() {}

    /** Of a header's value, or a name. */
    public static long of(CharSequence text) {
        long hash = FNV_BASIS;
        for (int i = 0; i < text.length(); i++) {
            hash = (hash ^ text.charAt(i)) * FNV_PRIME;
        }
        return mix(hash);
    }

    /**
     * Of the beginning of a request's prompt: the bytes from the first key that holds one, or of the body if none does.
     * Requests that one SDK makes write their keys in the same order, so that the same prefix gives the same hash.
     *
     * @param body remains with the caller, its indices unchanged
     * @param bytes how many count
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

    /** The last step of MurmurHash3's 64 bits, which spreads every bit over all. */
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

    /** Behind the key at {@code index}, or -1 if none is there. */
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
