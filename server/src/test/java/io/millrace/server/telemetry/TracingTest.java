package io.millrace.server.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Telemetry.Otlp;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TracingTest {
    private static final String ID = "0af7651916cd43dd8448eb211c80319c";
    private static final String SPAN = "b7ad6b7169203331";

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00-" + ID + "-" + SPAN + "-01",
                "00-" + ID + "-" + SPAN + "-03",
                "00-" + ID + "-" + SPAN + "-ff",
                "01-" + ID + "-" + SPAN + "-01",
                "cc-" + ID + "-" + SPAN + "-01-what-comes-later"
            })
    void goesOnWithATraceThatTheClientRecords(String parent) {
        Trace trace = tracing(0).correlate(head(parent)).trace();
        assertThat(trace.id()).isEqualTo(ID);
        assertThat(trace.parentId()).isEqualTo(SPAN);
        HttpHeaders asked = head(parent);
        trace.attempt(new Trace.Asked("u", "http://a", "chat", null), 1).writeTo(asked);
        assertThat(asked.getAll("traceparent"))
                .singleElement()
                .asString()
                .matches("00-" + ID + "-[0-9a-f]{16}-0[13]")
                .doesNotContain(SPAN);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "00-" + ID + "-" + SPAN,
                "00-" + ID + "-" + SPAN + "-1",
                "00-" + ID + "-" + SPAN + "-01-",
                "00-" + ID + "-" + SPAN + "-01x",
                "01-" + ID + "-" + SPAN + "-01x",
                "ff-" + ID + "-" + SPAN + "-01",
                "0g-" + ID + "-" + SPAN + "-01",
                "00-0AF7651916CD43DD8448EB211C80319C-" + SPAN + "-01",
                "00-00000000000000000000000000000000-" + SPAN + "-01",
                "00-" + ID + "-0000000000000000-01",
                "00_" + ID + "-" + SPAN + "-01"
            })
    void beginsATraceInPlaceOfOneThatIsNotValid(String parent) {
        Correlation names = tracing(1).correlate(head(parent));
        assertThat(names.trace().id()).matches("[0-9a-f]{32}").isNotEqualTo(ID).isEqualTo(names.traceId());
        assertThat(names.trace().parentId()).isNull();
        HttpHeaders asked = head(parent).add("tracestate", "a=1");
        names.trace().attempt(new Trace.Asked("u", "http://a", "chat", null), 1).writeTo(asked);
        assertThat(asked.getAll("traceparent")).hasSize(1);
        assertThat(asked.contains("tracestate")).isFalse();
    }

    @Test
    void twoParentsAreNone() {
        HttpHeaders head = head("00-" + ID + "-" + SPAN + "-01").add("traceparent", "00-" + ID + "-" + SPAN + "-01");
        assertThat(tracing(1).correlate(head).trace().parentId()).isNull();
    }

    @Test
    void takesNoPartInATraceThatIsNotRecorded() {
        Correlation names = tracing(1).correlate(head("00-" + ID + "-" + SPAN + "-00"));
        assertThat(names.trace()).isNull();
        assertThat(names.traceId()).isEqualTo(ID);
    }

    @Test
    void recordsTheShareThatIsAsked() {
        Tracing tracing = tracing(0.25);
        int recorded = 0;
        for (int i = 0; i < 20_000; i++) {
            recorded += tracing.correlate(new DefaultHttpHeaders()).trace().isSampled() ? 1 : 0;
        }
        assertThat(recorded).isCloseTo(5_000, within(500));
        assertThat(Tracing.OFF.correlate(new DefaultHttpHeaders())).isEqualTo(Correlation.NONE);
    }

    @Test
    void keepsABoundedNumberForTheExporter() {
        Tracing tracing = tracing(1);
        for (int i = 0; i < Tracing.MOST_WAITING + 5; i++) {
            tracing.ended(summary(tracing.correlate(new DefaultHttpHeaders())));
        }
        assertThat(tracing.lost()).isEqualTo(5);
        int taken = 0;
        while (tracing.poll() != null) {
            taken++;
        }
        assertThat(taken).isEqualTo(Tracing.MOST_WAITING);
        tracing.ended(summary(tracing.correlate(new DefaultHttpHeaders())));
        assertThat(tracing.poll()).isNotNull();
        assertThat(tracing.lost()).isEqualTo(5);
    }

    private static Summary summary(Correlation names) {
        var request = new Summary.Request(
                null, Protocol.HTTP_1_1, null, "id", "POST", "/", "chat", "m", 0, names, null, null);
        var response = new Summary.Response(200, Outcome.COMPLETED, null, null, false, 0, Summary.Whole.NONE);
        return new Summary(request, Summary.Attempts.none(null, null), response, null, null, new Timeline());
    }

    private static Tracing tracing(double ratio) {
        return Tracing.of(Otlp.OFF
                .with(o -> o.endpoint = URI.create("http://collector:4318"))
                .with(o -> o.ratio = ratio));
    }

    private static HttpHeaders head(String parent) {
        return new DefaultHttpHeaders().set("traceparent", List.of(parent));
    }
}
