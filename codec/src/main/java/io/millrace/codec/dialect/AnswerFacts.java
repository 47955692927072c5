package io.millrace.codec.dialect;

import static io.millrace.codec.dialect.FrameInspector.ascii;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Reads the token counts, the finish reason and the model of an answer in one JSON body, as it passes. Only the first 2
 * KiB and the last 8 KiB are kept: in every dialect the text is between these facts. One per answer, not thread-safe.
 */
public final class AnswerFacts {
    private static final int HEAD = 2 * 1024;
    private static final byte[] USAGE = ascii("\"usage\"");
    private static final byte[] USAGE_METADATA = ascii("\"usageMetadata\"");
    private static final byte[] FINISH_REASON = ascii("\"finish_reason\"");
    private static final byte[] STOP_REASON = ascii("\"stop_reason\"");
    private static final byte[] GEMINI_FINISH_REASON = ascii("\"finishReason\"");
    private static final byte[] MODEL_VERSION = ascii("\"modelVersion\"");
    private static final byte[] MODEL = ascii("model");
    private static final byte[] STATUS = ascii("status");
    private static final byte[] INCOMPLETE_DETAILS = ascii("incomplete_details");
    private static final byte[] REASON = ascii("reason");

    private final Dialect dialect;
    private final byte[] head = new byte[HEAD];
    private final LastBytes tail = new LastBytes();
    private int headLength;

    /** No bytes of an answer in this dialect. */
    public AnswerFacts(Dialect dialect) {
        this.dialect = dialect;
    }

    /** Adds the readable bytes of a part of the body. The buffer stays with the caller. */
    public void add(ByteBuf content) {
        int added = Math.min(HEAD - headLength, content.readableBytes());
        content.getBytes(content.readerIndex(), head, headLength, added);
        headLength += added;
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

    /** The upstream's word for why the answer ended, of the last choice; null if there is none. */
    public @Nullable String finishReason() {
        return switch (dialect) {
            case CHAT -> inTail(FINISH_REASON);
            case RESPONSES -> status();
            case MESSAGES -> inTail(STOP_REASON);
            case GEMINI -> inTail(GEMINI_FINISH_REASON);
            case UNKNOWN -> null;
        };
    }

    /** The model that has answered; null if the beginning of the body does not tell. */
    public @Nullable String model() {
        return switch (dialect) {
            case CHAT, RESPONSES, MESSAGES -> inHead(MODEL);
            case GEMINI -> inTail(MODEL_VERSION);
            case UNKNOWN -> null;
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

    private @Nullable String inTail(byte[] quotedKey) {
        JsonCursor cursor = tail.cursor();
        return LastBytes.findLastValue(cursor, quotedKey) && cursor.readString() ? cursor.token(null) : null;
    }

    private @Nullable String inHead(byte[] key) {
        JsonCursor cursor = InspectorScratch.cursor(head, 0, headLength);
        return find(cursor, key) && cursor.readString() ? cursor.token(null) : null;
    }

    /** The status of a response, with the reason if it is incomplete, as in the stream of one. */
    private @Nullable String status() {
        String status = inHead(STATUS);
        if (!"incomplete".equals(status)) {
            return status;
        }
        JsonCursor cursor = InspectorScratch.cursor(head, 0, headLength);
        boolean told = find(cursor, INCOMPLETE_DETAILS) && find(cursor, REASON) && cursor.readString();
        return told ? status + ':' + cursor.token(null) : status;
    }

    /** Enters the next value, and moves to the value of a key in it. */
    private static boolean find(JsonCursor cursor, byte[] key) {
        if (cursor.enterObject()) {
            while (cursor.nextKey()) {
                if (cursor.tokenIs(key)) {
                    return true;
                }
                cursor.skipValue();
            }
        }
        return false;
    }
}
