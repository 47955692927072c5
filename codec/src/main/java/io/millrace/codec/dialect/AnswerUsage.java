package io.millrace.codec.dialect;

import static io.millrace.codec.dialect.FrameInspector.ascii;

import io.netty.buffer.ByteBuf;

/**
 * Reads the token counts of an answer in one JSON body, as it passes. Only the last 8 KiB are kept: in every dialect the
 * counts come after the text. One per answer, not thread-safe.
 */
public final class AnswerUsage {
    private static final byte[] USAGE = ascii("\"usage\"");
    private static final byte[] USAGE_METADATA = ascii("\"usageMetadata\"");

    private final Dialect dialect;
    private final LastBytes tail = new LastBytes();

    /** No bytes of an answer in this dialect. */
    public AnswerUsage(Dialect dialect) {
        this.dialect = dialect;
    }

    /** Adds the readable bytes of a part of the body. The buffer stays with the caller. */
    public void add(ByteBuf content) {
        tail.add(content, content.readerIndex(), content.writerIndex());
    }

    /** The counts of what was added; {@link Usage#NONE} if there are none. */
    public Usage usage() {
        return switch (dialect) {
            case CHAT -> read(USAGE, ChatInspector.USAGE_KEYS);
            case RESPONSES -> read(USAGE, ResponsesInspector.USAGE_KEYS);
            case MESSAGES -> read(USAGE, MessagesInspector.USAGE_KEYS);
            case GEMINI -> read(USAGE_METADATA, GeminiInspector.USAGE_KEYS);
            case UNKNOWN -> Usage.NONE;
        };
    }

    private Usage read(byte[] quotedKey, UsageKeys keys) {
        JsonCursor cursor = tail.cursor();
        var numbers = new StreamNumbers();
        if (LastBytes.findLastObject(cursor, quotedKey)) {
            keys.read(cursor, numbers);
        }
        return numbers.usage();
    }
}
