package io.millrace.server.downstream;

import io.millrace.bench.AverageTimeBenchmark;
import io.millrace.server.config.Http2;
import io.millrace.server.config.Limits;
import io.millrace.server.http.FrameBudget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.ReferenceCountUtil;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The cost of a client's sink for one frame of 310 bytes, without socket, TLS and flush: append, frame and write. Over
 * HTTP/2, 100 streams of one connection take turns, and their windows are opened again as by a client.
 */
public class SinkBenchmark extends AverageTimeBenchmark {
    private static final int STREAMS = 100;
    private static final int FRAME_BYTES = 310;

    private final Http2Codec codec = Http2Codec.of(Limits.DEFAULT, Http2.DEFAULT);
    private final EmbeddedChannel http2 = new EmbeddedChannel(new Drop(), codec);
    private final EmbeddedChannel http1 = new EmbeddedChannel(new Drop(), new ChannelOutboundHandlerAdapter());
    private final Http2FrameSink[] http2Sinks = new Http2FrameSink[STREAMS];
    private final Http2Stream[] streams = new Http2Stream[STREAMS];
    private final ByteBuf frame = PooledByteBufAllocator.DEFAULT.directBuffer().writeZero(FRAME_BYTES);
    private Http1FrameSink http1Sink;
    private int unacknowledged;

    /** The kernel, which takes everything. */
    private static final class Drop extends ChannelOutboundHandlerAdapter {
        @Override
        public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise) {
            ReferenceCountUtil.release(msg);
            promise.trySuccess();
        }
    }

    private static final class Nobody implements Http2StreamOutput.Owner {
        @Override
        public void onEndWritten() {}

        @Override
        public void onRoom() {}
    }

    /** Opens the streams. */
    @Setup
    public void open() throws Http2Exception {
        http2.config().setAllocator(PooledByteBufAllocator.DEFAULT);
        http1.config().setAllocator(PooledByteBufAllocator.DEFAULT);
        FrameBudget budget = FrameBudget.ofClient(1000, 100, System::nanoTime);
        var outputs = new Http2Output(output(http2), codec, budget, 1 << 20, () -> {}, () -> {});
        for (int i = 0; i < STREAMS; i++) {
            streams[i] = codec.connection().remote().createStream(1 + 2 * i, true);
            http2Sinks[i] = new Http2FrameSink(PooledByteBufAllocator.DEFAULT);
            http2Sinks[i].begin(outputs.of(streams[i], Limits.DEFAULT, new Nobody()));
        }
        ClientOutput output = output(http1);
        http1Sink = new Http1FrameSink(output, true);
        http1Sink.goOn(new Http1FrameSink(output, true));
    }

    private static ClientOutput output(Channel channel) {
        var output = new ClientOutput(channel);
        channel.pipeline().addFirst(output);
        return output;
    }

    /** Releases the frame. */
    @TearDown
    public void close() {
        frame.release();
    }

    /** Over HTTP/2. */
    @Benchmark
    @OperationsPerInvocation(STREAMS)
    public int http2() throws Http2Exception {
        for (Http2FrameSink sink : http2Sinks) {
            sink.append(frame, 0, FRAME_BYTES);
            sink.write();
        }
        if (++unacknowledged == 2) { // within the connection's window of 65,535
            acknowledge();
        }
        return unacknowledged;
    }

    /** Over HTTP/1.1, in chunks. */
    @Benchmark
    public int http1() {
        http1Sink.append(frame, 0, FRAME_BYTES);
        http1Sink.write();
        return http1Sink.pendingBytes();
    }

    private void acknowledge() throws Http2Exception {
        var windows = codec.encoder().flowController();
        int bytes = unacknowledged * FRAME_BYTES;
        unacknowledged = 0;
        windows.incrementWindowSize(codec.connection().connectionStream(), bytes * STREAMS);
        for (Http2Stream stream : streams) {
            windows.incrementWindowSize(stream, bytes);
        }
    }
}
