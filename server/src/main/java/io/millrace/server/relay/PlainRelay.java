package io.millrace.server.relay;

import io.millrace.codec.dialect.AnswerFacts;
import io.millrace.codec.translate.TranslatedAnswer;
import io.millrace.server.config.Credential;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.http.Inflation;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.SecretMask;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.telemetry.Summary;
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
 * A response that is not an event stream. Once it is committed, status, head and body go to the client as they come.
 * Until then they are held. If the upstream was asked with a key of the relay, errors and JSON are searched for that
 * key as they pass, because some servers repeat a refused key in the error. An answer that is translated is held to its
 * end. Confined to its event loop.
 */
final class PlainRelay {
    /** The most bytes of a body that are held. Beyond that, the answer must be committed or abandoned. */
    static final int MAX_HELD_BYTES = 64 * 1024;

    /** The longest body that is translated. */
    static final int MAX_TRANSLATED_BYTES = 32 * 1024 * 1024;

    /** The first keys of errors in JSON. */
    private static final Set<String> ERROR_KEYS = Set.of(
            "error", "errors", "object", "type", "code", "message", "detail", "status", "error_code", "error_type");

    private final ClientStream downstream;
    private final HttpResponse head;
    private final @Nullable SecretMask mask;
    private final @Nullable Inflation inflation;
    private final @Nullable MaskedParts parts;
    private @Nullable Translator translator;
    private final @Nullable AnswerFacts facts;
    private final LoopMemory memory;
    private long counted;
    private boolean translated;
    private boolean committed;
    private boolean started;
    private @Nullable ByteBuf held;
    private long bodyBytes;

    /** Converts the upstream's answer to the client's. */
    @FunctionalInterface
    interface Translator {
        /**
         * The answer for {@code body}, which came with {@code status}; null keeps it unchanged. No body makes this
         * throw.
         */
        @Nullable
        TranslatedAnswer translate(int status, byte[] body);
    }

    /**
     * Creates a response from its head.
     *
     * @param credential the relay's, or null if the client's own was used
     * @param translator null if the body is passed on unchanged
     * @param inflation removes the body's coding; null keeps it. It remains with the caller
     * @param facts reads the facts in the upstream's body; null if it has none that can be read
     * @param memory counts the held bytes
     */
    PlainRelay(
            ClientStream downstream,
            HttpResponse head,
            @Nullable Credential credential,
            @Nullable Translator translator,
            @Nullable Inflation inflation,
            @Nullable AnswerFacts facts,
            LoopMemory memory) {
        this.downstream = downstream;
        this.head = head;
        this.translator = translator;
        this.facts = facts;
        this.memory = memory;
        this.inflation = inflation;
        boolean searched = translator != null || isSearched(head);
        mask = credential != null && searched ? new SecretMask(credential) : null;
        parts = mask == null ? null : new MaskedParts(mask);
    }

    /** Whether a key of the relay is searched in the body of {@code head}: in errors, and in all JSON. */
    static boolean isSearched(HttpResponse head) {
        return head.status().code() >= 400 || isJson(head);
    }

    static boolean isJson(HttpResponse head) {
        CharSequence type = HttpUtil.getMimeType(head);
        return type != null
                && "application/json".equalsIgnoreCase(type.toString().trim());
    }

    /** Whether the client has a part of it, so that no other answer can be given. */
    boolean started() {
        return started;
    }

    /** Whether it is the client's answer. */
    boolean committed() {
        return committed;
    }

    /** Status and fields for the client. */
    HttpResponse head() {
        return head;
    }

    int status() {
        return head.status().code();
    }

    /** The refusal for a client that cannot get this response. */
    Refusal asRefusal() {
        return Refusal.of(502, "upstream_error", "The upstream answered " + status());
    }

    /** The body bytes written to the client. */
    long bodyBytes() {
        return bodyBytes;
    }

    /** The facts in the upstream's body, as far as it has come. */
    Summary.Whole facts() {
        return facts == null
                ? Summary.Whole.NONE
                : new Summary.Whole(facts.finishReason(), facts.model(), facts.usage());
    }

    /** The held bytes of the body, which remain with this; null if there are none. */
    @Nullable
    ByteBuf held() {
        return held;
    }

    /** Takes a part of the body; ownership is transferred. Throws if its coding is broken, or it grows too much. */
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
        if (facts != null) {
            facts.add(content);
        }
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

    /** The number of held bytes. */
    long counted() {
        return counted;
    }

    /** Whether the limit of held bytes is reached. */
    boolean isFull() {
        return held != null && held.readableBytes() >= limit();
    }

    /** Whether the client's body is a translation. */
    boolean isTranslated() {
        return translator != null;
    }

    /** Translates the held bytes, which are the whole body. */
    void translate() {
        if (translator == null || translated) {
            return;
        }
        translated = true;
        // Before the translation, which may cut a quoted text in the middle of a key.
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

    /** Replaces the body by the result of {@code made}. */
    void translateBy(Translator made) {
        translator = made;
    }

    /** Passes the body on unchanged. */
    void leaveAsItIs() {
        translator = null;
    }

    /** The held bytes of the body, which the caller owns; empty if there are none. */
    ByteBuf takeHeld() {
        ByteBuf taken = held == null ? Unpooled.EMPTY_BUFFER : held;
        held = null;
        count();
        return taken;
    }

    /**
     * Whether the held bytes may be the beginning of an error in JSON, alone or in an array. Their first key decides.
     */
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

    /**
     * Commits this as the client's answer. Held bytes are written, and the rest as it comes, unless it must be
     * searched.
     */
    void commit() {
        committed = true;
        if (!isWhole()) {
            begin();
        }
    }

    /** Flushes the bytes of one read to the kernel. */
    void onReadComplete() {
        if (started) {
            downstream.flush();
        }
    }

    /** Writes the held bytes of a committed response. The caller ends it. */
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

    /** Releases the held bytes. */
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

    /** Whether the body must be complete before any of it is written. */
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
