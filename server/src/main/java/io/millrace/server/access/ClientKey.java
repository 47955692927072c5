package io.millrace.server.access;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.http.Target;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import io.netty.util.concurrent.FastThreadLocal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Identifies a sender by a salted hash of all keys in its request. The salt belongs to the process, so the hash can
 * only be compared with other hashes of the same process.
 */
public final class ClientKey {
    private static final List<AsciiString> FIELDS = List.of(
            AsciiString.cached("authorization"),
            AsciiString.cached("x-api-key"),
            AsciiString.cached("api-key"),
            AsciiString.cached("x-goog-api-key"));
    private static final AsciiString AUTHORIZATION = FIELDS.get(0);
    private static final String BEARER = "bearer ";
    /** A prefix for the names of clients, so that no key equals a name. */
    private static final byte NAMED = (byte) 0xff;

    private static final int SALT_BYTES = 32;
    private static final byte[] SALT = salt();

    /** Every stream needs a digest. Making a new one each time would cost more than the hash. */
    private static final FastThreadLocal<MessageDigest> DIGEST = new FastThreadLocal<>() {
        @Override
        protected MessageDigest initialValue() throws NoSuchAlgorithmException {
            return MessageDigest.getInstance("SHA-256");
        }
    };

    private ClientKey() {}

    /** The hash of the keys in these fields and in the query. The place of a key does not matter. */
    public static byte[] hash(HttpHeaders headers, Target target) {
        return hash(headers, target, SALT);
    }

    /** The same with a salt that other processes may have too. */
    static byte[] hash(HttpHeaders headers, Target target, byte[] salt) {
        MessageDigest digest = DIGEST.get();
        digest.update(salt);
        for (AsciiString field : FIELDS) {
            Iterator<String> values = headers.valueStringIterator(field);
            while (values.hasNext()) {
                String value = values.next();
                boolean bearer = value.regionMatches(true, 0, BEARER, 0, BEARER.length());
                add(digest, bearer ? value.substring(BEARER.length()).trim() : value);
            }
        }
        if (!target.query().isEmpty()) {
            addParameter(digest, target.query().substring(1));
        }
        return digest.digest();
    }

    /** The hash of a client's name, which is used in place of its keys. */
    static byte[] ofName(byte[] name) {
        return ofName(name, SALT);
    }

    /** The same with a salt that other processes may have too. */
    static byte[] ofName(byte[] name, byte[] salt) {
        MessageDigest digest = DIGEST.get();
        digest.update(salt);
        digest.update(NAMED);
        return digest.digest(name);
    }

    /** Whether there is a key in these fields or in the query. */
    public static boolean isIn(HttpHeaders headers, Target target) {
        return first(headers, target) != null;
    }

    /** Whether two hashes are equal, in a time that does not depend on where they differ. */
    public static boolean same(byte[] one, byte[] other) {
        return MessageDigest.isEqual(one, other);
    }

    /**
     * Adds the client's key, if there is one, to a request for this dialect, in the field that its servers read. A
     * value of {@code Authorization} with another scheme than Bearer is not a key.
     */
    public static void passOn(HttpHeaders client, Target target, Dialect dialect, HttpHeaders upstream) {
        String key = first(client, target);
        if (key != null) {
            upstream.set(dialect.keyHeader(), dialect.keyValue(key));
        }
    }

    private static @Nullable String first(HttpHeaders headers, Target target) {
        for (AsciiString field : FIELDS) {
            String value = headers.get(field);
            if (value == null) {
                continue;
            }
            if (value.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
                return value.substring(BEARER.length()).trim();
            }
            if (!field.equals(AUTHORIZATION)) {
                return value;
            }
        }
        if (!target.query().isEmpty()) {
            for (String parameter : target.query().substring(1).split("&", -1)) {
                if (parameter.startsWith("key=")) {
                    return decoded(parameter.substring("key=".length()));
                }
            }
        }
        return null;
    }

    private static void addParameter(MessageDigest digest, String query) {
        for (String parameter : query.split("&", -1)) {
            if (parameter.startsWith("key=")) {
                add(digest, decoded(parameter.substring("key=".length())));
            }
        }
    }

    private static void add(MessageDigest digest, String key) {
        digest.update(key.getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
    }

    private static String decoded(String value) {
        try {
            return URLDecoder.decode(value, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            return value;
        }
    }

    private static byte[] salt() {
        var salt = new byte[SALT_BYTES];
        new SecureRandom().nextBytes(salt);
        return salt;
    }
}
