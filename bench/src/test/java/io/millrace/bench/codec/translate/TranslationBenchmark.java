package io.millrace.bench.codec.translate;

import io.millrace.bench.AverageTimeBenchmark;
import io.millrace.bench.codec.RecordedStream;
import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.translate.StreamTranslator;
import io.millrace.codec.translate.Translation;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The cost of translating a frame. One operation is one frame with a token, read in an upstream's dialect and written
 * in a client's. The answers never end, so the one frame that repeats a whole answer is not included.
 */
public class TranslationBenchmark extends AverageTimeBenchmark {
    private static final int FRAMES_OF_AN_ANSWER = 1000;

    /** The upstream's stream, and a word that only its frames with tokens contain. */
    @Param({
        "chat-openai-text-usage.sse \"content\":\"",
        "responses-openai-text-nonascii.sse output_text.delta",
        "anthropic-text-emoji.sse text_delta",
        "gemini-utf8-cjk.sse \"text\""
    })
    String upstream;

    /** The dialect of the client. */
    @Param({"CHAT", "RESPONSES", "MESSAGES", "GEMINI"})
    Dialect client;

    private Translation translation;
    private StreamTranslator translator;
    private ByteBuf head;
    private ByteBuf tokens;
    private ByteBuf out;
    private int[] ends;
    private int frame;
    private int translated;

    /** Reads the stream into direct buffers, as a socket does. */
    @Setup
    public void open() {
        int space = upstream.indexOf(' ');
        String file = upstream.substring(0, space);
        RecordedStream recorded = RecordedStream.of(file);
        head = direct(recorded.bytes(), recorded.frameEnds()[0]);
        RecordedStream marked = recorded.withFramesThatHold(upstream.substring(space + 1));
        ends = marked.frameEnds();
        tokens = direct(marked.bytes(), marked.bytes().length);
        out = PooledByteBufAllocator.DEFAULT.directBuffer(64 * 1024);
        translation = Translation.of(client, dialectOf(file));
        begin();
    }

    /** Releases the buffers. */
    @TearDown
    public void close() {
        head.release();
        tokens.release();
        out.release();
    }

    /** The bytes written for the next frame. */
    @Benchmark
    public int translate() {
        if (translated++ == FRAMES_OF_AN_ANSWER) {
            begin();
        }
        int current = frame;
        frame = current + 1 == ends.length ? 0 : current + 1;
        out.clear();
        translator.frame(tokens, current == 0 ? 0 : ends[current - 1], ends[current], out);
        return out.readableBytes();
    }

    /** Writers keep an answer's text, because some dialects repeat it at the end. So no answer may grow for ever. */
    private void begin() {
        translated = 0;
        translator = translation.stream();
        out.clear();
        translator.frame(head, 0, head.readableBytes(), out);
    }

    private static ByteBuf direct(byte[] bytes, int length) {
        return PooledByteBufAllocator.DEFAULT.directBuffer(length).writeBytes(bytes, 0, length);
    }

    private static Dialect dialectOf(String file) {
        return switch (file.substring(0, file.indexOf('-'))) {
            case "chat" -> Dialect.CHAT;
            case "responses" -> Dialect.RESPONSES;
            case "anthropic" -> Dialect.MESSAGES;
            default -> Dialect.GEMINI;
        };
    }
}
