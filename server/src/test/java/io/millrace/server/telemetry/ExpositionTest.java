package io.millrace.server.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.telemetry.Exposition.Format;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who gets the metrics in which format. */
class ExpositionTest {
    private static final String PROTOBUF =
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=";
    private static final MetricSnapshots ONE = MetricSnapshots.of(CounterSnapshot.builder()
            .name("frames")
            .help("h")
            .dataPoint(CounterDataPointSnapshot.builder().value(3).build())
            .build());

    /** {@code PB} stands for protobuf, {@code OM} for OpenMetrics. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PBdelimited | PROTOBUF",
                // Prometheus 2.45 and 3.5 with native histograms
                "PBdelimited,OM;version=1.0.0;q=0.8,OM;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1 | PROTOBUF",
                "PBdelimited;q=0.6,OM;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;q=0.2,*/*;q=0.1 | PROTOBUF",
                "OM;q=0.4, PBdelimited ; Q=0.5 | PROTOBUF",
                "PBdelimited,OM | PROTOBUF",
                // as without them: it comes last
                "OM;version=1.0.0;q=0.6,OM;version=0.0.1;q=0.5,text/plain;q=0.4,PBdelimited;q=0.3,*/*;q=0.2 | OPEN_METRICS",
                "OM,PBdelimited | OPEN_METRICS",
                "PBdelimited;q=0,OM;q=0.1 | OPEN_METRICS",
                "PBtext,OM;q=0.5 | OPEN_METRICS",
                "image/png,OM;q=0.5 | OPEN_METRICS",
                "OM;q=0.5,text/plain;q=0.6 | TEXT",
                "text/plain,OM | TEXT",
                "OM;q=0 | TEXT",
                "OM;q=0.5,*/* | TEXT",
                "text/html,application/xml;q=0.9,*/*;q=0.8 | TEXT",
                "text/* | TEXT",
                "PBtext | TEXT",
                "PBcompact-text,text/plain;q=0.5 | TEXT",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily | TEXT",
                "application/vnd.google.protobuf;encoding=delimited;proto=other | TEXT",
                "PBdelimited;q=0 | TEXT",
                "PBdelimited;q=x | TEXT",
                "*/* | TEXT",
                "application/json | TEXT",
                "'' | TEXT",
            })
    void whoPrefersAFormatGetsIt(String accept, Format format) {
        String field = accept.replace("PB", PROTOBUF).replace("OM", "application/openmetrics-text");
        assertThat(Format.of(List.of(field), true)).as(field).isEqualTo(format);
    }

    @Test
    void thereIsNoProtobufWithoutNativeHistograms() {
        assertThat(Format.of(List.of(PROTOBUF + "delimited"), false)).isEqualTo(Format.TEXT);
        assertThat(Format.of(List.of(PROTOBUF + "delimited, application/openmetrics-text;q=0.1"), false))
                .isEqualTo(Format.OPEN_METRICS);
    }

    @Test
    void severalFieldsAreOneList() {
        assertThat(Format.of(List.of("text/plain;q=0.1", "application/openmetrics-text;q=0.2"), true))
                .isEqualTo(Format.OPEN_METRICS);
        assertThat(Format.of(List.of(), true)).isEqualTo(Format.TEXT);
    }

    @Test
    void eachFormatIsWritten() {
        Exposition text = Exposition.of(ONE, List.of(), false, true);
        assertThat(text.contentType()).startsWith("text/plain; version=0.0.4");
        assertThat(new String(text.body(), StandardCharsets.UTF_8)).endsWith("\nframes_total 3.0\n");

        Exposition open = Exposition.of(ONE, List.of("application/openmetrics-text"), false, true);
        assertThat(open.contentType()).startsWith("application/openmetrics-text; version=1.0.0");
        assertThat(new String(open.body(), StandardCharsets.UTF_8)).endsWith("\nframes_total 3.0\n# EOF\n");

        Exposition protobuf = Exposition.of(ONE, List.of(PROTOBUF + "delimited"), false, true);
        assertThat(protobuf.contentType())
                .isEqualTo(
                        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited");
        // The length of the family, then its first field: the name.
        byte[] name = "frames_total".getBytes(StandardCharsets.UTF_8);
        assertThat((int) protobuf.body()[0]).isEqualTo(protobuf.body().length - 1);
        assertThat(Arrays.copyOfRange(protobuf.body(), 3, 3 + name.length)).isEqualTo(name);
    }

    @Test
    void isCompressedIfTheClientTakesThat() throws IOException {
        Exposition plain = Exposition.of(ONE, List.of(), false, false);
        Exposition compressed = Exposition.of(ONE, List.of(), true, false);
        assertThat(compressed.gzip()).isTrue();
        try (var inflated = new GZIPInputStream(new ByteArrayInputStream(compressed.body()))) {
            assertThat(inflated.readAllBytes()).isEqualTo(plain.body());
        }
    }
}
