package io.millrace.server.telemetry;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.millrace.codec.dialect.Usage;
import io.millrace.server.config.LogField;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A line that is being built. Unknown values are left out. */
abstract class LogLine {
    final StringBuilder out;
    private final Set<LogField> wanted;
    boolean empty;

    LogLine(StringBuilder out, Set<LogField> wanted) {
        this.out = out;
        this.wanted = wanted;
    }

    /** Appends the name of a value, with its separators. */
    abstract void name(LogField field, boolean first);

    /** Appends a text value. */
    abstract void value(String text);

    void begin() {
        empty = true;
    }

    void end() {}

    final void text(LogField field, @Nullable String value) {
        if (value != null && next(field)) {
            value(value);
        }
    }

    final void number(LogField field, long value) {
        if (next(field)) {
            out.append(value);
        }
    }

    final void known(LogField field, long value) {
        if (value >= 0) {
            number(field, value);
        }
    }

    /** Milliseconds between two moments, with microseconds; left out if either was not reached. */
    final void ms(LogField field, long fromNs, long toNs) {
        if (fromNs == 0 || toNs == 0 || !next(field)) {
            return;
        }
        long us = Math.max(0, (toNs - fromNs + 500) / 1000);
        out.append(us / 1000).append('.');
        out.append((char) ('0' + us / 100 % 10)).append((char) ('0' + us / 10 % 10));
        out.append((char) ('0' + us % 10));
    }

    /** Begins a field. Returns false if the line is to have no such field. */
    private boolean next(LogField field) {
        if (!wanted.contains(field)) {
            return false;
        }
        name(field, empty);
        empty = false;
        return true;
    }

    /** The token counts that are known. */
    final void tokens(Usage usage) {
        known(LogField.INPUT_TOKENS, usage.inputTokens());
        known(LogField.OUTPUT_TOKENS, usage.outputTokens());
        known(LogField.CACHED_TOKENS, usage.cachedTokens());
        known(LogField.CACHE_WRITE_TOKENS, usage.cacheWriteTokens());
        known(LogField.REASONING_TOKENS, usage.reasoningTokens());
    }

    static final class JsonLine extends LogLine {
        private static final JsonStringEncoder ENCODER = JsonStringEncoder.getInstance();
        /** What is before a value that is not the first. */
        private static final Map<LogField, String> NAMES = new EnumMap<>(LogField.class);

        static {
            for (LogField field : LogField.values()) {
                NAMES.put(field, ",\"" + field.label() + "\":");
            }
        }

        JsonLine(StringBuilder out, Set<LogField> wanted) {
            super(out, wanted);
        }

        @Override
        void name(LogField field, boolean first) {
            String name = requireNonNull(NAMES.get(field));
            if (first) {
                out.append('{').append(name, 1, name.length());
            } else {
                out.append(name);
            }
        }

        @Override
        void value(String text) {
            out.append('"');
            if (isPlain(text)) {
                out.append(text);
            } else {
                ENCODER.quoteAsString(text, out);
            }
            out.append('"');
        }

        /** Whether nothing of it is escaped. The encoder goes from character to character, and most values are plain. */
        private static boolean isPlain(String text) {
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                if (c < ' ' || c == '"' || c == '\\') {
                    return false;
                }
            }
            return true;
        }

        @Override
        void end() {
            out.append(empty ? "{}" : "}");
        }
    }

    static final class TextLine extends LogLine {
        TextLine(StringBuilder out, Set<LogField> wanted) {
            super(out, wanted);
        }

        @Override
        void name(LogField field, boolean first) {
            if (!first) {
                out.append(' ');
            }
            out.append(field.label()).append('=');
        }

        @Override
        void value(String text) {
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                out.append(c <= ' ' || c == 0x7f ? '_' : c);
            }
        }
    }
}
