package io.millrace.server.relay;

import io.millrace.server.config.Credential;
import io.millrace.server.downstream.DownstreamConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import java.nio.charset.StandardCharsets;

/**
 * An error body of an upstream that was asked with a key of ours: held whole, bounded, and searched, because some
 * servers say in it which key they did not like.
 */
final class KeyedErrorBody {
    private static final int MAX_BYTES = 64 * 1024;
    private static final byte MASK = '*';

    private final HttpResponse head;
    private final byte[] secret;
    private final ByteBuf bytes = Unpooled.buffer(512);

    KeyedErrorBody(HttpResponse head, Credential credential) {
        this.head = head;
        secret = credential.value().substring(credential.prefix().length()).getBytes(StandardCharsets.UTF_8);
    }

    /** Takes a part; ownership is transferred. What is over the bound is dropped. */
    void add(ByteBuf part) {
        bytes.writeBytes(part, Math.min(part.readableBytes(), MAX_BYTES - bytes.readableBytes()));
        part.release();
    }

    /** Writes the head and what was held, the key masked; returns the number of bytes. */
    int writeTo(DownstreamConnection downstream) {
        maskSecret();
        int length = bytes.readableBytes();
        head.headers().set(HttpHeaderNames.CONTENT_LENGTH, length);
        downstream.writeHead(head);
        downstream.writeBody(bytes.retain());
        return length;
    }

    void release() {
        bytes.release();
    }

    private void maskSecret() {
        ByteBuf needle = Unpooled.wrappedBuffer(secret);
        int index;
        while ((index = ByteBufUtil.indexOf(needle, bytes)) >= 0) {
            for (int i = 0; i < secret.length; i++) {
                bytes.setByte(index + i, MASK);
            }
        }
    }
}
