package io.millrace.codec.dialect;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Reads the meaning of one stream's frames: the kind of each frame, and the answer's state, usage, finish reason and
 * error. One per stream, not thread-safe.
 *
 * <p>Frames are read as bytes in one pass. The cost is proportional to the frame's length. Only the few strings that
 * are kept are allocated (model, finish reason, error). No input makes it throw: data that is not JSON is
 * {@link FrameKind#STRUCTURAL}. Buffers remain with the caller and their indices are not moved.
 */
public abstract class StreamInspector extends FrameInspector {
    private static final int HEAD_BYTES = 4 * 1024;

    /** Values of some servers for a finish reason that is not there yet. */
    private static final byte[][] NO_FINISH = {
        ascii("null"), ascii("none"), ascii("undefined"), ascii("finish_reason_unspecified")
    };

    /** The id, model and time of the answer. */
    final AnswerHead head = new AnswerHead();

    /** The last token counts and the last sequence number. */
    final StreamNumbers numbers = new StreamNumbers();

    private final KnownShapes shapes;
    private StreamEnd end = StreamEnd.OPEN;
    private long outputFrames;
    private @Nullable String finishReason;
    private boolean unanswered;

    // A frame over the limit that comes in pieces: its kind, and its last bytes.
    private @Nullable FrameKind pieceKind;
    private @Nullable LastBytes pieceTail;

    StreamInspector(Dialect dialect) {
        shapes = new KnownShapes(dialect);
    }

    /** The kind of the whole frame {@code buf[start, end)}. Updates the state of the stream. */
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

    /** Parses a frame as {@link #inspect} does, without a comparison with earlier frames. */
    final FrameKind inspectByWalk(JsonCursor in) {
        readFrame(in);
        FrameKind kind = frameKind();
        commit(kind);
        return kind;
    }

    /**
     * The kind of a frame that comes in pieces. It is the same for each piece, and is decided on the first 4 KiB of the
     * first piece. When the last piece comes, usage, finish reason and end are read from the frame's last 8 KiB, and
     * the stream's state moves.
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
     * Called when the body ended cleanly in the middle of a frame that came in pieces.
     *
     * @return whether that frame lacks only its blank line, and the stream ends with it
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

    /**
     * Decides what to do with {@code buf[start, end)}, which followed the last whole frame when the body ended cleanly.
     */
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

    /** How far the stream has come towards its end. */
    public final StreamEnd end() {
        return end;
    }

    /** The last token counts, a new record each time. */
    public final Usage usage() {
        return numbers.usage();
    }

    /**
     * The last finish reason of the first choice, in the dialect's own words; {@code null} if there is none. A
     * Responses status includes its reason ({@code incomplete:max_output_tokens}, {@code failed:server_error}). A
     * prompt that Gemini blocks has {@code block:} and the reason.
     */
    public final @Nullable String finishReason() {
        return finishReason;
    }

    /** The first answer id that the stream names, such as {@code resp_…}; {@code null} if there is none. */
    public final @Nullable String answerId() {
        return head.id();
    }

    /** The first model that the stream names, {@code null} if there is none. */
    public final @Nullable String model() {
        return head.model();
    }

    /** The status name of the last error, else its code, else its type; {@code null} if it has none of them. */
    public final @Nullable String errorType() {
        return error.type();
    }

    /** The code of the last error if that is a word, else its type; {@code null} if it has neither. */
    public final @Nullable String errorName() {
        return error.name();
    }

    /** The message of the last error, {@code null} if there is none. */
    public final @Nullable String errorMessage() {
        return error.message();
    }

    /** Whether the stream has ended before it began an answer. */
    public final boolean endedUnanswered() {
        return unanswered;
    }

    /** How many frames were {@link FrameKind#OUTPUT}. */
    public final long outputFrames() {
        return outputFrames;
    }

    /** The last sequence number of Responses, {@code -1} if there is none. */
    public final long sequenceNumber() {
        return numbers.get(FrameShape.SEQUENCE_NUMBER);
    }

    /** How many choices (candidates) of the answer have begun; {@code 0} in dialects with only one answer. */
    public int choicesSeen() {
        return 0;
    }

    /**
     * Whether the current frame has only usage: a Chat chunk without choices, which clients get if they ask for
     * {@code stream_options.include_usage}.
     */
    public boolean isUsageOnly() {
        return false;
    }

    /**
     * The frames with which this dialect's providers end an answer, for a stream that is stopped in the middle. They
     * close what is open and report the known usage. Empty if the stream has ended, or its dialect is unknown. The
     * state of the stream does not change.
     *
     * @param alloc allocates the frames, which the caller must release
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

    /** The mark of the current output frame, which {@link #repeat} needs. */
    long mark() {
        return 0;
    }

    /** Applies the effects of a frame with this {@link #mark} to this stream. The frame may be from another stream. */
    void repeat(long mark) {}

    /** Reads the last bytes of a frame over the limit. They begin anywhere in its data. */
    abstract void scanTail(JsonCursor tail);

    /** The state of the stream after a frame of this kind, which is no error. */
    abstract StreamEnd endAfter(FrameKind kind, boolean done);

    /** The shape of the last frame that matched one or became one; {@code null} if there was none. */
    final @Nullable FrameShape shape() {
        return shapes.last();
    }

    /**
     * Reads a finish reason.
     *
     * @param first whether it belongs to the first choice, whose reason is the stream's
     * @return whether the next value is a finish reason
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
     * Whether the frame has the shape of an earlier one. If so, its effects on the stream are applied here. While the
     * stream's model is not known, all frames are parsed, because one may name it.
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
