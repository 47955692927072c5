package io.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.server.timing.Turns;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The budget of a peer for frames that carry no message. */
class FrameBudgetTest {
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int PING = 6;
    private static final int END_HEADERS = 4;

    private long nowNs;
    private final FrameBudget budget = FrameBudget.ofServer(10, 5, () -> nowNs);
    private final EmbeddedChannel channel = new EmbeddedChannel(budget);

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    /** How many frames of a kind pass at once, of a budget of ten points. */
    @ParameterizedTest
    @CsvSource({
        "6, 0, 8, 10", // PING
        "6, 1, 8, 100", // its answer
        "2, 0, 5, 10", // PRIORITY
        "4, 0, 0, 10", // SETTINGS
        "4, 0, 60, 5",
        "8, 0, 4, 40", // WINDOW_UPDATE
        "3, 0, 4, 50", // RST_STREAM
        "7, 0, 8, 100", // GOAWAY
        "99, 0, 3, 10", // of no kind that is known
        "0, 0, 0, 10", // DATA without a byte
    })
    void eachFrameHasItsPrice(int type, int flags, int length, int most) {
        for (int i = 0; i < most; i++) {
            channel.writeInbound(frame(type, flags, length));
        }
        assertThatThrownBy(() -> channel.writeInbound(frame(type, flags, length)))
                .isInstanceOf(Http2Exception.class)
                .satisfies(e -> assertThat(((Http2Exception) e).error()).isEqualTo(Http2Error.ENHANCE_YOUR_CALM));
        channel.releaseInbound();
        channel.writeInbound(frame(DATA, 0, 5));
        assertThat(channel.inboundMessages()).isEmpty();
    }

    @Test
    void messagesCostNothing() {
        for (int i = 0; i < 1000; i++) {
            channel.writeInbound(frame(HEADERS, END_HEADERS, 30));
            channel.writeInbound(frame(DATA, 0, 300));
            channel.writeInbound(frame(DATA, 1, 0));
        }
        assertThat(channel.inboundMessages()).hasSize(3000);
    }

    @Test
    void pointsComeBackWithTimeAndWithDataWritten() {
        send(PING, 10);
        nowNs += TimeUnit.SECONDS.toNanos(1);
        send(PING, 5);
        budget.onDataWritten();
        send(PING, 1);
        assertThatThrownBy(() -> send(PING, 1)).isInstanceOf(Http2Exception.class);
    }

    @Test
    void frameMayComeInAnyPieces() {
        ByteBuf frames = Unpooled.buffer();
        for (int i = 0; i < 10; i++) {
            ByteBuf frame = frame(PING, 0, 8);
            frames.writeBytes(frame);
            frame.release();
        }
        while (frames.isReadable()) {
            channel.writeInbound(frames.readRetainedSlice(1));
        }
        frames.release();
        assertThatThrownBy(() -> send(PING, 1)).isInstanceOf(Http2Exception.class);
    }

    @Test
    void headThatComesInPartsIsTimed() {
        nowNs = 7;
        channel.writeInbound(frame(HEADERS, END_HEADERS, 30));
        assertThat(budget.blockSinceNs()).isZero();
        channel.writeInbound(frame(HEADERS, 0, 30));
        assertThat(budget.blockSinceNs()).isEqualTo(7);
        channel.writeInbound(frame(9, END_HEADERS, 30));
        assertThat(budget.blockSinceNs()).isZero();
    }

    /** What comes behind the end of a connection is not even looked at: otherwise it would cost the relay much. */
    @Test
    void nothingPassesAndNothingCostsBehindTheEnd() {
        budget.stop();
        send(PING, 100);
        assertThat(channel.inboundMessages()).isEmpty();
        assertThat(budget.isLeft()).isTrue();
    }

    @Test
    void whatWaitsForATurnIsReleasedAtTheEnd() {
        budget.pacedBy(new Turns(channel.eventLoop(), 1));
        channel.pipeline().fireChannelRead(frame(HEADERS, END_HEADERS, 30));
        ByteBuf second = frame(HEADERS, END_HEADERS, 30);
        channel.pipeline().fireChannelRead(second);
        assertThat(budget.heldBytes()).isPositive();
        budget.stop();
        assertThat(budget.heldBytes()).isZero();
        channel.releaseInbound();
        assertThat(second.refCnt()).isZero();
    }

    @Test
    void prefaceOfAClientIsNoFrame() {
        var client = new EmbeddedChannel(FrameBudget.ofClient(10, 5, () -> nowNs));
        client.writeInbound(Unpooled.wrappedBuffer(new byte[24]));
        for (int i = 0; i < 10; i++) {
            client.writeInbound(frame(PING, 0, 8));
        }
        assertThatThrownBy(() -> client.writeInbound(frame(PING, 0, 8))).isInstanceOf(Http2Exception.class);
        client.finishAndReleaseAll();
    }

