package io.millrace.codec.dialect;

import static io.millrace.codec.dialect.FrameInspector.ascii;

import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The last error of a stream. It also notes which keys of the current frame are keys of errors. A frame with such keys
 * and no content of an answer is an error.
 */
final class StreamError {
    private static final byte[] CODE = ascii("code");
    private static final byte[] TYPE = ascii("type");
    private static final byte[] STATUS = ascii("status");
    private static final byte[] MESSAGE = ascii("message");
    private static final byte[] MSG = ascii("msg");
    private static final byte[] DETAIL = ascii("detail");
    private static final byte[] OBJECT = ascii("object");
    private static final byte[] ERROR = ascii("error");
    private static final byte[] QUOTED_ERROR = ascii("\"error\"");
    private static final byte[] STATUS_CODE = ascii("status_code");
    private static final byte[] ERROR_CODE = ascii("error_code");
    private static final byte[] ERROR_TYPE = ascii("error_type");
    private static final byte[] ERROR_MESSAGE = ascii("error_message");
    private static final byte[] ERROR_MSG = ascii("error_msg");
    private static final Set<String> GOOD_CODES = Set.of("0", "200", "ok", "OK", "success");
    private static final int MAX_RAW_MESSAGE = 500;
    /** The type of the event around an error, which does not describe the error. */
    private static final String TYPE_OF_EVENTS = "error";

    /** A key that makes the frame an error alone. The two other keys make it an error together. */
    private static final int ERROR_KEY = 1;

    private static final int CODE_KEY = 2;
    private static final int MESSAGE_KEY = 4;

    private @Nullable String type;
    private @Nullable String name;
    private @Nullable String message;

    // State of the current frame.
    private boolean read;
    private int keys;

    /** Begins another frame. The error of an earlier frame stays. */
    void beginFrame() {
        read = false;
        keys = 0;
    }

    /** The status name of the last error, else its code, else its type; {@code null} if it has none of them. */
    @Nullable
    String type() {
        return type;
    }

    /** The code of the last error if that is a word, else its type; {@code null} if it has neither. */
    @Nullable
    String name() {
        return name;
    }

    /** The message of the last error, {@code null} if there is none. */
    @Nullable
    String message() {
        return message;
    }

    /** Whether an error was read in the current frame. */
    boolean isRead() {
        return read;
    }

    /** Notes the last key if it is a key of errors and its value is not empty. Does not move. */
    void noteKey(JsonCursor json) {
        if (json.tokenIs(CODE)) {
            keys |= json.truthyAhead() ? CODE_KEY : 0;
        } else if (json.tokenIs(MESSAGE) || json.tokenIs(MSG)) {
            keys |= json.textAhead() ? MESSAGE_KEY : 0;
        } else if (json.tokenIs(OBJECT)) {
            keys |= FieldLines.startsWith(json.bytes(), json.position(), json.end(), QUOTED_ERROR) ? ERROR_KEY : 0;
        } else if (json.tokenIs(ERROR_TYPE)
                || json.tokenIs(ERROR_MESSAGE)
                || json.tokenIs(ERROR_MSG)
                || json.tokenIs(ERROR_CODE)) {
            keys |= json.truthyAhead() ? ERROR_KEY : 0;
        }
    }

    /** Whether the noted keys of this frame make it an error. */
    boolean hasErrorKeys() {
        int both = CODE_KEY | MESSAGE_KEY;
        return (keys & ERROR_KEY) != 0 || (keys & both) == both;
    }

    /** Whether only a code and a message made the frame an error, and the code means success. */
    boolean isSuccess() {
        return (keys & ERROR_KEY) == 0 && type != null && GOOD_CODES.contains(type);
    }

    /** Discards the error that was read: it is none. */
    void forget() {
        type = null;
        message = null;
    }

    /** Reads type and message of an error object, or of the object around it. The inner one has priority. */
    void read(JsonCursor json) {
        read = true;
        int inner = readFields(json);
        if (inner >= 0 && !json.broken()) {
            String outerType = type;
            String outerMessage = message;
            int after = json.position();
            json.moveTo(inner);
            readFields(json);
            json.moveTo(after);
            type = type == null && !TYPE_OF_EVENTS.equals(outerType) ? outerType : type;
            message = message == null ? outerMessage : message;
        }
    }

    /**
     * Reads an error that is the frame's whole data, which begins at {@code dataAt}: an object, a string or plain text.
     */
    void readData(JsonCursor json, int dataAt) {
        json.moveTo(dataAt);
        int from = json.position();
        if (json.objectAhead() || json.stringAhead()) {
            read(json);
        } else {
            int to = Math.min(FieldLines.lineEnd(json.bytes(), from, json.end()), from + MAX_RAW_MESSAGE);
            message = new String(json.bytes(), from, to - from, StandardCharsets.UTF_8);
        }
    }

    /** Returns the index of an inner error object, {@code -1} if there is none. */
    private int readFields(JsonCursor json) {
        if (!json.objectAhead()) {
            if (json.readString()) {
                message = json.token(null);
            }
            return -1;
        }
        String status = null;
        String code = null;
        String kind = null;
        String number = null;
        String text = null;
        int inner = -1;
        json.enterObject();
        while (json.nextKey()) {
            if (json.tokenIs(CODE) || json.tokenIs(ERROR_CODE)) {
                code = word(json, code);
            } else if (json.tokenIs(TYPE) || json.tokenIs(ERROR_TYPE)) {
                kind = word(json, kind);
            } else if (json.tokenIs(STATUS) && json.stringAhead()) {
                status = word(json, status);
            } else if (json.tokenIs(STATUS) || json.tokenIs(STATUS_CODE)) {
                number = word(json, number);
            } else if (isMessage(json) && json.stringAhead()) {
                text = word(json, text);
            } else if ((json.tokenIs(ERROR) && json.truthyAhead()) || (json.tokenIs(MESSAGE) && json.objectAhead())) {
                inner = json.position();
                json.skipValue();
            } else {
                json.skipValue();
            }
        }
        type = status != null ? status : code != null ? code : number != null ? number : kind;
        name = code != null && !isNumber(code) ? code : kind;
        message = text;
        return inner;
    }

    /** The next value if it is a string or number, not empty and not zero; otherwise {@code previous}. */
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
}
