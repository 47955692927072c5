package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ClosingTest {
    private static final long NO_TIMER = -1;

    private final EmbeddedChannel channel = new EmbeddedChannel();

    @Test
    void aConnectionThatLingersIsClosedInTime() {
        channel.freezeTime();
        Closing.lingering(channel.writeAndFlush(Unpooled.EMPTY_BUFFER), 1_000);
        assertThat(channel.isOpen()).isTrue();
        channel.advanceTimeBy(1, TimeUnit.SECONDS);
        channel.runScheduledPendingTasks();
        assertThat(channel.isOpen()).isFalse();
    }

    @Test
    void nothingKeepsAConnectionThatItsClientClosedFirst() {
        Closing.lingering(channel.writeAndFlush(Unpooled.EMPTY_BUFFER), 5_000);
        channel.close();
        assertThat(channel.runScheduledPendingTasks()).isEqualTo(NO_TIMER);
    }
}
