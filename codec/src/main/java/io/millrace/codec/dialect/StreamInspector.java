package io.millrace.codec.dialect;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads what the frames of one stream mean: the kind of each frame, and the state of the answer, its usage, its finish reason
 * and its error. One per stream, not thread-safe.
 *
 * <p>Frames are read as bytes in one pass, at a cost in line with the frame's length. Only the few strings that are kept are
 * allocated (model, finish reason, error). No input makes it throw: data that is not JSON is
 * {@link FrameKind#STRUCTURAL}. Buffers remain with the caller and their indices are not moved.
 */
public abstract class StreamInspector {
    private static final int HEAD_BYTES = 4 * 1024;
    /** The most shapes that one stream adds. If it has more, its frames are all different. */
    private static final int MAX_SHAPES = 8;

    private static final byte[] DATA = ascii("data");
    private static final byte[] EVENT = ascii("event");
    private static final byte[] ERROR = ascii("error");
    private static final byte[] DONE = ascii("[DONE]");
    private static final byte[] CODE = ascii("code");
    private static final byte[] TYPE = ascii("type");
    private static final byte[] STATUS = ascii("status");
    private static final byte[] MESSAGE = ascii("message");
    private static final byte[] MSG = ascii("msg");
    private static final byte[] DETAIL = ascii("detail");
    private static final byte[] OBJECT = ascii("object");
    private static final byte[] QUOTED_ERROR = ascii("\"error\"");
    private static final byte[] STATUS_CODE = ascii("status_code");
    private static final byte[] ERROR_CODE = ascii("error_code");
    private static final byte[] ERROR_TYPE = ascii("error_type");
    private static final byte[] ERROR_MESSAGE = ascii("error_message");
    private static final byte[] ERROR_MSG = ascii("error_msg");
    private static final Set<String> GOOD_CODES = Set.of("0", "200", "ok", "OK", "success");
    private static final int MAX_RAW_MESSAGE = 500;
    /** The type of the event around an error says nothing about it. */
    private static final String ERROR_TYPE_OF_EVENTS = "error";

    /** Keys of the frame's data that make it an error if it holds nothing of an answer: each alone, or the two others together. */
    private static final int ERROR_WORD = 1;

    private static final int CODE_WORD = 2;
    private static final int MESSAGE_WORD = 4;
    private static final byte[][] NO_FINISH = {
        ascii("null"), ascii("none"), ascii("undefined"), ascii("finish_reason_unspecified")
    };

    private final Dialect dialect;

    // The stream so far.
    private StreamEnd end = StreamEnd.OPEN;
    private long inputTokens = -1;
    private long outputTokens = -1;
    private long cachedTokens = -1;
    private long reasoningTokens = -1;
    private long cacheWriteTokens = -1;
    private long totalTokens = -1;
    private long outputFrames;
    private long sequenceNumber = -1;
    private @Nullable String finishReason;
    private @Nullable String model;
    private @Nullable String answerId;
    private long created = -1;
    private @Nullable String errorType;
    private @Nullable String errorMessage;
    private @Nullable String errorName;
    private boolean begun;
    private boolean unanswered;

    // The frame being read.
    private boolean hasData;
    private boolean dataBlank;
    private boolean dataWhole;
    private boolean doneMark;
    private boolean error;
    private boolean unseenError;
    private boolean errorRead;
    private int errorWords;
    private int dataAt;
    private boolean hiddenError;
    private boolean hiddenErrorWhole;
    private boolean lastLineCut;
    private boolean singular;
    private int eventFrom;
    private int eventTo;

    // Output frames that were parsed, to compare others with.
    private @Nullable FrameShape shape;
    private int shapesLeft = MAX_SHAPES;

    // An over-limit frame that is flowing: its kind, and its last bytes.
    private @Nullable FrameKind pieceKind;
    private @Nullable LastBytes pieceTail;

    StreamInspector(Dialect dialect) {
        this.dialect = dialect;
    }

    /** The kind of the whole frame {@code buf[start, end)}. The state of the stream is updated by it. */
    public final FrameKind inspect(ByteBuf buf, int start, int end) {
        JsonCursor in = JsonCursor.over(buf, start, end);
        if (repeatsShape(in)) {
            commit(FrameKind.OUTPUT);
            return FrameKind.OUTPUT;
        }
        boolean first = !begun;
        FrameKind kind = inspectByWalk(in);
        if (kind == FrameKind.OUTPUT && !first) {
            keepShape(in);
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
            readFrame(JsonCursor.over(buf, start, Math.min(end, start + HEAD_BYTES)));
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
        if (hasData && !doneMark && !dataWhole) {
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
        readFrame(JsonCursor.over(buf, start, end));
        if (hiddenError ? hiddenErrorWhole : error && dataWhole) {
            commit(FrameKind.HIDDEN_ERROR);
            return TailVerdict.HIDDEN_ERROR;
        }
        boolean whole = !lastLineCut && !hiddenError && (!hasData || doneMark || dataWhole);
        if (whole && !error) {
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
        boolean none = (inputTokens & outputTokens & cachedTokens & reasoningTokens & cacheWriteTokens) < 0;
        return none
                ? Usage.NONE
                : new Usage(inputTokens, wholeOutput(), cachedTokens, reasoningTokens, cacheWriteTokens);
    }

    /**
     * Some servers leave reasoning out of the answer's tokens: only the total has it. Others leave cached tokens out of the
     * prompt's.
     */
    private long wholeOutput() {
        long more = inputTokens < 0 || outputTokens < 0 ? 0 : totalTokens - inputTokens - outputTokens;
        return more > 0 && more != cachedTokens ? outputTokens + more : outputTokens;
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
        return model;
    }

    /** Of the error seen last: its status name, else its code, else its type; {@code null} if it has none of them. */
    public final @Nullable String errorType() {
        return errorType;
    }

    /** Of the error seen last: its code if that is a word, else its type; {@code null} if it has neither. */
    public final @Nullable String errorName() {
        return errorName;
    }

    /** The message of the error seen last, {@code null} if there is none. */
    public final @Nullable String errorMessage() {
        return errorMessage;
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
        return sequenceNumber;
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

    /** Forgets the frame read before. */
    abstract void beginFrame();

    /** What {@link #repeat} needs to know of the output frame just read. */
    long mark() {
        return 0;
    }

    /** Applies to this stream what the frame of this {@link #mark} did, in this stream or another. */
    void repeat(long mark) {}

    /** Reads the frame's data, which is an object; may be called again for the same frame after {@link #beginFrame}. */
    abstract void scan(JsonCursor json);

    /**
     * Called when all lines were read, with the value of the {@code event:} line, empty if there is none. The cursor is
     * still over the bytes that {@link #scan} read.
     */
    void settle(JsonCursor json, byte[] bytes, int eventFrom, int eventTo) {
        if (isOpaque()) {
            return;
        }
        if (error) {
            if (!errorRead) {
                readBareError(json);
            }
            return;
        }
        boolean errorEvent = isErrorEvent(bytes, eventFrom, eventTo);
        boolean bareError = dataWhole && saysNothing() && isErrorByItsWords();
        if (errorEvent || bareError) {
            error = true;
            unseenError = bareError || !seesErrorEvents();
            readBareError(json);
            if (!errorEvent && (errorWords & ERROR_WORD) == 0 && errorType != null && GOOD_CODES.contains(errorType)) {
                error = false;
                errorType = null;
                errorMessage = null;
            }
        }
    }

    /** Whether the data of the frame just read holds nothing that belongs to an answer. */
    abstract boolean saysNothing();

    /** Whether this dialect's SDKs take {@code event: error} for an error, whatever its data. */
    boolean seesErrorEvents() {
        return false;
    }

    private boolean isErrorByItsWords() {
        int both = CODE_WORD | MESSAGE_WORD;
        return (errorWords & ERROR_WORD) != 0 || (errorWords & both) == both;
    }

    /** Reads an error whose message is the frame's data itself. */
    private void readBareError(JsonCursor json) {
        if (dataAt < 0) {
            return;
        }
        json.moveTo(dataAt);
        int from = json.position();
        if (json.objectAhead() || json.stringAhead()) {
            readError(json);
        } else {
            int to = Math.min(FieldLines.lineEnd(json.bytes(), from, json.end()), from + MAX_RAW_MESSAGE);
            errorMessage = new String(json.bytes(), from, to - from, StandardCharsets.UTF_8);
        }
    }

    /** Skips the value of a key that this dialect does not use, but notes it if it is a key of errors. */
    final void passOver(JsonCursor json) {
        if (json.tokenIs(CODE)) {
            errorWords |= json.truthyAhead() ? CODE_WORD : 0;
        } else if (json.tokenIs(MESSAGE) || json.tokenIs(MSG)) {
            errorWords |= json.textAhead() ? MESSAGE_WORD : 0;
        } else if (json.tokenIs(OBJECT)) {
            errorWords |= json.startsWith(QUOTED_ERROR) ? ERROR_WORD : 0;
        } else if (json.tokenIs(ERROR_TYPE)
                || json.tokenIs(ERROR_MESSAGE)
                || json.tokenIs(ERROR_MSG)
                || json.tokenIs(ERROR_CODE)) {
            errorWords |= json.truthyAhead() ? ERROR_WORD : 0;
        }
        json.ignoreValue();
    }

    static boolean isErrorEvent(byte[] bytes, int eventFrom, int eventTo) {
        return Arrays.equals(bytes, eventFrom, eventTo, ERROR, 0, ERROR.length);
    }

    /** Reads what the last bytes of an over-limit frame say. They begin anywhere in its data. */
    abstract void scanTail(JsonCursor tail);

    /** The kind of the frame just read: its data is an object and no error. */
    abstract FrameKind kind();

    /** The kind of {@code data: [DONE]}. */
    abstract FrameKind doneKind();

    /** Where a frame of this kind, not an error, takes the stream. */
    abstract StreamEnd endAfter(FrameKind kind, boolean done);

    /** Whether nothing is known of the dialect: data is output, and no frame is an error or an end. */
    boolean isOpaque() {
        return false;
    }

    /** The error of the frame just read as SDKs of this dialect see it. */
    FrameKind errorKind() {
        return FrameKind.ERROR;
    }

    final void markError() {
        error = true;
    }

    /** Marks an error that this dialect's SDKs ignore. */
    final void markUnseenError() {
        error = true;
        unseenError = true;
    }

    /** The shape that the last frame was matched with or gave; {@code null} if there was none yet. */
    final @Nullable FrameShape shape() {
        return shape;
    }

    /** The frame changes more of the stream than output does, or is output only in this place: it gives no shape. */
    final void markSingular() {
        singular = true;
    }

    final void takeModel(JsonCursor json) {
        if (model != null || !json.textAhead()) {
            json.skipValue();
        } else if (json.readString()) {
            model = json.token(null);
        }
    }

    /** The answer's id as the stream itself gives it, {@code null} if it has not. */
    final @Nullable String answerId() {
        return answerId;
    }

    /** When the answer was made, in seconds since 1970, as the stream itself says; {@code -1} if it has not. */
    final long created() {
        return created;
    }

    final void takeAnswerId(JsonCursor json) {
        if (answerId != null || !json.textAhead()) {
            json.ignoreValue();
        } else if (json.readString()) {
            answerId = json.token(null);
        }
    }

    final void takeCreated(JsonCursor json) {
        if (created >= 0) {
            json.ignoreValue();
        } else {
            created = json.readCount();
        }
    }

    /** Whether the string read last is a word that some servers send while there is no finish reason yet. */
    static boolean isNoFinish(JsonCursor json) {
        for (byte[] word : NO_FINISH) {
            if (json.tokenIsLike(word)) {
                return true;
            }
        }
        return false;
    }

    final void takeFinishReason(String reason) {
        markSingular();
        finishReason = reason;
    }

    final void takeSequenceNumber(long number) {
        sequenceNumber = valid(number, sequenceNumber);
    }

    final void takeInputTokens(JsonCursor json) {
        inputTokens = valid(json.readNumber(FrameShape.INPUT_TOKENS), inputTokens);
    }

    final void takeOutputTokens(JsonCursor json) {
        outputTokens = valid(json.readNumber(FrameShape.OUTPUT_TOKENS), outputTokens);
    }

    final void takeCachedTokens(JsonCursor json) {
        cachedTokens = valid(json.readNumber(FrameShape.CACHED_TOKENS), cachedTokens);
    }

    final void takeReasoningTokens(JsonCursor json) {
        reasoningTokens = valid(json.readNumber(FrameShape.REASONING_TOKENS), reasoningTokens);
    }

    final void takeCacheWriteTokens(JsonCursor json) {
        cacheWriteTokens = valid(json.readNumber(FrameShape.CACHE_WRITE_TOKENS), cacheWriteTokens);
    }

    final void takeTotalTokens(JsonCursor json) {
        totalTokens = json.readNumber(FrameShape.TOTAL_TOKENS);
    }

    /** Reads the value of a top-level {@code error} key. A {@code null} or empty one is none. */
    final void takeError(JsonCursor json) {
        if (json.truthyAhead()) {
            error = true;
            readError(json);
        } else {
            json.skipValue();
        }
    }

    /** Reads type and message of an error object, or of the object around it (then the inner one wins). */
    final void readError(JsonCursor json) {
        errorRead = true;
        int inner = readErrorFields(json);
        if (inner >= 0 && !json.broken()) {
            String outerType = errorType;
            String outerMessage = errorMessage;
            int after = json.position();
            json.moveTo(inner);
            readErrorFields(json);
            json.moveTo(after);
            errorType = errorType == null && !ERROR_TYPE_OF_EVENTS.equals(outerType) ? outerType : errorType;
            errorMessage = errorMessage == null ? outerMessage : errorMessage;
        }
    }

    /** Returns where an inner error object begins, {@code -1} if there is none. */
    private int readErrorFields(JsonCursor json) {
        if (!json.objectAhead()) {
            if (json.readString()) {
                errorMessage = json.token(null);
            }
            return -1;
        }
        String status = null;
        String code = null;
        String type = null;
        String number = null;
        String message = null;
        int inner = -1;
        json.enterObject();
        while (json.nextKey()) {
            if (json.tokenIs(CODE) || json.tokenIs(ERROR_CODE)) {
                code = word(json, code);
            } else if (json.tokenIs(TYPE) || json.tokenIs(ERROR_TYPE)) {
                type = word(json, type);
            } else if (json.tokenIs(STATUS) && json.stringAhead()) {
                status = word(json, status);
            } else if (json.tokenIs(STATUS) || json.tokenIs(STATUS_CODE)) {
                number = word(json, number);
            } else if (isMessage(json) && json.stringAhead()) {
                message = word(json, message);
            } else if ((json.tokenIs(ERROR) && json.truthyAhead()) || (json.tokenIs(MESSAGE) && json.objectAhead())) {
                inner = json.position();
                json.skipValue();
            } else {
                json.skipValue();
            }
        }
        errorType = status != null ? status : code != null ? code : number != null ? number : type;
        errorName = code != null && !isNumber(code) ? code : type;
        errorMessage = message;
        return inner;
    }

    /** The string or number ahead; {@code previous} if it is neither, empty or zero. */
    private static @Nullable String word(JsonCursor json, @Nullable String previous) {
        if (!json.truthyAhead()) {
            json.skipValue();
            return previous;
        }
        return json.readStringOrNumber() ? json.token(null) : previous;
    }

    private static boolean isNumber(String word) {
        return word.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    private static boolean isMessage(JsonCursor json) {
        return json.tokenIs(MESSAGE)
                || json.tokenIs(MSG)
                || json.tokenIs(ERROR_MESSAGE)
                || json.tokenIs(ERROR_MSG)
                || json.tokenIs(DETAIL);
    }

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private boolean isComplete() {
        return end == StreamEnd.FINISHED || end == StreamEnd.TERMINAL || end == StreamEnd.DONE;
    }

    /**
     * Whether the frame is like one that was parsed before. If so, its effects on the stream are applied here. While the model
     * of the stream is not known, frames are parsed: one may name it.
     */
    private boolean repeatsShape(JsonCursor in) {
        if (!begun || model == null) {
            return false;
        }
        FrameShape known = matching(in);
        if (known == null) {
            return false;
        }
        shape = known;
        clearFrame();
        long[] numbers = in.matched();
        takeSequenceNumber(numbers[FrameShape.SEQUENCE_NUMBER]);
        inputTokens = valid(numbers[FrameShape.INPUT_TOKENS], inputTokens);
        outputTokens = valid(numbers[FrameShape.OUTPUT_TOKENS], outputTokens);
        cachedTokens = valid(numbers[FrameShape.CACHED_TOKENS], cachedTokens);
        reasoningTokens = valid(numbers[FrameShape.REASONING_TOKENS], reasoningTokens);
        cacheWriteTokens = valid(numbers[FrameShape.CACHE_WRITE_TOKENS], cacheWriteTokens);
        totalTokens = valid(numbers[FrameShape.TOTAL_TOKENS], totalTokens);
        repeat(known.mark());
        return true;
    }

    /** The shape that the frame has: this stream's last one, else one of other streams or of earlier frames. */
    private @Nullable FrameShape matching(JsonCursor in) {
        if (shape != null && matches(shape, in)) {
            return shape;
        }
        FrameShapes others = in.shapes(dialect);
        for (int i = 0; i < others.size(); i++) {
            FrameShape other = others.get(i);
            if (other != shape && matches(other, in)) {
                return other;
            }
        }
        return null;
    }

    private static boolean matches(FrameShape shape, JsonCursor in) {
        return shape.match(in.bytes(), in.start(), in.end(), in.matched());
    }

    private static long valid(long number, long previous) {
        return number >= 0 ? number : previous;
    }

    private void keepShape(JsonCursor in) {
        boolean repeatable = dataWhole && !singular && !isOpaque();
        if (repeatable && shapesLeft > 0 && in.end() - in.start() <= FrameShape.MAX_FRAME_BYTES) {
            shapesLeft--;
            shape = new FrameShape(mark(), in);
            in.shapes(dialect).add(shape);
        }
    }

    private FrameKind frameKind() {
        if (isOpaque()) {
            return hasData ? FrameKind.OUTPUT : FrameKind.KEEP_ALIVE;
        }
        if (hiddenError) {
            return FrameKind.HIDDEN_ERROR;
        }
        if (error) {
            return unseenError ? FrameKind.HIDDEN_ERROR : errorKind();
        }
        if (!hasData || dataBlank) {
            return FrameKind.KEEP_ALIVE;
        }
        if (doneMark) {
            return doneKind();
        }
        FrameKind kind = kind();
        return kind == FrameKind.KEEP_ALIVE && !dataWhole ? FrameKind.STRUCTURAL : kind;
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
            default -> endAfter(kind, doneMark);
        };
        unanswered = kind == FrameKind.HIDDEN_ERROR && doneMark;
    }

    // WHATWG HTML 9.2.6: field ":" [ space ] value, one a line
    private void readFrame(JsonCursor in) {
        clearFrame();
        byte[] bytes = in.bytes();
        int to = in.end();
        int from = begun ? in.start() : FieldLines.afterByteOrderMark(bytes, in.start(), to);
        begun = true;
        int dataLines = 0;
        int at = from;
        while (at < to) {
            int value;
            if (FieldLines.isLineEnd(bytes[at])) {
                at++;
            } else if ((value = FieldLines.valueOf(DATA, bytes, at, to)) >= 0) {
                at = FieldLines.lineEnd(bytes, dataLines++ == 0 ? readData(in, value, to) : value, to);
            } else if ((value = FieldLines.valueOf(EVENT, bytes, at, to)) >= 0) {
                at = FieldLines.lineEnd(bytes, value, to);
                eventFrom = value;
                eventTo = at;
                lastLineCut = at == to;
            } else if (!isOpaque() && (value = FieldLines.valueOf(ERROR, bytes, at, to)) >= 0) {
                at = readErrorField(in, value, to);
            } else if (!isOpaque() && dataLines == 0 && (value = readRawError(in, at, to)) >= 0) {
                at = value;
            } else {
                at = FieldLines.lineEnd(bytes, at, to);
                lastLineCut = at == to;
            }
        }
        hasData = dataLines > 0;
        if (dataLines > 1) {
            markSingular();
            beginFrame();
            readJoinedData(in, from, to);
        }
        settle(in, bytes, eventFrom, eventTo);
    }

    private void clearFrame() {
        dataBlank = false;
        dataWhole = false;
        doneMark = false;
        error = false;
        unseenError = false;
        errorRead = false;
        errorWords = 0;
        dataAt = -1;
        hiddenError = false;
        hiddenErrorWhole = false;
        lastLineCut = false;
        singular = false;
        eventFrom = 0;
        eventTo = 0;
        beginFrame();
    }

    /** Reads the first data line; returns where to look for its end. */
    private int readData(JsonCursor in, int value, int to) {
        byte[] bytes = in.bytes();
        dataBlank = value == to || FieldLines.isLineEnd(bytes[value]);
        doneMark = FieldLines.startsWith(bytes, value, to, DONE);
        if (dataBlank || doneMark) {
            return value;
        }
        dataAt = value;
        return readObject(in, value) ? in.position() : value;
    }

    /** Data of several lines is one text, joined by line feeds. It is copied, since it is rare. */
    private void readJoinedData(JsonCursor in, int from, int to) {
        byte[] data = FieldLines.join(DATA, in.bytes(), from, to);
        dataBlank = false;
        dataWhole = false;
        error = false;
        unseenError = false;
        errorRead = false;
        errorWords = 0;
        dataAt = 0;
        in.over(data, 0, data.length);
        readObject(in, 0);
    }

    private boolean readObject(JsonCursor in, int at) {
        in.moveTo(at);
        if (!in.objectAhead()) {
            return false;
        }
        in.enterObject();
        scan(in);
        dataWhole = !in.broken();
        return dataWhole;
    }

    // error: {"message": ..} <- a field that no parser knows (llama.cpp and similar servers)
    private int readErrorField(JsonCursor in, int value, int to) {
        int lineEnd = FieldLines.lineEnd(in.bytes(), value, to);
        in.moveTo(value);
        readError(in);
        hiddenError = true;
        hiddenErrorWhole = lineEnd < to || !in.broken();
        return lineEnd;
    }

    /** Reads an error object that stands in the body as it is, over one or many lines; its end, {@code -1} if none. */
    private int readRawError(JsonCursor in, int at, int to) {
        byte first = in.bytes()[at];
        if (first != '{' && first != '[') {
            return -1;
        }
        markSingular();
        in.moveTo(at);
        if (first == '[' && !(in.enterArray() && in.nextElement())) {
            return -1;
        }
        boolean found = false;
        if (in.enterObject()) {
            while (in.nextKey()) {
                if (in.tokenIs(ERROR) && in.truthyAhead()) {
                    found = true;
                    readError(in);
                } else {
                    in.skipValue();
                }
            }
        }
        if (!found) {
            return -1;
        }
        hiddenError = true;
        hiddenErrorWhole = !in.broken();
        return hiddenErrorWhole ? FieldLines.lineEnd(in.bytes(), in.position(), to) : to;
    }
}
