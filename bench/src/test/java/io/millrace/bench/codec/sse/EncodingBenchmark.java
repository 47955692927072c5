package io.millrace.bench.codec.sse;

import io.millrace.bench.AverageTimeBenchmark;
import io.millrace.codec.sse.SseEncoder;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** The cost of writing one event. */
public class EncodingBenchmark extends AverageTimeBenchmark {
    /** The length of the data. */
    @Param({"100", "1000", "16000"})
    int dataBytes;

    private String data;
    private ByteBuf out;

    /** Makes the buffer that every operation writes to. */
    @Setup
    public void open() {
        data = "token ".repeat(dataBytes / 6 + 1).substring(0, dataBytes);
        out = PooledByteBufAllocator.DEFAULT.directBuffer(2 * dataBytes + 256);
    }

    /** Releases the buffer. */
    @TearDown
    public void close() {
        out.release();
    }

    /** An event with a type. */
    @Benchmark
    public ByteBuf event() {
        SseEncoder.event(out.clear(), "token", null, data);
        return out;
    }
}
