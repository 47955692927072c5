package io.millrace.server.relay;

import io.millrace.bench.AverageTimeBenchmark;
import io.millrace.bench.codec.RecordedStream;
import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Limits;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Match;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Route;
import io.millrace.server.downstream.Admission;
import io.millrace.server.downstream.ClientConnection;
import io.millrace.server.downstream.ClientPipeline;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestHandler;
import io.millrace.server.downstream.RequestListener;
import io.millrace.server.format.DialectSide;
import io.millrace.server.memory.MemoryAccount;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.StreamNames;
import io.millrace.server.telemetry.LoopCounters;
import io.millrace.server.telemetry.Timeline;
import io.millrace.server.telemetry.Tracing;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Turns;
import io.millrace.server.transport.Transport;
import io.millrace.server.upstream.StreamBodyReads;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The cost of one frame in the relay, without system calls. One operation is one read of the upstream with one frame in
 * one chunk. The chunk is decoded, the frame is split off and classified, the clock is read, and the chunk is written
 * and flushed through the client's pipeline.
 */
public class PipelineBenchmark extends AverageTimeBenchmark implements RequestHandler {
    /** The stream, and a word that the used frames contain. */
    @Param({
        "CHAT chat-openai-text-usage.sse \"content\":\"",
        "RESPONSES responses-openai-text.sse _text.delta",
        "MESSAGES anthropic-text-emoji.sse text_delta"
    })
    String stream;

    private static final int FRAME_HOLD = 64 * 1024;

    private final EmbeddedChannel client = new EmbeddedChannel();
    private ClientStream downstream;
    private HttpRequest request;
    private RequestBody requestBody;
    private StreamRelay relay;
    private StreamBodyReads body;
    private ByteBuf chunks;
    private int[] chunkEnds;
    private int chunk;

    /** Opens a client's connection with a request on it, and the response to it. */
    @Setup
    public void open() {
        var memory = new MemoryAccount(1, MemoryBudget.ofJvm()).loop(0);
        var sweeper = new Sweeper(client.eventLoop(), TimeUnit.SECONDS.toNanos(1));
        var requests = new Turns(client.eventLoop(), 1);
        client.pipeline()
                .addLast(new ClientPipeline(
                        Listener.at(new HostAndPort("127.0.0.1", 0)),
                        new Admission(() -> 0, () -> Limits.DEFAULT),
                        new ClientPipeline.Shared(
                                Transport.best(),
                                this,
                                (Channel channel) -> sweeper,
                                (Channel channel) -> memory,
                                (Channel channel) -> requests,
                                RelayConfig::defaults),
                        null));
        client.pipeline().fireChannelActive();
        client.writeInbound(Unpooled.copiedBuffer(
                "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
                StandardCharsets.US_ASCII));
        String[] words = stream.split(" ", 3);
        var dialect = Dialect.valueOf(words[0]);
        var shared = new RelayLoop.Shared(
                new ReplayMemory(0),
                new StreamNames(),
                List.of(),
                null,
                0,
                () -> RelayConfig.Resume.DEFAULT,
                Tracing.OFF);
        var counters = new LoopCounters();
        var timeline = new Timeline();
        timeline.countGaps(counters.histograms(), "upstream");
        var loop = RelayLoop.of(0, client.eventLoop(), null, sweeper, counters, null, memory, shared);
        requestBody = new RequestBody(client.alloc(), memory);
        var terms = new AnswerTerms(
                new ClientRequest(request, requestBody, DialectSide.of(dialect), false, Tracing.OFF), "r");
        var route = Route.of("all", Match.ALL, "upstream");
        HttpResponse answer = head();
        ClientStream to = recipient(loop, downstream, dialect, answer);
        var context = new AttemptContext(loop, to, terms, route, () -> null, false, FRAME_HOLD);
        var start = new StreamStart(to, answer, () -> {});
        relay = new StreamRelay(context, timeline, dialect, null, null, start);
        HttpResponse upstream = head();
        upstream.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        body = new StreamBodyReads(upstream, relay.frames(), relay, start.sink());
        RecordedStream recorded = RecordedStream.of(words[1]);
        chunk(recorded);
        readFirst(2);
        chunks.release();
        chunk(recorded.withFramesThatHold(words[2]));
        chunk = 0;
    }

    /** Who gets the stream that begins with {@code head}: its client alone. */
    ClientStream recipient(RelayLoop loop, ClientStream client, Dialect dialect, HttpResponse head) {
        return client;
    }

    /** Releases everything. */
    @TearDown
    public void close() {
        chunks.release();
        body.close();
        requestBody.drop();
        client.finishAndReleaseAll();
    }

    /** The number of bytes written to the client. */
    @Benchmark
    public int relayFrame() {
        int current = chunk;
        chunk = current + 1 == chunkEnds.length ? 0 : current + 1;
        body.read(chunks.setIndex(current == 0 ? 0 : chunkEnds[current - 1], chunkEnds[current]));
        relay.onReadComplete();
        ByteBuf written = client.readOutbound();
        int length = written.readableBytes();
        written.release();
        return length;
    }

    @Override
    public RequestListener onRequest(ClientStream stream, HttpRequest request) {
        downstream = stream;
        this.request = request;
        return new Unanswered();
    }

    @Override
    public void onConnected(ClientConnection connection) {}

    @Override
    public void onDisconnected(ClientConnection connection) {}

    @Override
    public void onRefused(ClientStream stream, HttpRequest request, int status, String code) {
        throw new AssertionError(code);
    }

    private void chunk(RecordedStream recorded) {
        byte[] bytes = recorded.bytes();
        chunkEnds = recorded.frameEnds();
        chunks = PooledByteBufAllocator.DEFAULT.directBuffer(2 * bytes.length);
        int from = 0;
        for (int i = 0; i < chunkEnds.length; i++) {
            int length = chunkEnds[i] - from;
            chunks.writeCharSequence(Integer.toHexString(length) + "\r\n", StandardCharsets.US_ASCII);
            chunks.writeBytes(bytes, from, length).writeBytes(new byte[] {'\r', '\n'});
            from = chunkEnds[i];
            chunkEnds[i] = chunks.writerIndex();
        }
    }

    /** Reads the first frames of a stream, which name the model. */
    private void readFirst(int frames) {
        body.read(chunks.setIndex(0, chunkEnds[frames - 1]));
        relay.onReadComplete();
        for (Object written; (written = client.readOutbound()) != null; ) {
            ReferenceCountUtil.release(written);
        }
    }

    private static HttpResponse head() {
        return new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
    }

    /** An exchange to which the benchmark only writes. */
    private static final class Unanswered implements RequestListener {
        @Override
        public void onRequestBody(ByteBuf content) {
            content.release();
        }

        @Override
        public void onRequestEnd() {}

        @Override
        public void onRequestReadComplete() {}

        @Override
        public void onRequestRefused(int status, String code, String message) {}

        @Override
        public void onClientGone(String reason) {}

        @Override
        public void onWritable(boolean writable) {}

        @Override
        public void onSweep(long nowNs) {}
    }
}
