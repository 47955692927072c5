package io.millrace.bench.codec.sse;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.sse.SseFrameListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;

/** The cost of finding the ends of frames. One operation is one byte of the stream. */
public class FrameDecodingBenchmark extends StreamState implements SseFrameListener {
    private int frames;

    /** The number of frames in the stream. */
    @Benchmark
    @OperationsPerInvocation(FrameText.STREAM_BYTES)
    public int decode() {
        frames = 0;
        try (var decoder = new SseFrameDecoder(PooledByteBufAllocator.DEFAULT)) {
            eachRead(read -> decoder.decode(read, this));
        }
        return frames;
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        frames++;
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        throw new AssertionError("no frame is over the limit");
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {}
}
