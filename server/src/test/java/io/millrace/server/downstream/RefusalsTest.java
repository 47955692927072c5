package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RefusalsTest {
    private static final long NO_TIMER = -1;

    private final Refusals refusals = new Refusals();
    private final List<EmbeddedChannel> channels = new ArrayList<>();

    @AfterEach
    void close() {
        channels.forEach(EmbeddedChannel::finishAndReleaseAll);
    }

    /** A crowd of refused clients would else stay in the heap for as long as each of them might have waited. */
    @Test
    void nothingKeepsAClientThatHasItsAnswer() {
        EmbeddedChannel client = connect();
        assertThat(client.isOpen()).isTrue();
        client.writeInbound(Unpooled.copiedBuffer("GET / HTTP/1.1\r\n", StandardCharsets.US_ASCII));

        assertThat(answer(client)).startsWith("HTTP/1.1 503 ").contains("retry-after: 1", "relay_overloaded");
        assertThat(client.isOpen()).isFalse();
        assertThat(client.runScheduledPendingTasks()).isEqualTo(NO_TIMER);
    }

    @Test
    void aClientThatAsksNothingIsClosedAfterFiveSeconds() {
        EmbeddedChannel client = connect();
        client.freezeTime();
        client.advanceTimeBy(4, TimeUnit.SECONDS);
        client.runScheduledPendingTasks();
        assertThat(client.isOpen()).isTrue();

        client.advanceTimeBy(1, TimeUnit.SECONDS);
        client.runScheduledPendingTasks();
        assertThat(client.isOpen()).isFalse();
    }

    @Test
    void clientsBeyondThoseThatMayWaitAreAnsweredBeforeTheyAsk() {
        for (int i = 0; i < Refusals.MOST_WAITING; i++) {
            assertThat(connect().isOpen()).isTrue();
        }
        EmbeddedChannel beyond = connect();
        assertThat(answer(beyond)).startsWith("HTTP/1.1 503 ");
        assertThat(beyond.isOpen()).isFalse();

        channels.get(0).close();
        assertThat(connect().isOpen()).as("the place of one that left").isTrue();
    }

    private EmbeddedChannel connect() {
        var channel = new EmbeddedChannel(new ChannelInitializer<>() {
            @Override
            protected void initChannel(Channel accepted) {
                refusals.refuse(accepted);
            }
        });
        channels.add(channel);
        return channel;
    }

    private static String answer(EmbeddedChannel client) {
        ByteBuf sent = client.readOutbound();
        try {
            return sent.toString(StandardCharsets.US_ASCII);
        } finally {
            sent.release();
        }
    }
}