    /** Whoever has other work on the event loop gets a turn between them. */
    @Test
    void requestsOfOneReadBeginInTurns() {
        var paced = FrameBudget.ofServer(10, 5, () -> nowNs);
        var client = new EmbeddedChannel(paced);
        paced.pacedBy(new Turns(client.eventLoop(), 4));
        ByteBuf frames = Unpooled.buffer();
        for (int i = 0; i < 10; i++) {
            ByteBuf frame = frame(HEADERS, END_HEADERS, 30);
            frames.writeBytes(frame);
            frame.release();
        }
        int length = frames.readableBytes() / 10;
        client.pipeline().fireChannelRead(frames.retainedDuplicate());
        assertThat(passed(client)).isEqualTo(4 * length);
        assertThat(client.config().isAutoRead()).isFalse();
        client.pipeline().fireChannelRead(frames.readRetainedSlice(length + 5)); // from below, although nobody reads
        client.pipeline().fireChannelRead(frames.readRetainedSlice(length - 5));
        assertThat(paced.heldBytes()).isEqualTo(8 * length);
        int turns = 0;
        int all = 4 * length;
        while (all < 12 * length) {
            client.runPendingTasks();
            int now = passed(client);
            assertThat(now).isLessThanOrEqualTo(4 * length);
            all += now;
            assertThat(++turns).isLessThan(9);
        }
        assertThat(all).isEqualTo(12 * length);
        assertThat(paced.heldBytes()).isZero();
        assertThat(client.config().isAutoRead()).isTrue();
        frames.release();
        client.finishAndReleaseAll();
    }

    /** A reset is known before the request that it is for, even if that waits for a later turn. */
    @Test
    void resetsAreKnownAsLongAsWhatCameWithThemIsPassedOn() {
        var paced = FrameBudget.ofServer(10, 5, () -> nowNs);
        var known = new ArrayList<Boolean>();
        var client = new EmbeddedChannel(paced, new ChannelInboundHandlerAdapter() {
            @Override
            public void channelRead(ChannelHandlerContext ctx, Object msg) {
                known.add(paced.isReset(1));
                ctx.fireChannelRead(msg);
            }
        });
        paced.pacedBy(new Turns(client.eventLoop(), 2));
        client.pipeline().fireChannelRead(frame(HEADERS, END_HEADERS, 30));
        ByteBuf reset = frame(RST_STREAM, 0, 4).setInt(5, 1 << 31 | 1); // the first bit means nothing
        ByteBuf together =
                Unpooled.wrappedBuffer(frame(HEADERS, END_HEADERS, 30), frame(HEADERS, END_HEADERS, 30), reset);
        client.pipeline().fireChannelRead(together);
        client.runPendingTasks();
        assertThat(paced.heldBytes()).isZero();
        client.pipeline().fireChannelRead(frame(HEADERS, END_HEADERS, 30));
        assertThat(known).containsExactly(false, true, true, false);
        client.finishAndReleaseAll();
    }

    @Test
    void answersOfTheRelayItselfCostMoreThanTheirFramesGiveBack() {
        int answers = 0;
        while (budget.isLeft()) {
            budget.onOwnAnswer();
            budget.onDataWritten();
            answers++;
        }
        assertThat(answers).isEqualTo(3);
        assertThatThrownBy(() -> send(PING, 10)).isInstanceOf(Http2Exception.class);
    }

    @Test
    void whatWaitsForATurnIsReleasedWithItsConnection() {
        var paced = FrameBudget.ofServer(10, 5, () -> nowNs);
        var client = new EmbeddedChannel(paced);
        paced.pacedBy(new Turns(client.eventLoop(), 1));
        client.pipeline().fireChannelRead(frame(HEADERS, END_HEADERS, 30));
        ByteBuf second = frame(HEADERS, END_HEADERS, 30);
        client.pipeline().fireChannelRead(second);
        assertThat(paced.heldBytes()).isPositive();
        client.finishAndReleaseAll();
        assertThat(second.refCnt()).isZero();
    }

    /** The bytes that were passed on. */
    private static int passed(EmbeddedChannel from) {
        int bytes = 0;
        for (ByteBuf part = from.readInbound(); part != null; part = from.readInbound()) {
            bytes += part.readableBytes();
            part.release();
        }
        return bytes;
    }

    private void send(int type, int count) {
        for (int i = 0; i < count; i++) {
            channel.writeInbound(frame(type, 0, 8));
        }
    }

    private static ByteBuf frame(int type, int flags, int length) {
        return Unpooled.buffer()
                .writeMedium(length)
                .writeByte(type)
                .writeByte(flags)
                .writeInt(1)
                .writeZero(length);
    }
}
