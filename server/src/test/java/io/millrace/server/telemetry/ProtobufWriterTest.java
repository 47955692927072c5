package io.millrace.server.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who gets Prometheus' protobuf format. */
class ProtobufWriterTest {
    private static final String PROTOBUF =
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=";

    /** {@code PB} stands for the format, {@code OM} for OpenMetrics. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PBdelimited | true",
                // Prometheus 2.45 and 3.5 with native histograms
                "PBdelimited,OM;version=1.0.0;q=0.8,OM;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1 | true",
                "PBdelimited;q=0.6,OM;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;q=0.2,*/*;q=0.1 | true",
                "OM;q=0.4, PBdelimited ; Q=0.5 | true",
                "PBdelimited,OM | true",
                // as without them: it comes last
                "OM;version=1.0.0;q=0.6,OM;version=0.0.1;q=0.5,text/plain;q=0.4,PBdelimited;q=0.3,*/*;q=0.2 | false",
                "OM,PBdelimited | false",
                "PBtext | false",
                "PBcompact-text,text/plain;q=0.5 | false",
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily | false",
                "application/vnd.google.protobuf;encoding=delimited;proto=other | false",
                "PBdelimited;q=0 | false",
                "PBdelimited;q=x | false",
                "*/* | false",
                "'' | false",
            })
    void isWrittenForWhoPrefersIt(String accept, boolean accepted) {
        String field = accept.replace("PB", PROTOBUF).replace("OM", "application/openmetrics-text");
        assertThat(ProtobufWriter.accepts(field)).as(field).isEqualTo(accepted);
    }
}
