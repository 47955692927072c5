package io.millrace.bench.codec.dialect;

import io.millrace.bench.AverageTimeBenchmark;
import io.millrace.bench.codec.RecordedStream;
import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.StreamInspector;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The cost of the classification of a frame. One operation is one frame. The frames of a recorded stream are used in
 * turn.
 */
public class ClassificationBenchmark extends AverageTimeBenchmark {
    /** The stream. If a word follows the name, only the frames with this word are used: the tokens. */
    @Param({
        "chat-openai-text-usage.sse",
        "chat-openai-text-usage.sse \"content\":\"",
        "chat-openai-text-obfuscation.sse \"obfuscation\"",
        "chat-azure-content-filter.sse",
        "chat-openai-n3.sse",
        "chat-mistral-text.sse",
        "chat-openrouter-reasoning-tools.sse",
        "responses-openai-text.sse",
        "responses-openai-text.sse .delta",
        "anthropic-thinking.sse",
        "anthropic-thinking.sse _delta",
        "gemini-text.sse",
        "gemini-thinking.sse"
    })
    String stream;

    private StreamInspector inspector;
    private ByteBuf buf;
    private int[] frameEnds;
    private int frame;

    /** Reads the stream into a direct buffer, as a socket does. */
    @Setup
    public void open() {
        int space = stream.indexOf(' ');
        String file = space < 0 ? stream : stream.substring(0, space);
        RecordedStream recorded = RecordedStream.of(file);
        inspector = dialectOf(file).newInspector();
        inspectFirst(recorded);
        if (space >= 0) {
            recorded = recorded.withFramesThatHold(stream.substring(space + 1));
        }
        frameEnds = recorded.frameEnds();
        byte[] bytes = recorded.bytes();
        buf = PooledByteBufAllocator.DEFAULT.directBuffer(bytes.length).writeBytes(bytes);
    }

    /** Releases the buffer. */
    @TearDown
    public void close() {
        buf.release();
    }

    /** The kind of the next frame. */
    @Benchmark
    public FrameKind inspect() {
        int current = frame;
        frame = current + 1 == frameEnds.length ? 0 : current + 1;
        return inspector.inspect(buf, current == 0 ? 0 : frameEnds[current - 1], frameEnds[current]);
    }

    /** Reads the first frame of a stream, which names the model. */
    private void inspectFirst(RecordedStream recorded) {
        int end = recorded.frameEnds()[0];
        ByteBuf first = PooledByteBufAllocator.DEFAULT.directBuffer(end).writeBytes(recorded.bytes(), 0, end);
        inspector.inspect(first, 0, end);
        first.release();
    }

    private static Dialect dialectOf(String file) {
        return switch (file.substring(0, file.indexOf('-'))) {
            case "chat" -> Dialect.CHAT;
            case "responses" -> Dialect.RESPONSES;
            case "anthropic" -> Dialect.MESSAGES;
            case "gemini" -> Dialect.GEMINI;
            default -> Dialect.UNKNOWN;
        };
    }
}
