package io.millrace.server.http;

import io.millrace.server.config.Credential;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;

/**
 * Overwrites a key of the relay in the texts of an upstream. Some upstreams repeat a wrong key in their error.
 * Immutable.
 */
public final class SecretMask {
    private static final byte MASK = '*';

    private final String secret;
    private final byte[] bytes;

    /** Hides the key of {@code credential}, without the prefix in its header. */
    public SecretMask(Credential credential) {
        secret = credential.value().substring(credential.prefix().length());
        bytes = secret.getBytes(StandardCharsets.UTF_8);
    }

    /** Overwrites each occurrence of the key in the readable bytes. Their number does not change. */
    public void apply(ByteBuf buf) {
        ByteBuf needle = Unpooled.wrappedBuffer(bytes);
        int from = buf.readerIndex();
        int found;
        while ((found = ByteBufUtil.indexOf(needle, buf.slice(from, buf.writerIndex() - from))) >= 0) {
            for (int i = 0; i < bytes.length; i++) {
                buf.setByte(from + found + i, MASK);
            }
            from += found + bytes.length;
        }
    }

    /** How many of the last readable bytes may be the beginning of a key that continues in later bytes. */
    public int begunIn(ByteBuf buf) {
        for (int length = Math.min(bytes.length - 1, buf.readableBytes()); length > 0; length--) {
            int from = buf.writerIndex() - length;
            int same = 0;
            while (same < length && buf.getByte(from + same) == bytes[same]) {
                same++;
            }
            if (same == length) {
                return length;
            }
        }
        return 0;
    }

    /** The text without the key. */
    public String apply(String text) {
        return text.replace(secret, "*".repeat(bytes.length));
    }
}
