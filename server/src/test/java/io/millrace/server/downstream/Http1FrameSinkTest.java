package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class Http1FrameSinkTest {
    private static final String HEAD = "HTTP/1.1 200 OK\r\n\r\n";
    private static final String CHUNK_A = "9\r\ndata: a\n\n\r\n";
    private static final String CHUNK_B = "9\r\ndata: b\n\n\r\n";

    private final EmbeddedChannel channel = new EmbeddedChannel();
    private final ClientOutput output = Outputs.first(channel);
    private Http1FrameSink sink = newSink(true);

    @AfterEach
    void close() {
        sink.discard();
        channel.finishAndReleaseAll();
    }

    @Test
    void holdsWhatIsAppendedUntilTheResponseIsBegun() {
        append("data: a\n\n");
        assertThat(sink.pendingBytes()).isEqualTo(CHUNK_A.length());
        assertThat(sent()).isEmpty();

        begin();
        sink.write();

        assertThat(sent()).containsExactly(HEAD, CHUNK_A);
        assertThat(sink.hasPending()).isFalse();
    }

    @Test
    void sendsTheHeadWithTheFirstFrameInOneBuffer() {
        begin();
        append("data: a\n\n");
        sink.write();

        assertThat(sent()).containsExactly(HEAD + CHUNK_A);
    }

    @Test
    void passesTheWholeChunksOfAReadOnWithoutACopy() {
        begun();
        ByteBuf raw = read(CHUNK_A + CHUNK_B);
        chunk(raw, 0, CHUNK_A.length());
        chunk(raw, CHUNK_A.length(), raw.writerIndex());
        sink.onReadEnd();

        assertThat(sink.hasPending()).isTrue();
        assertThat(sink.bodyBytes()).isEqualTo(2L * "data: a\n\n".length());
        assertThat(raw.refCnt()).isEqualTo(2);
        sink.write();
        assertThat(sent()).containsExactly(CHUNK_A + CHUNK_B);
        assertThat(raw.refCnt()).isOne();
        raw.release();
    }

    @Test
    void framesAnewWhatIsLeftOfAChunk() {
        begun();
        ByteBuf raw = read("12\r\ndata: a\n\ndata: b\n\n\r\n" + CHUNK_A);
        sink.append(raw, 4, 13);
        sink.onChunk(0, 4, 24); // its second frame was dropped
        chunk(raw, 24, raw.writerIndex());
        sink.onReadEnd();
        sink.write();

        assertThat(sent()).containsExactly(CHUNK_A + CHUNK_A);
        raw.release();
    }

    @Test
    void makesOneChunkOfFramesThatLieBehindEachOther() {
        begun();
        ByteBuf raw = read("data: a\n\ndata: b\n\n");
        sink.append(raw, 0, 9);
        sink.append(raw, 9, 18);
        sink.onReadEnd();
        sink.write();

        assertThat(sent()).containsExactly("12\r\ndata: a\n\ndata: b\n\n\r\n");
        raw.release();
    }

    @Test
    void keepsTheOrderOfChunksAndOfWhatIsMadeBetweenThem() {
        begun();
        ByteBuf raw = read(CHUNK_A + CHUNK_B);
        chunk(raw, 0, CHUNK_A.length());
        append(": ping\n\n");
        chunk(raw, CHUNK_A.length(), raw.writerIndex());
        sink.onReadEnd();
        sink.write();

        assertThat(String.join("", sent())).isEqualTo(CHUNK_A + "8\r\n: ping\n\n\r\n" + CHUNK_B);
        raw.release();
    }

    @Test
    void writesWithoutChunksToAClientThatKnowsNone() {
        sink = newSink(false);
        begun();
        ByteBuf raw = read(CHUNK_A);
        chunk(raw, 0, raw.writerIndex());
        sink.onReadEnd();
        sink.appendEnd();
        sink.write();

        assertThat(sent()).containsExactly("data: a\n\n");
        raw.release();
    }

    @Test
    void writesEarlyWhatALargeReadBrings() {
        begun();
        append("x".repeat(70_000));

        assertThat(sink.pendingBytes()).isZero();
        assertThat(sink.hasPending()).isTrue();
        sink.write();
        assertThat(sent()).hasSize(1);
    }

    @Test
    void forgetsWhatWasNotWritten() {
        ByteBuf raw = read(CHUNK_A + CHUNK_B);
        chunk(raw, 0, CHUNK_A.length());
        append("data: b\n\n");
        chunk(raw, CHUNK_A.length(), raw.writerIndex());
        sink.discard();
        sink.onReadEnd();

        assertThat(sink.bodyBytes()).isZero();
        assertThat(sink.hasPending()).isFalse();
        assertThat(raw.refCnt()).isOne();
        raw.release();
    }

    @Test
    void goesOnWithTheResponseOfAnotherSink() {
        begun();
        append(": ping\n\n");
        sink.write();
        var next = newSink(true);
        next.goOn(sink);
        sink = next;
        append("data: a\n\n");
        sink.appendEnd();
        sink.write();

        assertThat(String.join("", sent())).isEqualTo("8\r\n: ping\n\n\r\n" + CHUNK_A + "0\r\n\r\n");
        assertThat(sink.bodyBytes()).isEqualTo(": ping\n\ndata: a\n\n".length());
    }

    @Test
    void tellsWhenTheKernelHasAWrite() {
        var told = new ArrayList<String>();
        begin();
        sink.write(() -> told.add("taken"));
        assertThat(told).isEmpty();

        channel.flush();

        assertThat(told).containsExactly("taken");
    }

    private Http1FrameSink newSink(boolean chunked) {
        return new Http1FrameSink(output, chunked);
    }

    private void begin() {
        sink.begin(new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK));
    }

    /** Begins, and has the head sent. */
    private void begun() {
        begin();
        sink.write();
        assertThat(sent()).containsExactly(HEAD);
    }

    private void append(String frames) {
        ByteBuf buf = Unpooled.copiedBuffer(frames, StandardCharsets.US_ASCII);
        sink.append(buf, 0, buf.writerIndex());
        buf.release();
    }

    private ByteBuf read(String bytes) {
        ByteBuf raw = Unpooled.copiedBuffer(bytes, StandardCharsets.US_ASCII);
        sink.onRead(raw);
        return raw;
    }

    /** A chunk of nine bytes whose data is a frame that is passed on. */
    private void chunk(ByteBuf raw, int start, int end) {
        sink.append(raw, start + 3, end - 2);
        sink.onChunk(start, start + 3, end);
    }

    private List<String> sent() {
        channel.flush();
        var sent = new ArrayList<String>();
        for (ByteBuf buf; (buf = channel.readOutbound()) != null; ) {
            sent.add(buf.toString(StandardCharsets.US_ASCII));
            buf.release();
        }
        return sent;
    }
}
