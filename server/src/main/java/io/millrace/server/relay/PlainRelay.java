package io.millrace.server.relay;

import io.millrace.codec.translate.TranslatedAnswer;
import io.millrace.server.config.Credential;
import io.millrace.server.downstream.DownstreamConnection;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;

/**
 * A response that is no event stream: status, head and body go to the client as they come, once it is committed. Until then
 * they are held. An error of an upstream that was asked with a key of ours is held to its end, bounded, and searched for
 * that key, because some servers say in it which key they did not like. An answer to be translated is held to its end and
 * searched, too, whatever its status. Confined to its event loop.
 */
final class PlainRelay {
    /** So much of a body is held; beyond it the answer must be given, or given up. */
    static final int MAX_HELD_BYTES = 64 * 1024;

    /** The longest body that is translated. */
    static final int MAX_TRANSLATED_BYTES = 32 * 1024 * 1024;

    private final DownstreamConnection downstream;
    private final HttpResponse head;
    private final SecretMask mask;
    private final Translator translator;
    private final LoopMemory memory;
    private long counted;
    private boolean translated;
    private boolean committed;
    private boolean started;
    private ByteBuf held;
    private long bodyBytes;

    /** Makes the client's answer of the upstream's. */
    @FunctionalInterface
    interface Translator {
        /** The answer to {@code body}, which came with {@code status}; no body makes this throw. */
        TranslatedAnswer translate(int status, byte[] body);
    }

    /**
     * A response whose head has come.
     *
     * @param credential ours, or null if the client's own was used
     * @param translator null if the body is the client's as it is
     * @param memory counts what is held
     */
    PlainRelay(
            DownstreamConnection downstream,
            HttpResponse head,
            Credential credential,
            Translator translator,
            LoopMemory memory) {
        this.downstream = downstream;
        this.head = head;
        this.translator = translator;
        this.memory = memory;
        boolean searched =
                credential != null && (translator != null || head.status().code() >= 400);
        mask = searched ? new SecretMask(credential) : null;
    }

    /** Whether the client has got a part of it, so that no other answer can be given. */
    boolean started() {
        return started;
    }

    /** Whether it is the client's answer. */
    boolean committed() {
        return committed;
    }

    /** Status and fields, as far as they are the client's to know. */
    HttpResponse head() {
        return head;
    }

    int status() {
        return head.status().code();
    }

    /** Body bytes written to the client. */
    long bodyBytes() {
        return bodyBytes;
    }

    /** What is held of the body, which stays with this; null if nothing is. */
    ByteBuf held() {
        return held;
    }

    /** Takes a part of the body; ownership is transferred. What is over the bound of a body that is searched is dropped. */
    void onBody(ByteBuf content) {
        if (started) {
            bodyBytes += content.readableBytes();
            downstream.writeBody(content);
            return;
        }
        if (held == null) {
            held = Unpooled.buffer(512);
        }
        int length = content.readableBytes();
        held.writeBytes(content, isWhole() ? Math.min(length, limit() - held.readableBytes()) : length);
        content.release();
        count();
    }

    /** Bytes that are held. */
    long counted() {
        return counted;
    }

    /** Whether all is held that may be. */
    boolean isFull() {
        return held != null && held.readableBytes() >= limit();
    }

    /** Whether the client's body is made of the upstream's. */
    boolean isTranslated() {
        return translator != null;
    }

    /** Makes the client's answer of what is held, which is the whole body. */
    void translate() {
        if (translator == null || translated) {
            return;
        }
        translated = true;
        // Before, since a translation may cut what it quotes in the middle of a key.
        maskHeld();
        byte[] body = held == null ? new byte[0] : ByteBufUtil.getBytes(held);
        release();
        TranslatedAnswer answer = translator.translate(status(), body);
        held = Unpooled.wrappedBuffer(answer.body());
        if (answer.status() != status()) {
            head.setStatus(HttpResponseStatus.valueOf(answer.status()));
            head.headers().set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON);
        }
    }

    /** Whether what is held begins as JSON does, or nothing is held yet. */
    boolean mayBeJson() {
        if (held == null) {
            return true;
        }
        int at = held.forEachByte(c -> c <= ' ');
        return at < 0 || held.getByte(at) == '{' || held.getByte(at) == '[';
    }

    /** This is the client's answer: what is held goes to it, and the rest as it comes, unless it is to be searched. */
    void commit() {
        committed = true;
        if (!isWhole()) {
            begin();
        }
    }

    /** Hands what one read brought to the kernel. */
    void onReadComplete() {
        if (started) {
            downstream.flush();
        }
    }

    /** Writes what is still held of a committed response; the caller ends it. */
    void onBodyEnd() {
        if (started) {
            return;
        }
        translate();
        maskHeld();
        head.headers().set(HttpHeaderNames.CONTENT_LENGTH, held == null ? 0 : held.readableBytes());
        begin();
    }

    /** Lets go of what is held. */
    void release() {
        if (held != null) {
            held.release();
            held = null;
        }
        count();
    }

    /** Whether the body must be here as a whole before any of it leaves. */
    private boolean isWhole() {
        return mask != null || translator != null;
    }

    private int limit() {
        return translator == null ? MAX_HELD_BYTES : MAX_TRANSLATED_BYTES;
    }

    private void begin() {
        started = true;
        downstream.writeHead(head);
        if (held != null) {
            bodyBytes += held.readableBytes();
            downstream.writeBody(held);
            held = null;
        }
        count();
    }

    private void count() {
        long now = held == null ? 0 : held.capacity();
        if (now != counted) {
            memory.add(Held.ANSWERS, now - counted);
            counted = now;
        }
    }

    private void maskHeld() {
        if (mask != null && held != null) {
            mask.apply(held);
        }
    }
}
