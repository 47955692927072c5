package io.millrace.bench.peers;

import com.launchdarkly.eventsource.ConnectStrategy;
import com.launchdarkly.eventsource.ErrorStrategy;
import com.launchdarkly.eventsource.EventSource;
import com.launchdarkly.eventsource.StreamException;
import com.launchdarkly.logging.LDLogger;
import io.millrace.bench.AverageTimeBenchmark;
import io.millrace.bench.codec.sse.FrameText;
import io.millrace.codec.sse.SseEventListener;
import io.millrace.codec.sse.SseEventParser;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.sse.SseFrameListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import okhttp3.sse.internal.ServerSentEventReader;
import okio.Okio;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.springframework.core.ResolvableType;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DefaultDataBufferFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.ReactiveHttpInputMessage;
import org.springframework.http.codec.ServerSentEvent;
import org.springframework.http.codec.ServerSentEventHttpMessageReader;
import reactor.core.publisher.Flux;

/**
 * What it costs others to read the events of a stream, and what it costs us: one operation is one byte of the stream. All
 * get the same bytes from memory (ours in a direct buffer, as from a socket; Spring's and ours in reads of whole frames, the
 * others as an {@code InputStream}), and hand on the data of each event as text. Only {@link #millraceFrames} does what a
 * relay does and makes no text; only {@link #openAi} cannot but parse that text as JSON too.
 */
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 6, time = 1)
public class EventReadingBenchmark extends AverageTimeBenchmark {
    /** Length of a frame, line ends included, and which line ends. */
    @Param({"120 LF", "120 CRLF", "1024 LF", "16384 LF"})
    String frame;

    private int frameBytes;
    private int noDataBytes;
    private byte[] stream;
    private ByteBuf buf;
    private int[] readEnds;
    private int chars;

    /** Makes the stream. */
    @Setup
    public void open() {
        String[] words = frame.split(" ", 2);
        String lineEnd = words[1].equals("LF") ? "\n" : "\r\n";
        frameBytes = Integer.parseInt(words[0]);
        noDataBytes = "data: ".length() + 2 * lineEnd.length();
        stream = FrameText.stream(frameBytes, lineEnd);
        readEnds = FrameText.reads(frameBytes, false);
        buf = PooledByteBufAllocator.DEFAULT.directBuffer(stream.length).writeBytes(stream);
    }

    /** Checks that every event was read, and releases the buffer. */
    @TearDown
    public void close() {
        buf.release();
        int expected = stream.length - stream.length / frameBytes * noDataBytes;
        if (chars != expected) {
            throw new AssertionError("read " + chars + " characters of data, expected " + expected);
        }
    }

    /** Frames, without text. */
    @Benchmark
    @OperationsPerInvocation(FrameText.STREAM_BYTES)
    public int millraceFrames() {
        chars = 0;
        int from = 0;
        var counter = new FrameCounter();
        try (var decoder = new SseFrameDecoder(PooledByteBufAllocator.DEFAULT)) {
            for (int end : readEnds) {
                decoder.decode(buf.setIndex(from, end), counter);
                from = end;
            }
        }
        return chars;
    }

    /** Events. */
    @Benchmark
    @OperationsPerInvocation(FrameText.STREAM_BYTES)
    public int millraceEvents() {
        chars = 0;
        int from = 0;
        SseEventListener counter = event -> chars += event.data().length();
        try (var parser = new SseEventParser(PooledByteBufAllocator.DEFAULT)) {
            for (int end : readEnds) {
                parser.parse(buf.setIndex(from, end), counter);
                from = end;
            }
        }
        return chars;
    }

    /** The loop that people write: {@code readLine}, and what stands behind {@code data:}. */
    @Benchmark
    @OperationsPerInvocation(FrameText.STREAM_BYTES)
    public int readLine() throws IOException {
        chars = 0;
        var reader = new BufferedReader(new InputStreamReader(new ByteArrayInputStream(stream), StandardCharsets.UTF_8));
        for (String line; (line = reader.readLine()) != null; ) {
            if (line.startsWith("data:")) {
                chars += line.substring(line.startsWith("data: ") ? 6 : 5).length();
            }
        }
        return chars;
    }

