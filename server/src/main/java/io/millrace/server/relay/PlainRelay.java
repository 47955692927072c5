package io.millrace.server.relay;

import io.millrace.codec.translate.TranslatedAnswer;
import io.millrace.server.config.Credential;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.http.Inflation;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.SecretMask;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A response that is no event stream: status, head and body go to the client as they come, once it is committed. Until then
 * they are held. Where the upstream was asked with a key of ours, errors and JSON are searched for that key as they pass,
 * because some servers say in an error which key they did not like. An answer to be translated is held to its end.
 * Confined to its event loop.
 */
final class PlainRelay {
    /** So much of a body is held; beyond it the answer must be given, or given up. */
    static final int MAX_HELD_BYTES = 64 * 1024;

    /** The longest body that is translated. */
    static final int MAX_TRANSLATED_BYTES = 32 * 1024 * 1024;

    /** By what key errors begin in JSON. */
    private static final Set<String> ERROR_KEYS = Set.of(
            "error", "errors", "object", "type", "code", "message", "detail", "status", "error_code", "error_type");

    private final ClientStream downstream;
    private final HttpResponse head;
    private final @Nullable SecretMask mask;
    private final @Nullable Inflation inflation;
    private final @Nullable MaskedParts parts;
    private @Nullable Translator translator;
    private final LoopMemory memory;
    private long counted;
    private boolean translated;
    private boolean committed;
    private boolean started;
    private @Nullable ByteBuf held;
    private long bodyBytes;

    /** Makes the client's answer of the upstream's. */
    @FunctionalInterface
    interface Translator {
        /** The answer to {@code body}, which came with {@code status}; null leaves it as it is. No body makes this throw. */
        @Nullable
        TranslatedAnswer translate(int status, byte[] body);
    }

    /**
     * A response whose head has come.
     *
     * @param credential ours, or null if the client's own was used
     * @param translator null if the body is the client's as it is
     * @param inflation takes the body's coding off; null leaves it. It stays with the caller
     * @param memory counts what is held
     */
    PlainRelay(
            ClientStream downstream,
            HttpResponse head,
            @Nullable Credential credential,
            @Nullable Translator translator,
            @Nullable Inflation inflation,
            LoopMemory memory) {
        this.downstream = downstream;
        this.head = head;
        this.translator = translator;
        this.memory = memory;
        this.inflation = inflation;
        boolean searched = translator != null || isSearched(head);
        mask = credential != null && searched ? new SecretMask(credential) : null;
        parts = mask == null ? null : new MaskedParts(mask);
    }

    /** Whether a key of ours is looked for in the body behind {@code head}: in errors, and in all JSON. */
    static boolean isSearched(HttpResponse head) {
        return head.status().code() >= 400 || isJson(head);
    }

    static boolean isJson(HttpResponse head) {
        CharSequence type = HttpUtil.getMimeType(head);
        return type != null
                && "application/json".equalsIgnoreCase(type.toString().trim());
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

    /** What a client gets in its place that cannot have it. */
    Refusal asRefusal() {
        return Refusal.of(502, "upstream_error", "The upstream answered " + status());
    }

    /** Body bytes written to the client. */
    long bodyBytes() {
        return bodyBytes;
    }

    /** What is held of the body, which stays with this; null if nothing is. */
    @Nullable
    ByteBuf held() {
        return held;
    }

    /** Takes a part of the body; ownership is transferred. Throws if its coding is broken, or grows beyond bounds. */
    void onBody(ByteBuf content) {
        if (inflation == null) {
            take(content);
            return;
        }
        try {
            inflation.inflate(content, piece -> take(piece.retain()));
        } finally {
            content.release();
        }
    }

    private void take(ByteBuf content) {
        if (started) {
            write(content);
            return;
        }
        if (held == null) {
            held = Unpooled.buffer(512);
        }
        try {
            held.writeBytes(content);
        } finally {
            content.release();
        }
        count();
    }

    private void write(ByteBuf content) {
        ByteBuf whole = parts == null ? content : parts.add(content);
        bodyBytes += whole.readableBytes();
        downstream.writeBody(whole);
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
        held = Unpooled.wrappedBuffer(answer == null ? body : answer.body());
        if (answer == null) {
            return;
        }
        if (answer.status() != status()) {
            head.setStatus(HttpResponseStatus.valueOf(answer.status()));
            head.headers().set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON);
        }
    }

    /** The client gets what {@code made} makes of the body. */
    void translateBy(Translator made) {
        translator = made;
    }

    /** The client gets the body as it is. */
    void leaveAsItIs() {
        translator = null;
    }

    /** What is held of the body, which becomes the caller's; empty if nothing is. */
    ByteBuf takeHeld() {
        ByteBuf taken = held == null ? Unpooled.EMPTY_BUFFER : held;
        held = null;
        count();
        return taken;
    }

    /** Whether what is held may be the beginning of an error in JSON, alone or in an array: its first key decides. */
    boolean mayBeError() {
        if (held == null) {
            return true;
        }
        int at = held.forEachByte(c -> c <= ' ' || c == '[' || c == '{');
        if (at < 0) {
            return true;
        }
        boolean opened = at > 0 && held.getByte(at) == '"';
        int to = opened ? held.indexOf(at + 1, held.writerIndex(), (byte) '"') : at;
        if (to < 0) {
            return true;
        }
        return opened && ERROR_KEYS.contains(held.toString(at + 1, to - at - 1, StandardCharsets.UTF_8));
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
        if (!started) {
            translate();
            head.headers().set(HttpHeaderNames.CONTENT_LENGTH, held == null ? 0 : held.readableBytes());
            begin();
        }
        if (parts != null && parts.waits()) {
            ByteBuf rest = parts.takeRest();
            bodyBytes += rest.readableBytes();
            downstream.writeBody(rest);
        }
    }

    /** Lets go of what is held. */
    void release() {
        if (held != null) {
            held.release();
            held = null;
        }
        if (parts != null) {
            parts.release();
        }
        count();
    }

    /** Whether the body must be here as a whole before any of it leaves. */
    private boolean isWhole() {
        return translator != null;
    }

    private int limit() {
        return translator == null ? MAX_HELD_BYTES : MAX_TRANSLATED_BYTES;
    }

    private void begin() {
        started = true;
        downstream.writeHead(head);
        if (held != null) {
            write(takeHeld());
        }
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
