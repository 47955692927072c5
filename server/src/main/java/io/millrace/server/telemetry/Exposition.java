package io.millrace.server.telemetry;

import io.millrace.server.http.Weighted;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusProtobufWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * All metrics at one moment, written in a format.
 *
 * @param contentType its format
 * @param gzip whether {@code body} is compressed
 */
@SuppressWarnings("ArrayRecordComponent") // is written once, and compared by nobody
public record Exposition(String contentType, boolean gzip, byte[] body) {
    /**
     * Writes {@code metrics} in the format that a client prefers.
     *
     * @param accept the fields {@code Accept} of the request
     * @param natively whether there are native histograms
     */
    static Exposition of(MetricSnapshots metrics, List<String> accept, boolean gzip, boolean natively) {
        ExpositionFormatWriter writer = Format.of(accept, natively).writer;
        var bytes = new ByteArrayOutputStream(1 << 16);
        try (OutputStream out = gzip ? new GZIPOutputStream(bytes, 1 << 12) : bytes) {
            writer.write(out, metrics);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Exposition(writer.getContentType(), gzip, bytes.toByteArray());
    }

    /** The formats in which Prometheus reads metrics. */
    enum Format {
        /** The text format 0.0.4. */
        TEXT(PrometheusTextFormatWriter.create()),
        OPEN_METRICS(OpenMetricsTextFormatWriter.create()),
        /** The only one that has native histograms. */
        PROTOBUF(new PrometheusProtobufWriter());

        /** What a media range must have to mean protobuf as it is written here. There are other encodings of it. */
        private static final List<String> PROTOBUF_PARAMETERS =
                List.of("proto=io.prometheus.client.metricfamily", "encoding=delimited");

        @SuppressWarnings("ImmutableEnumChecker") // the writers have no state
        private final ExpositionFormatWriter writer;

        Format(ExpositionFormatWriter writer) {
            this.writer = writer;
        }

        /**
         * The format with the highest weight, and of those with that weight the first. Text if the client names none.
         * Protobuf only if there are native histograms.
         */
        static Format of(List<String> accept, boolean natively) {
            for (Weighted range : Weighted.ofAll(accept)) {
                Format format = of(range);
                if (range.weight() > 0 && format != null && (natively || format != PROTOBUF)) {
                    return format;
                }
            }
            return TEXT;
        }

        private static @Nullable Format of(Weighted range) {
            return switch (range.value()) {
                case "text/plain", "text/*", "*/*" -> TEXT;
                case "application/openmetrics-text" -> OPEN_METRICS;
                case "application/vnd.google.protobuf" ->
                    range.parameters().containsAll(PROTOBUF_PARAMETERS) ? PROTOBUF : null;
                default -> null;
            };
        }
    }
}
