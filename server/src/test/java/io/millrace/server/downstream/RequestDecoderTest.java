package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
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
    void saysThatAHeadHasBegunFromItsFirstByte() {
        var decoder = new RequestDecoder(new HttpDecoderConfig(), 1024);
        var channel = new EmbeddedChannel(decoder);
        assertThat(decoder.headStarted()).isFalse();
        channel.writeInbound(Unpooled.copiedBuffer("G", StandardCharsets.US_ASCII));
        assertThat(decoder.headStarted()).isTrue();
        channel.finishAndReleaseAll();
    }
}
