package io.millrace.codec.sse;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A second, simple implementation of WHATWG HTML 9.2.6, on whole inputs. */
final class NaiveSse {
    private static final int[] CONTINUATIONS = {0x80, 0x90, 0xA0};

    private NaiveSse() {}

    /** A line: its text, where it begins, and where the next one does. */
    private record Line(String text, int start, int end) {}

    /** End offsets of the whole frames. */
    static int[] frameEnds(byte[] input) {
        return lines(new String(input, ISO_8859_1)).stream()
                .filter(line -> line.text.isEmpty() || (line.start == 0 && line.text.equals("\u00EF\u00BB\u00BF")))
                .mapToInt(Line::end)
                .toArray();
    }

    static StreamReading read(byte[] input) {
        StreamReading reading = new StreamReading();
        String text = decode(input);
        List<String> data = new ArrayList<>();
        String type = "";
        String id = "";
        for (Line line : lines(text.startsWith("\uFEFF") ? text.substring(1) : text)) {
            int colon = line.text.indexOf(':');
            String name = colon < 0 ? line.text : line.text.substring(0, colon);
            String rest = colon < 0 ? "" : line.text.substring(colon + 1);
            String value = rest.startsWith(" ") ? rest.substring(1) : rest;
            if (line.text.isEmpty()) {
                reading.lastEventId = id;
                if (!data.isEmpty()) {
                    reading.events.add(new SseEvent(type.isEmpty() ? "message" : type, String.join("\n", data), id));
                }
                data.clear();
                type = "";
            } else if (name.isEmpty()) {
                reading.comments.add(rest);
            } else if (name.equals("data")) {
                data.add(value);
            } else if (name.equals("event")) {
                type = value;
            } else if (name.equals("id")) {
                id = value.contains("\0") ? id : value;
            } else if (name.equals("retry")) {
                if (isDigits(value)) {
                    reading.retry = new BigInteger(value)
                            .min(BigInteger.valueOf(Long.MAX_VALUE))
                            .longValue();
                }
            } else {
                reading.unknown++;
            }
        }
        return reading;
    }

    private static boolean isDigits(String value) {
        return !value.isEmpty() && value.chars().allMatch(c -> c >= '0' && c <= '9');
    }

    /** The lines that have an end. There are no regular expressions, because the fuzzer instruments them, which is slow. */
    private static List<Line> lines(String text) {
        List<Line> lines = new ArrayList<>();
        int start = 0;
        for (int at = 0; at < text.length(); at++) {
            if (text.charAt(at) == '\n' || text.charAt(at) == '\r') {
                String line = text.substring(start, at);
                if (text.startsWith("\r\n", at)) {
                    at++;
                }
                lines.add(new Line(line, start, at + 1));
                start = at + 1;
            }
        }
        return lines;
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
