package io.millrace.server.telemetry;

import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * The text of all metrics at one moment.
 *
 * @param contentType its format
 * @param gzip whether {@code body} is compressed
 */
@SuppressWarnings("ArrayRecordComponent") // is written once, and compared by nobody
public record Exposition(String contentType, boolean gzip, byte[] body) {
    private static final ExpositionFormatWriter TEXT = PrometheusTextFormatWriter.create();
    private static final ExpositionFormatWriter OPEN_METRICS = OpenMetricsTextFormatWriter.create();

    /**
     * Writes {@code metrics} as OpenMetrics if {@code accept} has that, otherwise in the text format 0.0.4. Only the
     * format of protobuf has native histograms.
     *
     * @param accept the field of the request; null if it has none
     * @param natively whether there are native histograms
     */
    static Exposition of(MetricSnapshots metrics, @Nullable String accept, boolean gzip, boolean natively) {
        boolean protobuf = natively && accept != null && ProtobufWriter.accepts(accept);
        ExpositionFormatWriter writer = OPEN_METRICS.accepts(accept) ? OPEN_METRICS : TEXT;
        var bytes = new ByteArrayOutputStream(1 << 16);
        try (OutputStream out = gzip ? new GZIPOutputStream(bytes, 1 << 12) : bytes) {
            if (protobuf) {
                ProtobufWriter.write(out, metrics);
            } else {
                writer.write(out, metrics);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Exposition(
                protobuf ? ProtobufWriter.CONTENT_TYPE : writer.getContentType(), gzip, bytes.toByteArray());
    }
}
