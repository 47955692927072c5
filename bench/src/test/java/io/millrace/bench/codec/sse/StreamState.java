package io.millrace.bench.codec.sse;

import io.millrace.bench.AverageTimeBenchmark;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.function.Consumer;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/** A stream in a buffer, which is read in pieces. */
public abstract class StreamState extends AverageTimeBenchmark {
    /** The length of a frame, including line ends. */
    @Param({"120", "1024", "16384"})
    int frameBytes;

    /** The line ends. */
    @Param({"LF", "CRLF"})
    String lineEnd;

    /** Whether reads end where frames end, or anywhere. */
    @Param({"whole", "split"})
    String reads;

    /** The kind of memory. */
    @Param({"direct", "heap"})
    String memory;

    private ByteBuf buf;
    private int[] readEnds;

    /** Fills the buffer. */
    @Setup
    public void open() {
        byte[] stream = FrameText.stream(frameBytes, lineEnd.equals("LF") ? "\n" : "\r\n");
        var alloc = PooledByteBufAllocator.DEFAULT;
        buf = memory.equals("direct") ? alloc.directBuffer(stream.length) : alloc.heapBuffer(stream.length);
        buf.writeBytes(stream);
        readEnds = FrameText.reads(frameBytes, reads.equals("split"));
    }

    /** Releases the buffer. */
    @TearDown
    public void close() {
        buf.release();
    }

    /** Calls {@code reader} with each read in turn. */
    final void eachRead(Consumer<ByteBuf> reader) {
        int from = 0;
        for (int end : readEnds) {
            reader.accept(buf.setIndex(from, end));
            from = end;
        }
    }
}
