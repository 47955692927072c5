package io.millrace.server.config.file;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Checks;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The text form of a value in the file.
 *
 * @param reader throws {@link IllegalArgumentException} for a text that is not such a value
 * @param writer returns a text, a number or a boolean that the reader can read
 * @param shape the schema of the text
 */
record Form<V>(Function<String, V> reader, Function<V, Object> writer, Shape shape) {
    static final Form<String> TEXT = new Form<>(text -> text, text -> text, Shape.TEXT);
    static final Form<Boolean> BOOLEAN = new Form<>(Form::toBoolean, value -> value, Shape.BOOLEAN);
    static final Form<Integer> COUNT =
            new Form<>(text -> number(text, Integer::valueOf, "a whole number"), value -> value, Shape.WHOLE);
    static final Form<Long> NUMBER =
            new Form<>(text -> number(text, Long::valueOf, "a whole number"), value -> value, Shape.WHOLE);
    static final Form<Double> FRACTION =
            new Form<>(text -> number(text, Form::toDouble, "a number such as 0.5"), value -> value, Shape.NUMBER);
    static final Form<Duration> DURATION =
            new Form<>(Quantities::duration, Quantities::format, Quantities.DURATION_SHAPE);
    static final Form<Long> SIZE = new Form<>(Quantities::size, Quantities::formatSize, Quantities.SIZE_SHAPE);
    /** A size, within the range of its type. */
    static final Form<Integer> BYTES =
            new Form<>(Form::toBytes, bytes -> Quantities.formatSize(bytes), Quantities.SIZE_SHAPE);
    /** A header's name, converted to lower case. */
    static final Form<String> HEADER = new Form<>(Form::toHeader, header -> header, Shape.TEXT);

    static final Form<URI> URL = new Form<>(Form::toUrl, URI::toString, Shape.TEXT);
    /** The dialects of an upstream. */
    static final Form<Dialect> SPOKEN =
            choice(new Dialect[] {Dialect.CHAT, Dialect.RESPONSES, Dialect.MESSAGES, Dialect.GEMINI});

    /** The constant that has this label. */
    static <E extends Enum<E>> Form<E> choice(E[] constants) {
        return choice(constants, Form::label);
    }

    /** The constant that has this {@code label}. */
    static <E extends Enum<E>> Form<E> choice(E[] constants, Function<E, String> label) {
        Map<String, E> byLabel = Arrays.stream(constants)
                .collect(Collectors.toMap(label, constant -> constant, (a, b) -> a, LinkedHashMap::new));
        return new Form<>(
                text -> {
                    E constant = byLabel.get(text);
                    if (constant == null) {
                        throw new IllegalArgumentException("'" + text + "'" + choices(text, byLabel.keySet()));
                    }
                    return constant;
                },
                label::apply,
                Shape.words(byLabel.keySet()));
    }

    /** Providers' names stand for their dialects. */
    private static String choices(String text, Set<String> labels) {
        String meant = switch (text) {
            case "anthropic", "claude" -> "messages";
            case "openai", "completions" -> "chat";
            case "google", "vertex" -> "gemini";
            default -> "";
        };
        return labels.contains(meant) ? ", did you mean '" + meant + "'?" : Suggestion.forWord(text, labels);
    }

    /** This form, in which {@code word} also stands for {@code meaning}. */
    Form<V> or(String word, V meaning) {
        return new Form<>(
                text -> text.equals(word) ? meaning : reader.apply(text),
                value -> value.equals(meaning) ? word : writer.apply(value),
                shape.or(Shape.words(List.of(word))));
    }

    /** The value. */
    V read(String text) {
        return reader.apply(text);
    }

    /** The text, number or boolean; null for a null node. */
    @Nullable
    Object write(@Nullable V value) {
        return value == null ? null : writer.apply(value);
    }

    /** The text of a constant: its name in lower case and with hyphens. */
    static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static boolean toBoolean(String text) {
        return switch (text) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException("'" + text + "' (expected: true or false)");
        };
    }

    private static <V> V number(String text, Function<String, V> parser, String expected) {
        try {
            return parser.apply(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' (expected: " + expected + ")", e);
        }
    }

    private static int toBytes(String text) {
        return (int) Math.min(Integer.MAX_VALUE, Quantities.size(text));
    }

    private static double toDouble(String text) {
        return new BigDecimal(text).doubleValue();
    }

    private static String toHeader(String name) {
        Checks.headerName("header", name);
        return name.toLowerCase(Locale.ROOT);
    }

    /** The message for an invalid URL does not repeat it, because it may contain a password. */
    private static URI toUrl(String text) {
        if (text.contains("${") || text.startsWith("$")) {
            throw new IllegalArgumentException("variables are not expanded here (expected: the URL itself)");
        }
        if (!text.contains("://")) {
            throw new IllegalArgumentException(
                    "no http:// or https:// in it (expected: http://host:port or https://host)");
        }
        try {
            return URI.create(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("not a URL (expected: http://host:port or https://host)", e);
        }
    }
}
