package io.millrace.server.config;

import io.millrace.server.config.Credential.Secret;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What others are told about the relay and its requests, beside the access log.
 *
 * @param usageLog the export of token counts for billing
 * @param otlp the collector of OpenTelemetry
 * @param nativeHistograms whether Prometheus may also read native histograms
 */
public record Telemetry(UsageLog usageLog, Otlp otlp, boolean nativeHistograms)
        implements Settings<Telemetry, Telemetry.Builder> {
    /** Nothing is exported. */
    public static final Telemetry DEFAULT = Builders.build(Telemetry.class, new Builder());

    public Telemetry {
        Objects.requireNonNull(usageLog, "usageLog");
        Objects.requireNonNull(otlp, "otlp");
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

    /**
     * A collector that takes OTLP over HTTP (protobuf).
     *
     * @param endpoint the URL of the collector, without {@code /v1/traces}; null sends nothing
     * @param headers fields of each request to the collector, by name
     * @param traces whether spans are sent, and {@code traceparent} is changed for upstreams
     * @param ratio the share of traces that are recorded, of those that begin here, from 0 to 1
     * @param metrics whether metrics are sent
     * @param interval the time between two reports of the metrics
     */
    public record Otlp(
            @Nullable URI endpoint,
            Map<String, Secret> headers,
            boolean traces,
            double ratio,
            boolean metrics,
            Duration interval)
            implements Settings<Otlp, Otlp.Builder> {
        private static final Set<String> SCHEMES = Set.of("http", "https");
        private static final Duration SHORTEST = Duration.ofSeconds(1);

        /** Nothing is sent. */
        public static final Otlp OFF = Builders.build(Otlp.class, new Builder());

        public Otlp {
            headers = Collections.unmodifiableMap(new LinkedHashMap<>(headers));
            if (endpoint != null) {
                checkEndpoint(endpoint);
            }
            headers.keySet().forEach(name -> Checks.headerName("headers", name));
            Checks.fraction("ratio", ratio);
            Checks.positive("interval", interval);
            if (interval.compareTo(SHORTEST) < 0) {
                throw new IllegalArgumentException("interval: " + interval + " (expected: >= " + SHORTEST + ")");
            }
        }

        /** Whether there is something to send, and a collector that takes it. */
        public boolean on() {
            return endpoint != null && (traces || metrics);
        }

        /** Whether requests are traced. */
        public boolean tracing() {
            return endpoint != null && traces;
        }

        /** Messages do not repeat the URL, because people put passwords there. */
        private static void checkEndpoint(URI endpoint) {
            String scheme =
                    endpoint.getScheme() == null ? "" : endpoint.getScheme().toLowerCase(Locale.ROOT);
            String expected = " (expected: such as http://127.0.0.1:4318)";
            if (!SCHEMES.contains(scheme) || endpoint.getHost() == null) {
                throw new IllegalArgumentException("endpoint: has no http:// or https:// and a host" + expected);
            }
            if (endpoint.getRawUserInfo() != null) {
                throw new IllegalArgumentException("endpoint: has a user or password (expected: headers)");
            }
            if (endpoint.getRawQuery() != null || endpoint.getRawFragment() != null) {
                throw new IllegalArgumentException("endpoint: has a query or fragment" + expected);
            }
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public @Nullable URI endpoint;
            public Map<String, Secret> headers = Map.of();
            public boolean traces = true;
            public double ratio = 0.01;
            public boolean metrics = true;
            public Duration interval = Duration.ofMinutes(1);
        }
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public UsageLog usageLog = UsageLog.OFF;
        public Otlp otlp = Otlp.OFF;
        public boolean nativeHistograms;
    }
}
