package io.millrace.codec.dialect;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Reads what the frames of one stream mean: the kind of each frame, and the state of the answer, its usage, its finish reason
 * and its error. One per stream, not thread-safe.
 *
 * <p>Frames are read as bytes in one pass, at a cost in line with the frame's length. Only the few strings that are kept are
 * allocated (model, finish reason, error). No input makes it throw: data that is not JSON is
 * {@link FrameKind#STRUCTURAL}. Buffers remain with the caller and their indices are not moved.
 */
public abstract class StreamInspector extends FrameInspector {
    private static final int HEAD_BYTES = 4 * 1024;

    /** What some servers send as long as there is no finish reason. */
    private static final byte[][] NO_FINISH = {
        ascii("null"), ascii("none"), ascii("undefined"), ascii("finish_reason_unspecified")
    };

    /** What the stream says of its answer as a whole. */
    final AnswerHead head = new AnswerHead();

    /** The token counts and sequence number seen last. */
    final StreamNumbers numbers = new StreamNumbers();

    private final KnownShapes shapes;
    private StreamEnd end = StreamEnd.OPEN;
    private long outputFrames;
    private @Nullable String finishReason;
    private boolean unanswered;

    // An over-limit frame that is flowing: its kind, and its last bytes.
    private @Nullable FrameKind pieceKind;
    private @Nullable LastBytes pieceTail;

    StreamInspector(Dialect dialect) {
        shapes = new KnownShapes(dialect);
    }

    /** The kind of the whole frame {@code buf[start, end)}. The state of the stream is updated by it. */
    public final FrameKind inspect(ByteBuf buf, int start, int end) {
        JsonCursor in = InspectorScratch.cursor(buf, start, end);
        if (repeatsShape(in)) {
            commit(FrameKind.OUTPUT);
            return FrameKind.OUTPUT;
        }
        boolean first = !hasBegun();
        FrameKind kind = inspectByWalk(in);
        if (kind == FrameKind.OUTPUT && !first && isRepeatable()) {
            shapes.add(mark(), in);
        }
        return kind;
    }

    /** Does what {@link #inspect} does without regard to frames before. */
    final FrameKind inspectByWalk(JsonCursor in) {
        readFrame(in);
        FrameKind kind = frameKind();
        commit(kind);
        return kind;
    }

    /**
     * The kind of a frame that comes in pieces, the same for each piece. It is decided on the first 4 KiB of the first
     * piece; usage, finish reason and end are read from the frame's last 8 KiB, and the stream's state moves, when the
     * last piece comes.
     */
    public final FrameKind inspectPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        if (first) {
            readFrame(InspectorScratch.cursor(buf, start, Math.min(end, start + HEAD_BYTES)));
            pieceKind = frameKind();
            pieceTail = new LastBytes();
        }
        LastBytes tail = requireNonNull(pieceTail, "no first piece");
        tail.add(buf, start, end);
        if (last) {
            endPieces(tail);
        }
        return requireNonNull(pieceKind);
    }

    private void endPieces(LastBytes tail) {
        if (isDataCut()) {
            scanTail(tail.cursor());
            pieceKind = frameKind();
        }
        commit(requireNonNull(pieceKind));
        pieceTail = null;
    }

    /**
     * The body ended cleanly in the middle of a frame that came in pieces.
     *
     * @return whether that frame lacks nothing but its blank line, and the stream has come to its end with it
     */
    public final boolean inspectLastPiece() {
        if (isOpaque()) {
            return true;
        }
        LastBytes tail = pieceTail;
        if (tail == null || !tail.endObject()) {
            return false;
        }
        endPieces(tail);
        return isComplete() || end == StreamEnd.ERROR;
    }

    /** What to do with {@code buf[start, end)}, which came after the last whole frame when the body ended cleanly. */
    public TailVerdict inspectTail(ByteBuf buf, int start, int end) {
        readFrame(InspectorScratch.cursor(buf, start, end));
        if (isWholeError()) {
            commit(FrameKind.HIDDEN_ERROR);
            return TailVerdict.HIDDEN_ERROR;
        }
        if (isWhole()) {
            long outputsBefore = outputFrames;
            commit(frameKind());
            if (isComplete()) {
                return TailVerdict.TERMINAL;
            }
            outputFrames = outputsBefore;
        }
        return TailVerdict.DROP;
    }

    /** How far the stream has come. */
    public final StreamEnd end() {
        return end;
    }

    /** The token counts seen last, a new record each time. */
    public final Usage usage() {
        return numbers.usage();
    }

    /**
     * The finish reason seen last, of the first choice, in the dialect's own words; {@code null} until one is seen. A
     * Responses status carries its reason ({@code incomplete:max_output_tokens}, {@code failed:server_error}); a prompt
     * that Gemini blocks is {@code block:} and the reason.
     */
    public final @Nullable String finishReason() {
        return finishReason;
    }

    /** The model that the stream itself names first, {@code null} if it has not. */
    public final @Nullable String model() {
        return head.model();
    }

    /** Of the error seen last: its status name, else its code, else its type; {@code null} if it has none of them. */
    public final @Nullable String errorType() {
        return error.type();
    }

    /** Of the error seen last: its code if that is a word, else its type; {@code null} if it has neither. */
    public final @Nullable String errorName() {
        return error.name();
    }

    /** The message of the error seen last, {@code null} if there is none. */
    public final @Nullable String errorMessage() {
        return error.message();
    }

    /** Whether the stream has ended without having begun an answer. */
    public final boolean endedUnanswered() {
        return unanswered;
    }

    /** How many frames were {@link FrameKind#OUTPUT}. */
    public final long outputFrames() {
        return outputFrames;
    }

    /** The Responses sequence number seen last, {@code -1} if none. */
    public final long sequenceNumber() {
        return numbers.get(FrameShape.SEQUENCE_NUMBER);
    }

    /** How many choices (candidates) of the answer have begun; {@code 0} in dialects that have one answer only. */
    public int choicesSeen() {
        return 0;
    }

    /**
     * Whether the frame read last carries nothing but usage: a Chat chunk without choices, as is sent to those who ask for
     * {@code stream_options.include_usage}.
     */
    public boolean isUsageOnly() {
        return false;
    }

    /**
     * The frames with which this dialect's providers end an answer, for a stream that is stopped where it is. They close what is
     * open and tell the usage that is known. Empty if the stream has ended, or its dialect is unknown. The state of the stream
     * does not change.
     *
     * @param alloc where the frames come from; they are the caller's to release
     */
    public final ByteBuf stopFrames(ByteBufAllocator alloc, StreamStop stop) {
        ByteBuf out = alloc.buffer();
        if (end == StreamEnd.OPEN || end == StreamEnd.FINISHED) {
            writeStop(new StopWriter(out), stop);
        }
        return out;
    }

    /** Writes the frames that are missing at the end of a stream that is {@code OPEN} or {@code FINISHED}. */
    abstract void writeStop(StopWriter out, StreamStop stop);

    /** What {@link #repeat} needs to know of the output frame just read. */
    long mark() {
        return 0;
    }

    /** Applies to this stream what the frame of this {@link #mark} did, in this stream or another. */
    void repeat(long mark) {}

    /** Reads what the last bytes of an over-limit frame say. They begin anywhere in its data. */
    abstract void scanTail(JsonCursor tail);

    /** Where a frame of this kind, not an error, takes the stream. */
    abstract StreamEnd endAfter(FrameKind kind, boolean done);

    /** The shape that the last frame was matched with or gave; {@code null} if there was none yet. */
    final @Nullable FrameShape shape() {
        return shapes.last();
    }

    /**
     * Reads a finish reason.
     *
     * @param first whether it is that of the first choice, which is the stream's
     * @return whether the value ahead is one
     */
    final boolean takeFinish(JsonCursor json, boolean first) {
        if (!json.textAhead() || !json.readString() || isNoFinish(json)) {
            return false;
        }
        if (first) {
            takeFinishReason(json.token(finishReason));
        }
        return true;
    }

    private static boolean isNoFinish(JsonCursor json) {
        for (byte[] word : NO_FINISH) {
            if (JsonBytes.isLike(json.bytes(), json.tokenStart(), json.tokenEnd(), word)) {
                return true;
            }
        }
        return false;
    }

    final void takeFinishReason(String reason) {
        markSingular();
        finishReason = reason;
    }

    private boolean isComplete() {
        return end == StreamEnd.FINISHED || end == StreamEnd.TERMINAL || end == StreamEnd.DONE;
    }

    /**
     * Whether the frame is like one that was parsed before. If so, its effects on the stream are applied here. While the model
     * of the stream is not known, frames are parsed: one may name it.
     */
    private boolean repeatsShape(JsonCursor in) {
        if (!hasBegun() || head.model() == null) {
            return false;
        }
        FrameShape known = shapes.find(in);
        if (known == null) {
            return false;
        }
        beginRepeated();
        numbers.takeAll(in.spans().matched());
        repeat(known.mark());
        return true;
    }

    private void commit(FrameKind kind) {
        if (kind == FrameKind.OUTPUT) {
            outputFrames++;
        }
        if (end == StreamEnd.ERROR || end == StreamEnd.HIDDEN_ERROR) {
            return;
        }
        end = switch (kind) {
            case ERROR -> StreamEnd.ERROR;
            case HIDDEN_ERROR -> StreamEnd.HIDDEN_ERROR;
            default -> endAfter(kind, isDone());
        };
        unanswered = kind == FrameKind.HIDDEN_ERROR && isDone();
    }
}
