package io.millrace.codec.dialect;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Reads one frame of a stream: its field lines, its data, and the errors in it, and decides the frame's kind. Each
 * dialect reads its own data. {@link StreamInspector} keeps what the frames mean for the stream.
 */
abstract class FrameInspector {
    private static final byte[] DATA = ascii("data");
    private static final byte[] EVENT = ascii("event");
    private static final byte[] ERROR = ascii("error");
    private static final byte[] DONE = ascii("[DONE]");

    /** The error that the stream reported last. */
    final StreamError error = new StreamError();

    /** Whether a frame of the stream was read. */
    private boolean begun;

    // The frame that is being read.
    private boolean hasData;
    private boolean dataBlank;
    private boolean dataWhole;
    private int dataAt;
    private boolean doneMark;
    private boolean failed;
    private boolean unseenError;
    private boolean hiddenError;
    private boolean hiddenErrorWhole;
    private boolean lastLineCut;
    private boolean singular;

    /** Resets the state of the previous frame. */
    abstract void beginFrame();

    /** Reads the frame's data, which is an object. May be called again for the same frame after {@link #beginFrame}. */
    abstract void scan(JsonCursor json);

    /** Whether the data of the current frame has nothing that belongs to an answer. */
    abstract boolean saysNothing();

    /** The kind of the current frame, whose data is an object and no error. */
    abstract FrameKind kind();

    /** The kind of {@code data: [DONE]}. */
    abstract FrameKind doneKind();

    /** The kind of the current frame, which is an error, for SDKs of this dialect. */
    FrameKind errorKind() {
        return FrameKind.ERROR;
    }

    /** Whether this dialect's SDKs treat {@code event: error} as an error, whatever its data. */
    boolean seesErrorEvents() {
        return false;
    }

    /** Whether the dialect is unknown: all data is output, and no frame is an error or an end. */
    boolean isOpaque() {
        return false;
    }

    /**
     * Called after all lines were read, with the value of the {@code event:} line, which is empty if there is none. The
     * cursor is still on the bytes that {@link #scan} read.
     */
    void settle(JsonCursor json, byte[] bytes, int eventFrom, int eventTo) {
        if (isOpaque()) {
            return;
        }
        if (failed) {
            if (!error.isRead()) {
                readErrorData(json);
            }
            return;
        }
        boolean errorEvent = isErrorEvent(bytes, eventFrom, eventTo);
        boolean bareError = dataWhole && saysNothing() && error.hasErrorKeys();
        if (errorEvent || bareError) {
            failed = true;
            unseenError = bareError || !seesErrorEvents();
            readErrorData(json);
            if (!errorEvent && error.isSuccess()) {
                failed = false;
                error.forget();
            }
        }
    }

    private void readErrorData(JsonCursor json) {
        if (dataAt >= 0) {
            error.readData(json, dataAt);
        }
    }

    static boolean isErrorEvent(byte[] bytes, int eventFrom, int eventTo) {
        return Arrays.equals(bytes, eventFrom, eventTo, ERROR, 0, ERROR.length);
    }

    /** Skips the value of a key that this dialect does not use. Notes the key if it is a key of errors. */
    final void passOver(JsonCursor json) {
        error.noteKey(json);
        json.ignoreValue();
    }

    /** Reads the value of a top-level {@code error} key. A {@code null} or empty value is no error. */
    final void takeError(JsonCursor json) {
        if (json.truthyAhead()) {
            failed = true;
            error.read(json);
        } else {
            json.skipValue();
        }
    }

    final void markError() {
        failed = true;
    }

    /** Marks an error that this dialect's SDKs ignore. */
    final void markUnseenError() {
        failed = true;
        unseenError = true;
    }

    /**
     * Marks a frame that has more effects than output has, or is output only at its place in the stream. It must not
     * become a shape.
     */
    final void markSingular() {
        singular = true;
    }

    /** Whether a frame of the stream was read. */
    final boolean hasBegun() {
        return begun;
    }

    /** Whether the frame is {@code data: [DONE]}. */
    final boolean isDone() {
        return doneMark;
    }

    /** Whether the frame's data is an object without its end. */
    final boolean isDataCut() {
        return hasData && !doneMark && !dataWhole;
    }

    /** Whether the frame is a complete error. */
    final boolean isWholeError() {
        return hiddenError ? hiddenErrorWhole : failed && dataWhole;
    }

    /** Whether the frame is no error, and complete but for its blank line. */
    final boolean isWhole() {
        return !lastLineCut && !hiddenError && !failed && !isDataCut();
    }

    /** Whether the frame can be a {@link FrameShape}. */
    final boolean isRepeatable() {
        return dataWhole && !singular && !isOpaque();
    }

    /** The kind of the current frame. */
    final FrameKind frameKind() {
        if (isOpaque()) {
            return hasData ? FrameKind.OUTPUT : FrameKind.KEEP_ALIVE;
        }
        if (hiddenError) {
            return FrameKind.HIDDEN_ERROR;
        }
        if (failed) {
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

    /** Reads a frame, or the part of it that has come. */
    // WHATWG HTML 9.2.6: field ":" [ space ] value, one a line
    final void readFrame(JsonCursor in) {
        clearFrame();
        byte[] bytes = in.bytes();
        int to = in.end();
        int from = begun ? in.start() : FieldLines.afterByteOrderMark(bytes, in.start(), to);
        begun = true;
        int dataLines = 0;
        int eventFrom = 0;
        int eventTo = 0;
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

    /**
     * Begins a frame that is not parsed, because it has the shape of an earlier one: it has data, and is neither an
     * error nor {@code [DONE]}.
     */
    final void beginRepeated() {
        doneMark = false;
        beginFrame();
    }

    private void clearFrame() {
        clearData();
        dataAt = -1;
        doneMark = false;
        hiddenError = false;
        hiddenErrorWhole = false;
        lastLineCut = false;
        singular = false;
        beginFrame();
    }

    private void clearData() {
        dataBlank = false;
        dataWhole = false;
        failed = false;
        unseenError = false;
        error.beginFrame();
    }

    /** Reads the first data line. Returns the index from which to search for its end. */
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

    /** Reads data of several lines, joined by line feeds. The data is copied, which is rare. */
    private void readJoinedData(JsonCursor in, int from, int to) {
        byte[] data = FieldLines.join(DATA, in.bytes(), from, to);
        clearData();
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

    // error: {"message": ..} <- llama.cpp and similar servers; no parser knows this field
    private int readErrorField(JsonCursor in, int value, int to) {
        int lineEnd = FieldLines.lineEnd(in.bytes(), value, to);
        in.moveTo(value);
        error.read(in);
        hiddenError = true;
        hiddenErrorWhole = lineEnd < to || !in.broken();
        return lineEnd;
    }

    /**
     * Reads an error object that is written into the body without a field, over one or more lines. Returns its end,
     * {@code -1} if there is none.
     */
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
                    error.read(in);
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

    static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
