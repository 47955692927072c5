package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Http2;
import io.millrace.server.config.Limits;
import io.millrace.server.http.FrameBudget;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A response of HTTP/2 on its way through the windows. */
class Http2FrameSinkTest {
    private final Http2Codec codec = Http2Codec.of(Limits.DEFAULT, Http2.DEFAULT);
    private final EmbeddedChannel channel = new EmbeddedChannel(codec);
    private final List<String> told = new ArrayList<>();
    private final Http2Output outputs = new Http2Output(
            Outputs.first(channel),
            codec,
            FrameBudget.ofClient(1000, 100, System::nanoTime),
            1 << 20,
            () -> {},
            () -> told.add("connection has room"));
    private final Http2StreamOutput.Owner owner = new Http2StreamOutput.Owner() {
        @Override
        public void onEndWritten() {
            told.add("end");
        }

        @Override
        public void onRoom() {
            told.add("room");
        }
    };
    private Http2Stream stream;
    private Http2StreamOutput output;
    private Http2FrameSink sink;

    @BeforeEach
    void open() throws Http2Exception {
        sent();
        stream = codec.connection().remote().createStream(1, true);
        output = outputs.of(stream, Limits.DEFAULT, owner);
        sink = new Http2FrameSink(channel.alloc());
        sink.begin(output);
    }

    @AfterEach
    void close() {
        sink.discard();
        output.discard();
        channel.finishAndReleaseAll();
    }

    @Test
    void sendsWhatWasAppendedInOneFrame() throws Http2Exception {
        append("data: a\n\n");
        append("data: b\n\n");
        assertThat(sent()).isEmpty();

        sink.write();

        assertThat(sent()).containsExactly("DATA 1 data: a\n\ndata: b\n\n");
        assertThat(sink.bodyBytes()).isEqualTo(18);
        assertThat(window()).isEqualTo(65_535 - 18);
        assertThat(codec.encoder()
                        .flowController()
                        .windowSize(codec.connection().connectionStream()))
                .isEqualTo(65_535 - 18);
    }

    @Test
    void holdsWhatIsAppendedUntilTheResponseIsBegun() {
        var held = new Http2FrameSink(channel.alloc());
        ByteBuf frames = Unpooled.copiedBuffer("data: a\n\n", StandardCharsets.US_ASCII);
        held.append(frames, 0, 9);
        held.write();
        assertThat(held.pendingBytes()).isEqualTo(9);
        assertThat(sent()).isEmpty();

        held.begin(output);
        held.write();

        assertThat(sent()).containsExactly("DATA 1 data: a\n\n");
        frames.release();
    }

    @Test
    void appendsBehindMoreThanAFrameThatWasHeld() {
        var held = new Http2FrameSink(channel.alloc());
        ByteBuf frames = Unpooled.copiedBuffer("x".repeat(20_000) + "data: a\n\n", StandardCharsets.US_ASCII);
        held.append(frames, 0, 20_000);
        held.begin(output);
        held.append(frames, 20_000, frames.writerIndex());
        held.end(null);

        assertThat(body(sent())).isEqualTo(frames.toString(StandardCharsets.US_ASCII));
        frames.release();
    }

    @Test
    void marksTheLastFrameAsTheEnd() {
        append("data: [DONE]\n\n");
        sink.end(() -> told.add("taken"));

        assertThat(sent()).containsExactly("DATA END 1 data: [DONE]\n\n");
        assertThat(told).containsExactly("end", "taken");
        assertThat(stream.state()).isEqualTo(Http2Stream.State.CLOSED);
    }

    @Test
    void endsWithAnEmptyFrameWhereNothingIsPending() {
        sink.end(null);

        assertThat(sent()).containsExactly("DATA END 1 ");
    }

