package io.millrace.server.config;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The log of requests, one line each.
 *
 * @param format of a line
 * @param file to append to; null is standard output
 */
public record AccessLog(Format format, @Nullable Path file) implements Settings<AccessLog, AccessLog.Builder> {
    /** JSON lines on standard output. */
    public static final AccessLog DEFAULT = Builders.build(AccessLog.class, new Builder());

    /** No access log. */
    public static final AccessLog OFF = DEFAULT.with(a -> a.format = Format.OFF);

    public AccessLog {
        Objects.requireNonNull(format, "format");
    }

    /** The format of a line. */
    public enum Format {
        /** One JSON object. */
        JSON,
        /** {@code key=value} pairs. */
        TEXT,
        /** No lines. */
        OFF
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public Format format = Format.JSON;
        public @Nullable Path file;
    }
}
