package io.millrace.codec.dialect;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Reads Messages events. Its SDKs ignore a frame without an {@code event:} line, so an error without one is a hidden
 * error.
 */
final class MessagesInspector extends StreamInspector {
    private static final byte[] TYPE = ascii("type");
    private static final byte[] DELTA = ascii("delta");
    private static final byte[] CONTENT_BLOCK = ascii("content_block");
    private static final byte[] MESSAGE = ascii("message");
    private static final byte[] USAGE = ascii("usage");
    private static final byte[] ERROR = ascii("error");
    private static final byte[] MODEL = ascii("model");
    private static final byte[] TEXT = ascii("text");
    private static final byte[] THINKING = ascii("thinking");
    private static final byte[] PARTIAL_JSON = ascii("partial_json");
    private static final byte[] SIGNATURE_DELTA = ascii("signature_delta");
    private static final byte[] COMPACTION = ascii("compaction");
    private static final byte[] FALLBACK = ascii("fallback");
    private static final byte[] STOP_REASON = ascii("stop_reason");
    private static final byte[] INDEX = ascii("index");
    private static final byte[] CONTENT_BLOCK_START = ascii("content_block_start");
    private static final byte[] CONTENT_BLOCK_STOP = ascii("content_block_stop");
    private static final byte[] PING = ascii("ping");
    private static final byte[] MESSAGE_STOP = ascii("message_stop");
    private static final byte[] QUOTED_USAGE = ascii("\"usage\"");
    static final UsageKeys USAGE_KEYS = new UsageKeys()
            .number("input_tokens", FrameShape.INPUT_TOKENS)
            .number("output_tokens", FrameShape.OUTPUT_TOKENS)
            .number("cache_read_input_tokens", FrameShape.CACHED_TOKENS)
            .number("cache_creation_input_tokens", FrameShape.CACHE_WRITE_TOKENS)
            .object("output_tokens_details", new UsageKeys().number("thinking_tokens", FrameShape.REASONING_TOKENS));

    private boolean output;
    private boolean says;
    private boolean ping;
    private boolean stop;
    private boolean errorEvent;
    private boolean blockStart;
    private boolean blockStop;
    private int indexAt;

    private boolean started;
    // The open blocks, as a bit set that begins at the first open block.
    private long openBlocks;
    private long firstOpenBlock;

    MessagesInspector() {
        super(Dialect.MESSAGES);
    }

    @Override
    void beginFrame() {
        output = false;
        says = false;
        ping = false;
        stop = false;
        errorEvent = false;
        blockStart = false;
        blockStop = false;
        indexAt = -1;
    }

    @Override
    void scan(JsonCursor json) {
        while (json.nextKey()) {
            if (json.tokenIs(TYPE)) {
                scanType(json);
            } else if (json.tokenIs(DELTA)) {
                says = true;
                scanDelta(json);
            } else if (json.tokenIs(INDEX)) {
                says = true;
                indexAt = json.position();
                json.ignoreValue();
            } else if (json.tokenIs(CONTENT_BLOCK)) {
                markSingular();
                scanBlock(json);
            } else if (json.tokenIs(MESSAGE) && json.objectAhead()) {
                says = true;
                started = true;
                scanMessage(json);
            } else if (json.tokenIs(USAGE)) {
                says = true;
                USAGE_KEYS.read(json, numbers);
            } else if (json.tokenIs(ERROR)) {
                takeError(json);
            } else {
                passOver(json);
            }
        }
    }

    @Override
    boolean saysNothing() {
        return !says && !ping && !stop;
    }

    @Override
    boolean seesErrorEvents() {
        return true;
    }

    @Override
    void settle(JsonCursor json, byte[] bytes, int eventFrom, int eventTo) {
        errorEvent = isErrorEvent(bytes, eventFrom, eventTo);
        super.settle(json, bytes, eventFrom, eventTo);
        if ((blockStart || blockStop) && indexAt >= 0) {
            json.moveTo(indexAt);
            noteBlock(json.readCount());
        }
    }

    @Override
    void scanTail(JsonCursor tail) {
        if (LastBytes.findLastObject(tail, QUOTED_USAGE)) {
            USAGE_KEYS.read(tail, numbers);
        }
    }