    @Test
    void holdsAllWhereTheWindowIsShut() throws Http2Exception {
        window(0);
        append("data: a\n\n");
        sink.end(() -> told.add("taken"));

        assertThat(sent()).isEmpty();
        assertThat(output.heldBytes()).isEqualTo(9);
        assertThat(outputs.held()).isEqualTo(9);
        assertThat(told).isEmpty();

        open(1);
        assertThat(sent()).containsExactly("DATA 1 d");
        open(8);
        assertThat(sent()).containsExactly("DATA END 1 ata: a\n\n");
        assertThat(told).containsExactly("end", "taken");
        assertThat(outputs.held()).isZero();
    }

    @Test
    void endsWithoutBytesThroughAShutWindow() throws Http2Exception {
        window(0);
        sink.end(null);

        assertThat(sent()).containsExactly("DATA END 1 ");
    }

    @Test
    void waitsForAWindowThatSettingsMadeNegative() throws Http2Exception {
        append("x".repeat(100));
        sink.write();
        assertThat(sent()).hasSize(1);
        codec.encoder().remoteSettings(new Http2Settings().initialWindowSize(0));
        assertThat(window()).isEqualTo(-100);

        append("data: a\n\n");
        sink.write();
        open(100);
        assertThat(sent()).isEmpty();
        open(9);

        assertThat(sent()).containsExactly("DATA 1 data: a\n\n");
    }

    @Test
    void keepsTheOrderOfWhatIsHeld() throws Http2Exception {
        window(3);
        append("one ");
        sink.write();
        append("two ");
        sink.write();
        append("three");
        sink.end(null);
        assertThat(body(sent())).isEqualTo("one");
        open(1000);

        assertThat(body(sent())).isEqualTo(" two three");
        assertThat(told).containsExactly("end");
    }

    @Test
    void tellsOfEachWriteOnceTheKernelHasIt() throws Http2Exception {
        window(10);
        append("0123456789");
        sink.write(() -> told.add("first"));
        append("abc");
        sink.write(() -> told.add("second"));
        append("def");
        sink.write(() -> told.add("third"));
        sent();
        assertThat(told).containsExactly("first");
        open(3);
        sent();
        assertThat(told).containsExactly("first", "second");
        open(3);
        sent();
        assertThat(told).containsExactly("first", "second", "third");
    }

    @Test
    void letsGoOfWhatIsHeldWhenItIsReset() throws Http2Exception {
        window(0);
        append("x".repeat(40_000));
        sink.write();
        assertThat(outputs.held()).isEqualTo(40_000);

        output.discard();

        assertThat(outputs.held()).isZero();
        open(50_000);
        assertThat(sent()).isEmpty();
    }

    @Test
    void saysWhenTooMuchIsHeldAndWhenItIsNot() throws Http2Exception {
        window(0);
        append("x".repeat(64 * 1024 - 1));
        sink.write();
        assertThat(output.isWritable()).isTrue();
        append("x");
        sink.write();
        assertThat(output.isWritable()).isFalse();

        open(32 * 1024 - 1);
        assertThat(told).isEmpty();
        open(1);

        assertThat(told).containsExactly("room");
        assertThat(output.isWritable()).isTrue();
    }

    @Test
    void holdsInTheStreamWhatTheSocketDoesNotTake() {
        channel.config().setWriteBufferWaterMark(new WriteBufferWaterMark(1, 2));
        channel.write(Unpooled.wrappedBuffer(new byte[10])); // nobody flushes it
        append("data: a\n\n");
        sink.write();

        assertThat(output.heldBytes()).isEqualTo(9);
        channel.flush();
        outputs.resume();
        assertThat(output.heldBytes()).isZero();
    }

