package io.millrace.codec.translate;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Shorter names for names that are too long for a provider. The same name always has the same short one. */
final class Shortened {
    private static final String CALL = "call_";

    private Shortened() {}

    /** The id of a call, of at most {@code most} characters, which are 40 or more. */
    static String callId(String id, int most) {
        return id.length() <= most ? id : CALL + hash(id).substring(0, Math.min(most, 40) - CALL.length());
    }

    /** An end user's name, of at most 64 characters. */
    static String user(String user) {
        return user.length() <= 64 ? user : hash(user);
    }

    /** A hash of 64 hexadecimal digits. */
    static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }
}
