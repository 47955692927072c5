package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.timing.Turns;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestDecoderTest {
    /** Nothing waits for a turn. */
    private static final Turns ALL = new Turns(new EmbeddedChannel().eventLoop(), Integer.MAX_VALUE);

    private static final String GET = "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n";

    /** Each call of its {@code runPendingTasks} is one turn. */
    private final EmbeddedChannel loop = new EmbeddedChannel();

    @AfterEach
    void close() {
        loop.finishAndReleaseAll();
    }

    @ParameterizedTest
    @ValueSource(strings = {"G", "GET / HTTP/1.1\r\nHo", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nHost: a\r\n\r\n"})
    void releasesWhatItHoldsWhenTheConnectionCloses(String part) {
        for (boolean discarding : new boolean[] {false, true}) {
            var decoder = new RequestDecoder(new HttpDecoderConfig(), 1024, ALL);
            var channel = new EmbeddedChannel(decoder);
            ByteBuf in = Unpooled.copiedBuffer(part, StandardCharsets.US_ASCII);
            channel.writeInbound(in);
            if (discarding) {
                decoder.discard();
            }
            channel.finishAndReleaseAll();
            assertThat(in.refCnt()).isZero();
        }
    }

    @Test
    void releasesWhatWaitsForATurnWhenTheConnectionCloses() {
        var channel = new EmbeddedChannel(decoder(new Turns(loop.eventLoop(), 0)));
        ByteBuf in = Unpooled.copiedBuffer(GET.formatted(1), StandardCharsets.US_ASCII);
        channel.writeInbound(in);
        assertThat(in.refCnt()).isOne();
        channel.finishAndReleaseAll();
        assertThat(in.refCnt()).isZero();
    }

    /** Whoever has other work on the event loop gets a turn between them. */
    @Test
    void requestsOfManyConnectionsBeginInTurnsInTheirOrder() {
        var turns = new Turns(loop.eventLoop(), 2);
        var begun = new ArrayList<String>();
        var clients = new ArrayList<EmbeddedChannel>();
        for (int i = 0; i < 5; i++) {
            var client = new EmbeddedChannel(decoder(turns), new Heads(begun));
            clients.add(client);
            client.writeInbound(Unpooled.copiedBuffer(GET.formatted(i), StandardCharsets.US_ASCII));
        }
        assertThat(begun).containsExactly("/0", "/1");
        loop.runPendingTasks();
        assertThat(begun).containsExactly("/0", "/1", "/2", "/3");
        loop.runPendingTasks();
        assertThat(begun).containsExactly("/0", "/1", "/2", "/3", "/4");
        clients.forEach(EmbeddedChannel::finishAndReleaseAll);
    }

    @Test
    void requestThatWasSentAheadTakesATurnOfItsOwn() {
        var decoder = decoder(new Turns(loop.eventLoop(), 1));
        var begun = new ArrayList<String>();
        var client = new EmbeddedChannel(decoder, new Heads(begun));
        client.writeInbound(Unpooled.copiedBuffer(GET.formatted(1) + GET.formatted(2), StandardCharsets.US_ASCII));
        decoder.resume();
        assertThat(begun).containsExactly("/1");
        assertThat(decoder.headStarted()).isTrue();
        loop.runPendingTasks();
        assertThat(begun).containsExactly("/1", "/2");
        assertThat(decoder.awaitsTurn()).isFalse();
        client.finishAndReleaseAll();
    }

    /** What it sends meanwhile is no request ahead of another, so the bound for those does not end its connection. */
    @Test
    void clientThatSendsMuchIsNotReadWhileItsRequestWaits() {
        var turns = new Turns(loop.eventLoop(), 1);
        assertThat(turns.take()).isTrue();
        var client = new EmbeddedChannel(decoder(turns));
        String head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n";
        client.writeInbound(Unpooled.copiedBuffer(head, StandardCharsets.US_ASCII));
        assertThat(client.config().isAutoRead()).isTrue();
        client.writeInbound(Unpooled.buffer().writeZero(3000));
        assertThat(client.config().isAutoRead()).isFalse();
        loop.runPendingTasks();
        assertThat(client.config().isAutoRead()).isTrue();
        assertThat(client.<HttpRequest>readInbound().uri()).isEqualTo("/");
        LastHttpContent body = client.readInbound();
        assertThat(body.content().readableBytes()).isEqualTo(3000);
        body.release();
        client.finishAndReleaseAll();
    }

    private static RequestDecoder decoder(Turns turns) {
        return new RequestDecoder(new HttpDecoderConfig(), 1024, turns);
    }

    /** Notes the targets of the requests that begin. */
    private static final class Heads extends ChannelInboundHandlerAdapter {
        private final List<String> targets;

        Heads(List<String> targets) {
            this.targets = targets;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            if (msg instanceof HttpRequest request) {
                targets.add(request.uri());
            }
            ReferenceCountUtil.release(msg);
        }
    }

    @Test
    void goesOnWithWhatIsThereBehindAHandlerThatKeepsEmptyBuffers() {
        var decoder = new RequestDecoder(new HttpDecoderConfig(), 1024, ALL);
        // As TLS does.
        var channel = new EmbeddedChannel(
                new ChannelInboundHandlerAdapter() {
                    @Override
                    public void channelRead(ChannelHandlerContext ctx, Object msg) {
                        if (((ByteBuf) msg).isReadable()) {
                            ctx.fireChannelRead(msg);
                        } else {
                            ((ByteBuf) msg).release();
                        }
                    }
                },
                decoder);
        channel.writeInbound(Unpooled.copiedBuffer(
                GET.formatted(1) + GET.formatted(2) + GET.formatted(3), StandardCharsets.US_ASCII));
        for (int i = 1; i <= 3; i++) {
            assertThat(channel.<HttpRequest>readInbound().uri()).isEqualTo("/" + i);
            assertThat(channel.<Object>readInbound()).isInstanceOf(LastHttpContent.class);
            assertThat(channel.<Object>readInbound()).isNull();
            decoder.resume();
        }
        channel.finishAndReleaseAll();
    }

    @Test
    void saysThatAHeadHasBegunFromItsFirstByte() {
        var decoder = new RequestDecoder(new HttpDecoderConfig(), 1024, ALL);
        var channel = new EmbeddedChannel(decoder);
        assertThat(decoder.headStarted()).isFalse();
        channel.writeInbound(Unpooled.copiedBuffer("G", StandardCharsets.US_ASCII));
        assertThat(decoder.headStarted()).isTrue();
        channel.finishAndReleaseAll();
    }
}
