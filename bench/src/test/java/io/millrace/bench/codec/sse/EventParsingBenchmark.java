package io.millrace.bench.codec.sse;

import io.millrace.codec.sse.SseEvent;
import io.millrace.codec.sse.SseEventListener;
import io.millrace.codec.sse.SseEventParser;
import io.netty.buffer.PooledByteBufAllocator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** The cost of reading events with their data as text. One operation is one byte of the stream. */
public class EventParsingBenchmark extends StreamState implements SseEventListener {
    private int chars;

    /** The number of characters of data in the stream. */
    @Benchmark
    @OperationsPerInvocation(FrameText.STREAM_BYTES)
    public int parse() {
        chars = 0;
        try (var parser = new SseEventParser(PooledByteBufAllocator.DEFAULT)) {
            eachRead(read -> parser.parse(read, this));
        }
        return chars;
    }

    @Override
    public void onEvent(SseEvent event) {
        chars += event.data().length();
    }
}
