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
 * Who asks, as a number that tells nothing: a hash of all the keys that a request carries. It is salted by the process,
 * so that it can be compared with another one of the same process and nothing else can be learned from it.
 */
public final class ClientKey {
    private static final List<AsciiString> FIELDS = List.of(
            AsciiString.cached("authorization"),
            AsciiString.cached("x-api-key"),
            AsciiString.cached("api-key"),
            AsciiString.cached("x-goog-api-key"));
    private static final AsciiString AUTHORIZATION = FIELDS.get(0);
    private static final String BEARER = "bearer ";
    /** Before the names of clients, so that no key is like a name. */
    private static final byte NAMED = (byte) 0xff;

    private static final int SALT_BYTES = 32;
    private static final byte[] SALT = salt();

    /** Every stream needs one; made anew each time it would cost more than the hash. */
    private static final FastThreadLocal<MessageDigest> DIGEST = new FastThreadLocal<>() {
        @Override
        protected MessageDigest initialValue() throws NoSuchAlgorithmException {
            return MessageDigest.getInstance("SHA-256");
        }
    };

    private ClientKey() {}

    /** The hash of the keys in these fields and in the query. A key counts as the same in whichever place it stands. */
    public static byte[] hash(HttpHeaders headers, Target target) {
        MessageDigest digest = DIGEST.get();
        digest.update(SALT);
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

    /** The same of a client that has a name, which counts in place of its keys. */
    static byte[] ofName(byte[] name) {
        MessageDigest digest = DIGEST.get();
        digest.update(SALT);
        digest.update(NAMED);
        return digest.digest(name);
    }

    /** Whether there is a key in these fields or in the query. */
    public static boolean isIn(HttpHeaders headers, Target target) {
        return first(headers, target) != null;
    }

    /** Whether two hashes are the same, in a time that does not tell where they differ. */
    public static boolean same(byte[] one, byte[] other) {
        return MessageDigest.isEqual(one, other);
    }

    /**
     * Gives an upstream of this dialect the client's key, if there is one, in the field that its servers read. What
     * {@code Authorization} has in another scheme than Bearer is no key.
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
