package io.millrace.codec.sse;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;

class SseEventDecoderTest {
    @Test
    void turnsBytesIntoEventsAndReleasesThem() {
        EmbeddedChannel channel = new EmbeddedChannel(new SseEventDecoder());
        ByteBuf first = bytes("event: a\ndata: 1\n\ndata");
        ByteBuf second = bytes(": 2\n\n: ping\n\n");
        channel.writeInbound(first, second);
        assertThat(channel.<SseEvent>readInbound()).isEqualTo(new SseEvent("a", "1", ""));
        assertThat(channel.<SseEvent>readInbound()).isEqualTo(new SseEvent("message", "2", ""));
        assertThat(first.refCnt() + second.refCnt()).isZero();
        assertThat(channel.finish()).isFalse();
    }

    @Test
    void passesOtherMessagesOn() {
        EmbeddedChannel channel = new EmbeddedChannel(new SseEventDecoder());
        channel.writeInbound("head");
        assertThat(channel.<String>readInbound()).isEqualTo("head");
        assertThat(channel.finish()).isFalse();
    }

    @Test
    void discardsWhatIsUnfinishedWhenTheChannelCloses() {
        EmbeddedChannel channel = new EmbeddedChannel(new SseEventDecoder());
        channel.writeInbound(bytes("data: a\ndata: b"));
        assertThat(channel.finish()).isFalse();
    }

    @Test
    void releasesWhatItHoldsWhenItIsRemoved() {
        EmbeddedChannel channel = new EmbeddedChannel(new SseEventDecoder());
        channel.writeInbound(bytes("data: a"));
        channel.pipeline().remove(SseEventDecoder.class);
        ByteBuf later = bytes("b");
        channel.writeInbound(later);
        assertThat(channel.<ByteBuf>readInbound()).isSameAs(later);
        later.release();
        assertThat(channel.finish()).isFalse();
    }

    @Test
    void failsOnceOnAnEventOverTheLimitAndDropsTheRest() {
        EmbeddedChannel channel = new EmbeddedChannel(new SseEventDecoder(10));
        assertThatThrownBy(() -> channel.writeInbound(bytes("data: 1\n\ndata: 12345\n\n")))
                .isInstanceOf(TooLongEventException.class);
        assertThat(channel.<SseEvent>readInbound().data()).isEqualTo("1");
        ByteBuf later = bytes("data: 2\n\n");
        channel.writeInbound(later);
        assertThat(later.refCnt()).isZero();
        assertThat(channel.finish()).isFalse();
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, UTF_8);
    }
}