    /** The reader inside okhttp-sse. */
    @Benchmark
    @OperationsPerInvocation(FrameText.STREAM_BYTES)
    public int okHttp() throws IOException {
        chars = 0;
        var reader = new ServerSentEventReader(
                Okio.buffer(Okio.source(new ByteArrayInputStream(stream))), new ServerSentEventReader.Callback() {
                    @Override
                    public void onEvent(String id, String type, String data) {
                        chars += data.length();
                    }

                    @Override
                    public void onRetryChange(long timeMs) {}
                });
        while (reader.processNextEvent()) {
            // Reports to the callback.
        }
        return chars;
    }

    /** LaunchDarkly's EventSource over a connection that is in memory. */
    @Benchmark
    @OperationsPerInvocation(FrameText.STREAM_BYTES)
    public int launchDarkly() {
        chars = 0;
        try (var source = new EventSource.Builder(new InMemory(stream))
                .errorStrategy(ErrorStrategy.alwaysThrow())
                .build()) {
            while (true) {
                chars += source.readMessage().getData().length();
            }
        } catch (StreamException e) {
            return chars; // the end of the stream
        }
    }

    /** Spring's reader of events as text. */
    @Benchmark
    @OperationsPerInvocation(FrameText.STREAM_BYTES)
    public int spring() {
        chars = 0;
        var type = ResolvableType.forClassWithGenerics(ServerSentEvent.class, String.class);
        new ServerSentEventHttpMessageReader()
                .read(type, new Body(), Map.of())
                .cast(ServerSentEvent.class)
                .doOnNext(event -> chars += ((String) event.data()).length())
                .blockLast();
        return chars;
    }

    /** Jersey's {@code EventInput}. */
    @Benchmark
    @OperationsPerInvocation(FrameText.STREAM_BYTES)
    public int jersey(JerseyEvents events) {
        chars = events.chars(stream);
        return chars;
    }

    /** The reader inside OpenAI's SDK. */
    @Benchmark
    @OperationsPerInvocation(FrameText.STREAM_BYTES)
    public int openAi(OpenAiMessages messages) {
        chars = messages.chars(stream);
        return chars;
    }

    /** The reader inside Anthropic's SDK. */
    @Benchmark
    @OperationsPerInvocation(FrameText.STREAM_BYTES)
    public int anthropic(AnthropicMessages messages) {
        chars = messages.chars(stream);
        return chars;
    }

    /** Counts what is data. */
    private final class FrameCounter implements SseFrameListener {
        @Override
        public void onFrame(ByteBuf frames, int start, int end) {
            chars += end - start - noDataBytes;
        }

        @Override
        public void onPiece(ByteBuf frames, int start, int end, boolean first, boolean last) {
            throw new AssertionError("no frame is over the limit");
        }

        @Override
        public void onLateLineFeed(ByteBuf frames, int index) {}
    }

    /** The bytes as Spring gets them, in the same reads. */
    private final class Body implements ReactiveHttpInputMessage {
        @Override
        public Flux<DataBuffer> getBody() {
            var factory = DefaultDataBufferFactory.sharedInstance;
            return Flux.range(0, readEnds.length).map(read -> {
                int from = read == 0 ? 0 : readEnds[read - 1];
                return factory.wrap(ByteBuffer.wrap(stream, from, readEnds[read] - from));
            });
        }

        @Override
        public HttpHeaders getHeaders() {
            return HttpHeaders.EMPTY;
        }
    }

    /** A connection that is the bytes. */
    private static final class InMemory extends ConnectStrategy {
        private final byte[] stream;

        InMemory(byte[] stream) {
            this.stream = stream;
        }

        @Override
        public Client createClient(LDLogger logger) {
            return new Client() {
                @Override
                public Result connect(String lastEventId) {
                    return new Result(new ByteArrayInputStream(stream), getOrigin(), this);
                }

                @Override
                public boolean awaitClosed(long timeoutMs) {
                    return true;
                }

                @Override
                public URI getOrigin() {
                    return URI.create("http://127.0.0.1/");
                }

                @Override
                public void close() {}
            };
        }
    }
}
