package io.millrace.server.access;

import io.netty.util.concurrent.FastThreadLocal;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;

/**
 * The form of a client's key: {@code mr_}, 43 characters for 256 random bits, and 6 for the CRC-32 of everything
 * before them, in base 62. The prefix is for scanners that look for secrets. The checksum finds mistyped keys, and
 * saves a hash for texts that are not keys. The SHA-256 of a key is stored. Because a key has 256 random bits, it
 * needs no slow hash.
 */
public final class KeyFormat {
    /** What every key begins with. */
    public static final String PREFIX = "mr_";

    /** Bytes of a stored hash. */
    static final int DIGEST_BYTES = 32;

    private static final int RANDOM_BYTES = 32;
    private static final int RANDOM_CHARS = 43;
    private static final int CHECK_CHARS = 6;
    private static final int CHECKED = PREFIX.length() + RANDOM_CHARS;
    /** Characters of a key. */
    static final int LENGTH = CHECKED + CHECK_CHARS;

    private static final int BASE = 62;
    private static final byte[] DIGITS =
            "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".getBytes(StandardCharsets.US_ASCII);

    /** Every request needs a reader. */
    private static final FastThreadLocal<Scratch> SCRATCH = new FastThreadLocal<>() {
        @Override
        protected Scratch initialValue() throws NoSuchAlgorithmException {
            return new Scratch();
        }
    };

    private KeyFormat() {}

    /** The buffers with which one thread reads keys. */
    private static final class Scratch {
        private final byte[] text = new byte[LENGTH];
        private final byte[] check = new byte[CHECK_CHARS];
        private final CRC32 crc = new CRC32();
        private final MessageDigest sha256 = MessageDigest.getInstance("SHA-256");

        Scratch() throws NoSuchAlgorithmException {}

        /** Reads the characters from {@code start} on; false if they are not a key. */
        boolean read(CharSequence source, int start) {
            if (source.length() - start < LENGTH) {
                return false;
            }
            for (int i = 0; i < LENGTH; i++) {
                char c = source.charAt(start + i);
                boolean fits = i < PREFIX.length() ? c == PREFIX.charAt(i) : isDigit(c);
                if (!fits) {
                    return false;
                }
                text[i] = (byte) c;
            }
            crc.reset();
            crc.update(text, 0, CHECKED);
            write(crc.getValue(), check);
            for (int i = 0; i < CHECK_CHARS; i++) {
                if (text[CHECKED + i] != check[i]) {
                    return false;
                }
            }
            return true;
        }
    }

    /** A new key. */
    public static String generate(SecureRandom random) {
        var bits = new byte[RANDOM_BYTES];
        random.nextBytes(bits);
        var text = new byte[LENGTH];
        System.arraycopy(PREFIX.getBytes(StandardCharsets.US_ASCII), 0, text, 0, PREFIX.length());
        for (int i = CHECKED - 1; i >= PREFIX.length(); i--) {
            text[i] = DIGITS[divide(bits)];
        }
        var crc = new CRC32();
        crc.update(text, 0, CHECKED);
        var check = new byte[CHECK_CHARS];
        write(crc.getValue(), check);
        System.arraycopy(check, 0, text, CHECKED, CHECK_CHARS);
        return new String(text, StandardCharsets.US_ASCII);
    }

    /** Whether this text has the form of a key. */
    public static boolean isKey(CharSequence text) {
        return text.length() == LENGTH && SCRATCH.get().read(text, 0);
    }

    /** Whether there is a key anywhere in this text. */
    static boolean isIn(CharSequence text) {
        if (text.length() < LENGTH) {
            return false;
        }
        String whole = text.toString();
        for (int at = whole.indexOf(PREFIX); at >= 0; at = whole.indexOf(PREFIX, at + 1)) {
            if (SCRATCH.get().read(whole, at)) {
                return true;
            }
        }
        return false;
    }

    /**
     * The stored form of a key: the SHA-256 of its text as 64 hex digits.
     *
     * @throws IllegalArgumentException if it is no key; the message does not hold it
     */
    public static String hash(String key) {
        if (!isKey(key)) {
            throw new IllegalArgumentException("is no key of millrace (expected: mr_ and " + (LENGTH - PREFIX.length())
                    + " letters and digits, as millrace key new prints)");
        }
        return HexFormat.of().formatHex(digest(key, 0));
    }

    /** The SHA-256 of the key that {@code text} contains from {@code start} to its end; null if that is not a key. */
    static byte @Nullable [] digest(String text, int start) {
        Scratch scratch = SCRATCH.get();
        if (text.length() - start != LENGTH || !scratch.read(text, start)) {
            return null;
        }
        scratch.sha256.update(scratch.text, 0, LENGTH);
        return scratch.sha256.digest();
    }

    /** The SHA-256 of some bytes. */
    static byte[] sha256(byte[] bytes) {
        return SCRATCH.get().sha256.digest(bytes);
    }

    private static boolean isDigit(char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }

    /** Divides a long number by {@link #BASE}, and returns the remainder. */
    private static int divide(byte[] number) {
        int rest = 0;
        for (int i = 0; i < number.length; i++) {
            int value = (rest << Byte.SIZE) | (number[i] & 0xff);
            number[i] = (byte) (value / BASE);
            rest = value % BASE;
        }
        return rest;
    }

    private static void write(long number, byte[] digits) {
        long rest = number;
        for (int i = digits.length - 1; i >= 0; i--) {
            digits[i] = DIGITS[(int) (rest % BASE)];
            rest /= BASE;
        }
    }
}
