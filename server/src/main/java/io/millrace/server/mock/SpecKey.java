package io.millrace.server.mock;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** The keys of a {@link MockSpec}, in the order of the documentation. */
enum SpecKey {
    TOKENS(Form.COUNT),
    OUTPUT(Form.LENGTHS),
    BYTES(Form.COUNT),
    STAMP(Form.FLAG),
    DIGEST(Form.FLAG),
    TOKENS_PER_FRAME(Form.COUNT),
    TTFT_MS(Form.PACE),
    PREFILL_TPS(Form.COUNT),
    GAP_MS(Form.PACE),
    GAP(Form.PACE),
    BATCH_MS(Form.MILLIS),
    PAUSE_AFTER(Form.COUNT),
    PAUSE_MS(Form.MILLIS),
    SEED(Form.COUNT),
    HEAD_MS(Form.MILLIS),
    REASONING(Form.COUNT),
    TOOL(Form.FLAG),
    LOOP(Form.COUNT),
    FILE(Form.NAME),
    N(Form.COUNT),
    USAGE(Form.FLAG),
    DONE(Form.FLAG),
    REFUSAL(Form.FLAG),
    FINISH(Form.NAME),
    REPLAY(Form.NAME),
    FRAME_GAP_MS(Form.PACE),
    SEGMENT(Form.COUNT),
    CHUNK(Form.CHUNKING),
    LENGTH(Form.FLAG),
    STATUS(Form.STATUS, true),
    RETRY_AFTER(Form.NAME, true),
    RETRY_AFTER_S(Form.COUNT, true),
    RETRY_AFTER_MS(Form.COUNT, true),
    SHOULD_RETRY(Form.FLAG, true),
    ERROR_CODE(Form.NAME),
    FAILED(Form.FLAG),
    EMPTY(Form.FLAG, true),
    ERROR_FIRST(Form.FLAG, true),
    ERROR_AFTER(Form.COUNT, true),
    HIDDEN_ERROR_AFTER(Form.COUNT, true),
    RESET_AFTER(Form.COUNT, true),
    RESET_AT_BYTE(Form.COUNT, true),
    END_AFTER(Form.COUNT, true),
    END_AT_BYTE(Form.COUNT, true),
    EOF_AFTER(Form.COUNT, true),
    STALL_AFTER(Form.COUNT, true),
    STALL_AFTER_HEAD(Form.FLAG, true),
    STALL_HEAD(Form.FLAG, true),
    LINGER(Form.FLAG, true),
    CLOSE_ON_ACCEPT(Form.FLAG, true),
    GARBAGE_HEAD(Form.FLAG, true),
    GARBAGE_CHUNK_AFTER(Form.COUNT, true),
    GARBAGE_AFTER(Form.COUNT, true),
    FAIL_FIRST(Form.COUNT),
    FAIL_RATE(Form.PERCENT),
    GROUP(Form.NAME),
    COMMENT_EVERY_MS(Form.MILLIS),
    PING(Form.FLAG),
    NOSPACE(Form.FLAG),
    CRLF(Form.FLAG),
    GZIP(Form.FLAG),
    DEFLATE(Form.FLAG),
    BIG_FRAME(Form.COUNT),
    EXTRA_BYTES(Form.FLAG, true),
    CONTENT_TYPE(Form.NAME, true),
    HEADERS(Form.HEADERS),
    H100(Form.FLAG),
    VERSION(Form.VERSION);

    /** The form of a value, and its parser. */
    @SuppressWarnings("ImmutableEnumChecker") // the parsers are method references without state
    enum Form {
        COUNT("a number from 0 to 2147483647", text -> number(text, 0, Integer.MAX_VALUE)),
        MILLIS("milliseconds, 0 or more", SpecKey::millisAsNs),
        FLAG("0 or 1", SpecKey::flag),
        PERCENT("a number from 0 to 100", text -> number(text, 0, 100)),
        PACE(
                "milliseconds, or exp:MEAN, uniform:FROM-TO, normal:MEAN:DEVIATION, lognormal:MEDIAN:SIGMA,"
                        + " bimodal:ONE:OTHER:PERCENT",
                Pace::parse),
        LENGTHS("tokens, or exp:MEAN, uniform:FROM-TO, normal:MEAN:DEVIATION, lognormal:MEDIAN:SIGMA", Pace::parse),
        NAME("a text that is not empty", SpecKey::name),
        STATUS("a status code from 200 to 599", text -> number(text, 200, 599)),
        CHUNKING("frame, segment, whole or none", SpecKey::chunking),
        HEADERS("name:value|name:value", SpecKey::headers),
        VERSION("1.0 or 1.1", SpecKey::version);

        final String expected;
        private final Function<String, Object> parser;

        Form(String expected, Function<String, Object> parser) {
            this.expected = expected;
            this.parser = parser;
        }
    }

    final Form form;

    /** Whether it makes a request fail. {@code fail_first} and {@code fail_rate} decide which requests fail. */
    final boolean fault;

    SpecKey(Form form) {
        this(form, false);
    }

    SpecKey(Form form, boolean fault) {
        this.form = form;
        this.fault = fault;
    }

    String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    Object parse(String text) {
        try {
            return form.parser.apply(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(label() + ": " + text + " (expected: " + form.expected + ")", e);
        }
    }

    static SpecKey named(String label) {
        for (var key : values()) {
            if (key.label().equals(label)) {
                return key;
            }
        }
        throw new IllegalArgumentException(
                "mock key: " + label + " is unknown" + suggestion(label) + " (docs/mock.md lists the keys)");
    }

    /** The first key that begins like the label, or that the label begins like. */
    private static String suggestion(String label) {
        String plain = plain(label);
        return plain.length() < 3
                ? ""
                : Arrays.stream(values())
                        .map(SpecKey::label)
                        .filter(known -> plain(known).startsWith(plain) || plain.startsWith(plain(known)))
                        .findFirst()
                        .map(known -> ", did you mean '" + known + "'?")
                        .orElse("");
    }

    private static String plain(String label) {
        return label.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
    }

    private static Integer number(String text, int min, int max) {
        int value = Integer.parseInt(text);
        if (value < min || value > max) {
            throw new IllegalArgumentException(text);
        }
        return value;
    }

    private static Long millisAsNs(String text) {
        return (long) (Pace.amount(text) * 1e6);
    }

    private static Boolean flag(String text) {
        return switch (text) {
            case "0" -> false;
            case "1" -> true;
            default -> throw new IllegalArgumentException(text);
        };
    }

    private static String name(String text) {
        if (text.isEmpty() || text.chars().anyMatch(c -> c < ' ' || c > '~')) {
            throw new IllegalArgumentException(text);
        }
        return text;
    }

    private static BodyWriter.Chunking chunking(String text) {
        return BodyWriter.Chunking.valueOf(text.toUpperCase(Locale.ROOT));
    }

    private static List<String> headers(String text) {
        var lines = List.of(name(text).split("\\|"));
        if (lines.stream().anyMatch(line -> line.indexOf(':') < 1)) {
            throw new IllegalArgumentException(text);
        }
        return lines;
    }

    private static String version(String text) {
        if (!text.equals("1.0") && !text.equals("1.1")) {
            throw new IllegalArgumentException(text);
        }
        return text;
    }
}