    @Test
    void letsStreamsTakeTurnsAtTheConnectionsWindow() throws Http2Exception {
        var other = outputs.of(codec.connection().remote().createStream(3, true), Limits.DEFAULT, owner);
        var otherSink = new Http2FrameSink(channel.alloc());
        otherSink.begin(other);
        Http2Stream whole = codec.connection().connectionStream();
        codec.encoder().flowController().incrementWindowSize(whole, -65_535);
        append("x".repeat(32 * 1024));
        sink.write();
        ByteBuf small = Unpooled.copiedBuffer("data: small\n\n", StandardCharsets.US_ASCII);
        otherSink.append(small, 0, small.writerIndex());
        otherSink.write();
        small.release();
        codec.encoder().flowController().incrementWindowSize(whole, 20_000);
        outputs.resume();
        channel.runPendingTasks();

        List<String> frames = sent();
        assertThat(frames).hasSize(3);
        assertThat(frames.get(1)).isEqualTo("DATA 3 data: small\n\n");
        other.discard();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7, 16_383, 16_384, 16_385, 70_000, 300_000})
    void sendsEveryByteHoweverTheyCome(int bytes) throws Http2Exception {
        byte[] all = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            all[i] = (byte) ('a' + i % 26);
        }
        for (int piece : new int[] {3, 1000, 16_384, 40_000}) {
            for (int credit : new int[] {11, 16_385, 1 << 20}) {
                if (bytes / Math.min(piece, credit) <= 20_000) {
                    close();
                    var again = new Http2FrameSinkTest();
                    again.open();
                    assertThat(again.through(all, piece, credit))
                            .as(piece + " " + credit)
                            .isEqualTo(all);
                    again.close();
                }
            }
        }
    }

    private byte[] through(byte[] all, int piece, int credit) throws Http2Exception {
        window(credit);
        codec.encoder().flowController().incrementWindowSize(codec.connection().connectionStream(), 1 << 29);
        ByteBuf whole = Unpooled.wrappedBuffer(all);
        var got = new ByteArrayOutputStream();
        for (int at = 0; at < all.length; at += piece) {
            sink.append(whole, at, Math.min(all.length, at + piece));
            if (at / piece % 2 == 0) {
                sink.write();
            }
            got.writeBytes(body(sent()).getBytes(StandardCharsets.ISO_8859_1));
        }
        sink.end(null);
        List<String> frames = sent();
        got.writeBytes(body(frames).getBytes(StandardCharsets.ISO_8859_1));
        while (output.heldBytes() > 0) {
            open(credit);
            frames = sent();
            got.writeBytes(body(frames).getBytes(StandardCharsets.ISO_8859_1));
        }
        assertThat(frames.get(frames.size() - 1)).startsWith("DATA END");
        assertThat(outputs.held()).isZero();
        return got.toByteArray();
    }

    private void append(String text) {
        ByteBuf buf = Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII);
        sink.append(buf, 0, buf.writerIndex());
        buf.release();
    }

    private int window() {
        return codec.encoder().flowController().windowSize(stream);
    }

    private void window(int bytes) throws Http2Exception {
        codec.encoder().flowController().incrementWindowSize(stream, bytes - window());
    }

    private void open(int bytes) throws Http2Exception {
        codec.encoder().flowController().incrementWindowSize(stream, bytes);
        output.onWindow();
    }

    private static String body(List<String> frames) {
        var body = new StringBuilder();
        for (String frame : frames) {
            body.append(frame.substring(frame.indexOf("1 ") + 2));
        }
        return body.toString();
    }

    /** The frames that left, in words. */
    private List<String> sent() {
        channel.runPendingTasks();
        channel.flush();
        var bytes = new ByteArrayOutputStream();
        for (ByteBuf buf; (buf = channel.readOutbound()) != null; ) {
            bytes.writeBytes(ByteBufUtil.getBytes(buf));
            buf.release();
        }
        byte[] all = bytes.toByteArray();
        var frames = new ArrayList<String>();
        for (int at = 0; at < all.length; ) {
            ByteBuf head = Unpooled.wrappedBuffer(all, at, 9);
            int length = head.readUnsignedMedium();
            int type = head.readByte();
            boolean end = head.readByte() == 1;
            int id = head.readInt();
            assertThat(length).isLessThanOrEqualTo(16 * 1024);
            String payload = new String(Arrays.copyOfRange(all, at + 9, at + 9 + length), StandardCharsets.ISO_8859_1);
            frames.add(type == 0 ? "DATA " + (end ? "END " : "") + id + " " + payload : "type " + type);
            at += 9 + length;
        }
        return frames;
    }
}
