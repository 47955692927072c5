package io.millrace.server.config;

import java.nio.file.Path;
import java.util.Objects;

/**
 * The log of requests, one line each.
 *
 * @param format of a line
 * @param file to append to; null is standard output
 */
public record AccessLog(Format format, Path file) {
    /** JSON lines on standard output. */
    public static final AccessLog DEFAULT = new AccessLog(Format.JSON, null);

    /** None. */
    public static final AccessLog OFF = new AccessLog(Format.OFF, null);

    public AccessLog {
        Objects.requireNonNull(format, "format");
    }

    /** What a line looks like. */
    public enum Format {
        /** One JSON object. */
        JSON,
        /** {@code key=value} pairs. */
        TEXT,
        /** No lines. */
        OFF
    }

    /** This with another {@code format}. */
    public AccessLog withFormat(Format format) {
        return new AccessLog(format, file);
    }

    /** This with another {@code file}. */
    public AccessLog withFile(Path file) {
        return new AccessLog(format, file);
    }
}
