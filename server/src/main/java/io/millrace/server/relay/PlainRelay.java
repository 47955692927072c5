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
 * A response that is no event stream: status, head and body go to the client as they come. The exception is an error of
 * an upstream that was asked with a key of ours: its body is held, bounded, and searched for that key, because some
 * servers say in it which key they did not like. Confined to its event loop.
 */
final class PlainRelay {
    private static final int MAX_HELD_BYTES = 64 * 1024;
    private static final byte MASK = '*';

    private final DownstreamConnection downstream;
    private final HttpResponse head;
    private final byte[] secret;
    private ByteBuf held;
    private long bodyBytes;

    /** {@code credential} is ours, or null if the client's own was used. */
    PlainRelay(DownstreamConnection downstream, HttpResponse head, Credential credential) {
        this.downstream = downstream;
        this.head = head;
        boolean guarded = credential != null && head.status().code() >= 400;
        secret = guarded ? bytesOf(credential) : null;
        if (guarded) {
            held = Unpooled.buffer(512);
        } else {
            downstream.writeHead(head);
        }
    }

    /** Whether the client has got a part of it, so that no other answer can be given. */
    boolean started() {
        return held == null;
    }

    /** Body bytes written to the client. */
    long bodyBytes() {
        return bodyBytes;
    }

    /** Takes a part of the body; ownership is transferred. What is over the bound of a held body is dropped. */
    void onBody(ByteBuf content) {
        if (held == null) {
            bodyBytes += content.readableBytes();
            downstream.writeBody(content);
            return;
        }
        held.writeBytes(content, Math.min(content.readableBytes(), MAX_HELD_BYTES - held.readableBytes()));
        content.release();
    }

    /** Hands what one read brought to the kernel. */
    void onReadComplete() {
        if (held == null) {
            downstream.flush();
        }
    }

    /** Writes what was held; the caller ends the response. */
    void onBodyEnd() {
        if (held == null) {
            return;
        }
        maskSecret();
        bodyBytes = held.readableBytes();
        head.headers().set(HttpHeaderNames.CONTENT_LENGTH, bodyBytes);
        downstream.writeHead(head);
        downstream.writeBody(held);
        held = null;
    }

    /** Lets go of what is held. */
    void release() {
        if (held != null) {
            held.release();
            held = null;
        }
    }

    private void maskSecret() {
        ByteBuf needle = Unpooled.wrappedBuffer(secret);
        int from = 0;
        int found;
        while ((found = ByteBufUtil.indexOf(needle, held.slice(from, held.writerIndex() - from))) >= 0) {
            for (int i = 0; i < secret.length; i++) {
                held.setByte(from + found + i, MASK);
            }
            from += found + secret.length;
        }
    }

    private static byte[] bytesOf(Credential credential) {
        String value = credential.value();
        return value.substring(credential.prefix().length()).getBytes(StandardCharsets.UTF_8);
    }
}
