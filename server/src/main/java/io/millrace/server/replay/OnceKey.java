package io.millrace.server.replay;

import io.millrace.server.http.Target;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * The name that a client gives to a request with {@code Idempotency-Key}. If the client sends the request again under
 * this name, it is not served again. A name is valid for one client and one path. Only its hash is kept.
 *
 * @param scope a hash of the client, the path and the key, in hexadecimal digits
 * @param content a hash of the request's query and body, in hexadecimal digits; the same name with other content is an
 * error
 */
public record OnceKey(String scope, String content) {
    /** The name of the header field. */
    static final AsciiString FIELD = AsciiString.cached("idempotency-key");

    private static final int SHORTEST = 16;
    private static final int LONGEST = 255;

    /** Whether a request has the field. */
    public static boolean isIn(HttpHeaders headers) {
        return headers.contains(FIELD);
    }

    /** Whether a request has the field once, with 16 to 255 visible ASCII characters. */
    public static boolean isValid(HttpHeaders headers) {
        List<String> values = headers.getAll(FIELD);
        String value = values.size() == 1 ? values.get(0) : "";
        return value.length() >= SHORTEST
                && value.length() <= LONGEST
                && value.chars().allMatch(c -> c > ' ' && c < 0x7f);
    }

    /**
     * The name of a request. Its field must be {@linkplain #isValid valid}.
     *
     * @param owner bytes that identify the client: the same for all its requests, and different for each client
     * @param body the whole body; remains with the caller, and its indices do not change
     */
    public static OnceKey of(HttpHeaders headers, byte[] owner, Target target, ByteBuf body) {
        MessageDigest digest = digest();
        digest.update(owner);
        digest.update(target.path().getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
        digest.update(headers.get(FIELD).getBytes(StandardCharsets.US_ASCII));
        String scope = HexFormat.of().formatHex(digest.digest());
        digest.update(target.query().getBytes(StandardCharsets.UTF_8));
        digest.update((byte) 0);
        for (var part : body.nioBuffers()) {
            digest.update(part);
        }
        return new OnceKey(scope, HexFormat.of().formatHex(digest.digest()));
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }
}