    @Override
    void writeStop(StopWriter out, StreamStop stop) {
        if (!started) {
            out.event(messageStart(stop));
        }
        for (long left = openBlocks; left != 0; left &= left - 1) {
            out.event(StopWriter.object()
                    .put("type", "content_block_stop")
                    .put("index", firstOpenBlock + Long.numberOfTrailingZeros(left)));
        }
        if (finishReason() == null) {
            ObjectNode delta = StopWriter.object().put("type", "message_delta");
            delta.putObject("delta").put("stop_reason", "end_turn").putNull("stop_sequence");
            delta.putObject("usage").put("output_tokens", Math.max(0, usage().outputTokens()));
            out.event(delta);
        }
        out.event(StopWriter.object().put("type", "message_stop"));
    }

    private ObjectNode messageStart(StreamStop stop) {
        ObjectNode start = StopWriter.object().put("type", "message_start");
        ObjectNode message = start.putObject("message")
                .put("id", "msg_" + stop.id())
                .put("type", "message")
                .put("role", "assistant")
                .put("model", stop.model());
        message.putArray("content");
        message.putNull("stop_reason").putNull("stop_sequence");
        message.putObject("usage").put("input_tokens", 0).put("output_tokens", 0);
        return start;
    }

    /**
     * Blocks follow each other, and few are open at once. A block whose index is 64 or more above the first open one is
     * not noted.
     */
    private void noteBlock(long index) {
        if (openBlocks == 0 && blockStart) {
            firstOpenBlock = index;
        }
        long ahead = index - firstOpenBlock;
        if (index >= 0 && ahead >= 0 && ahead < Long.SIZE) {
            openBlocks = blockStart ? openBlocks | 1L << ahead : openBlocks & ~(1L << ahead);
        }
    }

    @Override
    FrameKind kind() {
        if (stop) {
            return FrameKind.TERMINAL;
        }
        if (ping) {
            return FrameKind.KEEP_ALIVE;
        }
        return output ? FrameKind.OUTPUT : FrameKind.STRUCTURAL;
    }

    @Override
    FrameKind errorKind() {
        return errorEvent ? FrameKind.ERROR : FrameKind.HIDDEN_ERROR;
    }

    @Override
    FrameKind doneKind() {
        return end() == StreamEnd.OPEN ? FrameKind.STRUCTURAL : FrameKind.TERMINAL;
    }

    @Override
    StreamEnd endAfter(FrameKind kind, boolean done) {
        return stop ? StreamEnd.DONE : end();
    }

    private void scanType(JsonCursor json) {
        if (json.readString()) {
            ping = json.tokenIs(PING);
            stop = json.tokenIs(MESSAGE_STOP);
            blockStart = json.tokenIs(CONTENT_BLOCK_START);
            blockStop = json.tokenIs(CONTENT_BLOCK_STOP);
            if (json.tokenIs(ERROR)) {
                markError();
            }
        }
    }

    // {"type": "text_delta", "text": ".."} or {"stop_reason": "end_turn", ..}
    private void scanDelta(JsonCursor json) {
        if (!json.enterObject()) {
            return;
        }
        boolean typed = false;
        boolean empty = false;
        while (json.nextKey()) {
            if (json.tokenIs(TYPE)) {
                typed = json.readString();
                empty |= json.tokenIs(SIGNATURE_DELTA);
            } else if (json.tokenIs(TEXT) || json.tokenIs(THINKING) || json.tokenIs(PARTIAL_JSON)) {
                empty |= !json.filledAhead();
                json.skipValue();
            } else if (json.tokenIs(STOP_REASON)) {
                if (json.readString()) {
                    takeFinishReason(json.token(finishReason()));
                }
            } else {
                json.skipValue();
            }
        }
        output |= typed && !empty;
    }

    /** Text and thinking blocks begin empty. Any other block has the name of a tool, or is complete. */
    private void scanBlock(JsonCursor json) {
        if (!json.enterObject()) {
            return;
        }
        boolean typed = false;
        boolean opening = false;
        boolean filled = false;
        while (json.nextKey()) {
            if (json.tokenIs(TYPE)) {
                typed = json.readString();
                opening = json.tokenIs(TEXT)
                        || json.tokenIs(THINKING)
                        || json.tokenIs(COMPACTION)
                        || json.tokenIs(FALLBACK);
                output |= typed && !opening;
            } else if (json.tokenIs(TEXT) || json.tokenIs(THINKING)) {
                filled |= json.filledAhead();
                json.skipValue();
            } else {
                json.skipValue();
            }
        }
        output |= filled;
    }

    private void scanMessage(JsonCursor json) {
        if (!json.enterObject()) {
            return;
        }
        while (json.nextKey()) {
            if (json.tokenIs(MODEL)) {
                head.takeModel(json);
            } else if (json.tokenIs(USAGE)) {
                USAGE_KEYS.read(json, numbers);
            } else {
                json.skipValue();
            }
        }
    }
}
