package io.millrace.codec.translate;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the text of a custom tool's call from a function's arguments, {@code {"input": "…"}}, as they come. Arguments
 * of another shape are read at their end: the only string of an object, else the whole text.
 */
final class CustomInput {
    private static final Pattern BEGINNING = Pattern.compile("\\s*+\\{\\s*+\"" + CallForm.INPUT + "\"\\s*+:\\s*+\"");
    /** The longest beginning that is read again for each piece. A longer one has another shape. */
    private static final int MAX_BEGINNING = 256;

    private static final int HEX = 16;
    private static final int HEX_DIGITS = 4;

    /** Text that was not read yet. If the shape is another one, this is all of the text. */
    private final StringBuilder raw = new StringBuilder();

    private final StringBuilder text = new StringBuilder();
    private State state = State.BEGINNING;

    private enum State {
        BEGINNING,
        STRING,
        OVER,
        OTHER
    }

    /** The text of whole arguments. */
    static String of(String arguments) {
        CustomInput input = new CustomInput();
        input.add(arguments);
        input.end();
        return input.text();
    }

    /** Takes a piece of the arguments. Returns the text that it adds, which may be empty. */
    String add(String piece) {
        if (state == State.OVER) {
            return "";
        }
        raw.append(piece);
        if (state == State.BEGINNING) {
            begin();
        }
        return state == State.STRING ? read() : "";
    }

    /** The arguments are complete. Returns the rest of the text. */
    String end() {
        if (state != State.BEGINNING && state != State.OTHER) {
            return "";
        }
        state = State.OTHER;
        String rest = rest(raw.toString());
        text.append(rest);
        return rest;
    }

    /** The whole text so far. */
    String text() {
        return text.toString();
    }

    /** Whether the arguments were read to their end. */
    boolean isWhole() {
        return state == State.OVER
                || (state == State.OTHER && (raw.isEmpty() || Json.parseObject(raw.toString()) != null));
    }

    private void begin() {
        Matcher matcher = BEGINNING.matcher(raw);
        if (matcher.lookingAt()) {
            raw.delete(0, matcher.end());
            state = State.STRING;
        } else if (!matcher.hitEnd() || raw.length() > MAX_BEGINNING) {
            state = State.OTHER;
        }
    }

    /** Reads the characters of the string. An incomplete escape waits. */
    private String read() {
        int from = text.length();
        int at = 0;
        while (at < raw.length() && state == State.STRING) {
            char c = raw.charAt(at);
            if (c == '"') {
                state = State.OVER;
            } else if (c != '\\') {
                text.append(c);
                at++;
            } else {
                int length = escape(at);
                if (length == 0) {
                    break;
                }
                at += length;
            }
        }
        raw.delete(0, at);
        return text.substring(from);
    }

    /** Appends the character of the escape at {@code at}. Returns the length of the escape, 0 if it is incomplete. */
    private int escape(int at) {
        if (at + 1 >= raw.length()) {
            return 0;
        }
        char c = raw.charAt(at + 1);
        if (c == 'u') {
            if (at + 2 + HEX_DIGITS > raw.length()) {
                return 0;
            }
            int code = 0;
            for (int i = at + 2; i < at + 2 + HEX_DIGITS; i++) {
                code = code * HEX + Math.max(0, Character.digit(raw.charAt(i), HEX));
            }
            text.append((char) code);
            return 2 + HEX_DIGITS;
        }
        text.append(
                switch (c) {
                    case 'n' -> '\n';
                    case 't' -> '\t';
                    case 'r' -> '\r';
                    case 'b' -> '\b';
                    case 'f' -> '\f';
                    default -> c;
                });
        return 2;
    }

    /** The text of arguments of another shape. */
    private static String rest(String arguments) {
        var object = Json.parseObject(arguments);
        if (object == null) {
            return arguments;
        }
        if (object.path(CallForm.INPUT).isTextual()) {
            return object.get(CallForm.INPUT).textValue();
        }
        boolean single = object.size() == 1 && object.iterator().next().isTextual();
        return single ? object.iterator().next().textValue() : object.isEmpty() ? "" : arguments;
    }
}
