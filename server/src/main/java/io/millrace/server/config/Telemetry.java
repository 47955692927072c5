package io.millrace.server.config;

import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What others are told about the relay and its requests, beside the access log.
 *
 * @param usageLog the export of token counts for billing
 */
public record Telemetry(UsageLog usageLog) implements Settings<Telemetry, Telemetry.Builder> {
    /** No export. */
    public static final Telemetry DEFAULT = Builders.build(Telemetry.class, new Builder());

    public Telemetry {
        Objects.requireNonNull(usageLog, "usageLog");
    }

    /**
     * The export of token counts for billing, one line of JSON for each answer.
     *
     * @param file to append to; null exports nothing
     * @param rotate the size in bytes at which the file gets another name, and a new one begins; 0 never does that
     */
    public record UsageLog(@Nullable Path file, long rotate) implements Settings<UsageLog, UsageLog.Builder> {
        /** Nothing is exported. */
        public static final UsageLog OFF = Builders.build(UsageLog.class, new Builder());

        private static final long LEAST = 4096;

        public UsageLog {
            Checks.range("rotate", rotate, 0, 1L << 50);
            if (rotate > 0 && rotate < LEAST) {
                throw new IllegalArgumentException("rotate: " + rotate + " (expected: 0, or >= " + LEAST + ")");
            }
        }

        /** Whether answers are exported. */
        public boolean on() {
            return file != null;
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public @Nullable Path file;
            public long rotate;
        }
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public UsageLog usageLog = UsageLog.OFF;
    }
}
