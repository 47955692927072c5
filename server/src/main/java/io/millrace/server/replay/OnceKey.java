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
 * What a client calls its request by, so that the request is served once however often it is sent ({@code Idempotency-Key}).
 * The name holds for one client and one path. Only a hash of it is kept.
 *
 * @param scope a hash of the client, the path and the key, in hexadecimal digits
 * @param content a hash of the request's query and body, in hexadecimal digits: the same name for other content is an error
 */
public record OnceKey(String scope, String content) {
    /** The field. */
    static final AsciiString FIELD = AsciiString.cached("idempotency-key");

    private static final int SHORTEST = 16;
    private static final int LONGEST = 255;

    /** Whether a request has the field. */
    public static boolean isIn(HttpHeaders headers) {
        return headers.contains(FIELD);
    }

    /** Whether the field is there once, with 16 to 255 visible ASCII characters. */
    public static boolean isValid(HttpHeaders headers) {
        List<String> values = headers.getAll(FIELD);
        String value = values.size() == 1 ? values.get(0) : "";
        return value.length() >= SHORTEST
                && value.length() <= LONGEST
                && value.chars().allMatch(c -> c > ' ' && c < 0x7f);
    }

    /**
     * The name of a request whose field {@link #isValid}.
     *
     * @param owner what only the same client has again
     * @param body all of it; remains with the caller, its indices as they are
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
