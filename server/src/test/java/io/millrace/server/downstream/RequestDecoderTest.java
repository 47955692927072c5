package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RequestDecoderTest {
    @ParameterizedTest
    @ValueSource(strings = {"G", "GET / HTTP/1.1\r\nHo", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nHost: a\r\n\r\n"})
    void releasesWhatItHoldsWhenTheConnectionCloses(String part) {
        for (boolean discarding : new boolean[] {false, true}) {
            var decoder = new RequestDecoder(new HttpDecoderConfig(), 1024);
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
    void goesOnWithWhatIsThereBehindAHandlerThatKeepsEmptyBuffers() {
        var decoder = new RequestDecoder(new HttpDecoderConfig(), 1024);
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
        String request = "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n";
        channel.writeInbound(Unpooled.copiedBuffer(
                request.formatted(1) + request.formatted(2) + request.formatted(3), StandardCharsets.US_ASCII));
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
        var decoder = new RequestDecoder(new HttpDecoderConfig(), 1024);
        var channel = new EmbeddedChannel(decoder);
        assertThat(decoder.headStarted()).isFalse();
        channel.writeInbound(Unpooled.copiedBuffer("G", StandardCharsets.US_ASCII));
        assertThat(decoder.headStarted()).isTrue();
        channel.finishAndReleaseAll();
    }
}
