package io.millrace.server.relay;

import io.millrace.bench.AverageTimeBenchmark;
import io.millrace.server.config.Telemetry.Otlp;
import io.millrace.server.telemetry.Correlation;
import io.millrace.server.telemetry.Trace;
import io.millrace.server.telemetry.Tracing;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaders;
import java.net.URI;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;

/**
 * The cost of traces on the event loop for one exchange with one attempt: the head is read, the attempt begins, its head is
 * written, and it ends. A frame costs nothing.
 */
public class TracingBenchmark extends AverageTimeBenchmark {
    private static final Trace.Asked ASKED = new Trace.Asked("openai", "https://api.openai.com", "chat", null);

    /** Off, or the share of traces that are recorded. */
    @Param({"off", "0", "0.01", "1"})
    public String ratio;

    private final HttpHeaders client = new DefaultHttpHeaders();
    private Tracing tracing;

    @Setup
    public void setUp() {
        for (int i = 0; i < 11; i++) {
            client.add("x-stainless-field-" + i, "a value of the usual length");
        }
        tracing = ratio.equals("off")
                ? Tracing.OFF
                : Tracing.of(Otlp.OFF
                        .with(o -> o.endpoint = URI.create("http://127.0.0.1:4318"))
                        .with(o -> o.ratio = Double.parseDouble(ratio)));
    }

    @Benchmark
    public Object exchange() {
        Correlation names = tracing.correlate(client);
        Trace trace = names.trace();
        if (trace != null) {
            HttpHeaders asked = new DefaultHttpHeaders();
            Trace.Attempt attempt = trace.attempt(ASKED, System.nanoTime());
            attempt.writeTo(asked);
            attempt.ended(System.nanoTime());
            return asked;
        }
        return names;
    }
}
