package io.millrace.codec.sse;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The rules of WHATWG HTML 9.2.6 once more, on whole inputs, as plainly as they can be put. */
final class NaiveSse {
    private static final Pattern LINE = Pattern.compile("([^\r\n]*)(\r\n|\n|\r)");
    private static final int[] CONTINUATIONS = {0x80, 0x90, 0xA0};

    private NaiveSse() {}

    /** End offsets of the whole frames. */
    static int[] frameEnds(byte[] input) {
        List<Integer> ends = new ArrayList<>();
        Matcher line = LINE.matcher(new String(input, ISO_8859_1));
        while (line.find()) {
            boolean bomOnly = line.start() == 0 && line.group(1).equals("\u00EF\u00BB\u00BF");
            if (line.group(1).isEmpty() || bomOnly) {
                ends.add(line.end());
            }
        }
        return ends.stream().mapToInt(Integer::intValue).toArray();
    }

    static StreamReading read(byte[] input) {
        StreamReading reading = new StreamReading();
        String text = decode(input);
        Matcher line = LINE.matcher(text.startsWith("\uFEFF") ? text.substring(1) : text);
        List<String> data = new ArrayList<>();
        String type = "";
        String id = "";
        while (line.find()) {
            String[] field = line.group(1).split(":", 2);
            String value = field.length < 2 ? "" : field[1].startsWith(" ") ? field[1].substring(1) : field[1];
            if (line.group(1).isEmpty()) {
                reading.lastEventId = id;
                if (!data.isEmpty()) {
                    reading.events.add(new SseEvent(type.isEmpty() ? "message" : type, String.join("\n", data), id));
                }
                data.clear();
                type = "";
            } else if (field[0].isEmpty()) {
                reading.comments.add(field[1]);
            } else if (field[0].equals("data")) {
                data.add(value);
            } else if (field[0].equals("event")) {
                type = value;
            } else if (field[0].equals("id")) {
                id = value.contains("\0") ? id : value;
            } else if (field[0].equals("retry")) {
                reading.retry = value.matches("[0-9]+") ? Long.valueOf(value) : reading.retry;
            } else {
                reading.unknown++;
            }
        }
        return reading;
    }

    /** One U+FFFD for each longest start of a well-formed sequence that does not end, or for each byte that begins none. */
    static String decode(byte[] input) {
        StringBuilder text = new StringBuilder();
        int at = 0;
        while (at < input.length) {
            if (input[at] >= 0) {
                text.append((char) input[at++]);
                continue;
            }
            int length = Math.min(4, input.length - at);
            while (length > 1 && !startsSequence(input, at, length)) {
                length--;
            }
            byte[] subpart = Arrays.copyOfRange(input, at, at + length);
            int whole = 1;
            while (whole < length && !wellFormed(Arrays.copyOf(subpart, whole))) {
                whole++;
            }
            subpart = Arrays.copyOf(subpart, whole);
            text.append(wellFormed(subpart) ? new String(subpart, UTF_8) : "\uFFFD");
            at += whole;
        }
        return text.toString();
    }

    /** Whether some continuation bytes make one character of the {@code length} bytes, or they begin with a whole one. */
    private static boolean startsSequence(byte[] input, int at, int length) {
        byte[] sequence = new byte[4];
        System.arraycopy(input, at, sequence, 0, length);
        return completes(sequence, length);
    }

    private static boolean completes(byte[] sequence, int length) {
        if (wellFormed(Arrays.copyOf(sequence, length))) {
            return new String(sequence, 0, length, UTF_8)
                            .codePointCount(0, new String(sequence, 0, length, UTF_8).length())
                    == 1;
        }
        for (int continuation : CONTINUATIONS) {
            if (length < 4) {
                sequence[length] = (byte) continuation;
                if (completes(sequence, length + 1)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static boolean wellFormed(byte[] bytes) {
        return UTF_8.newDecoder()
                .decode(ByteBuffer.wrap(bytes), CharBuffer.allocate(bytes.length), true)
                .isUnderflow();
    }
}
