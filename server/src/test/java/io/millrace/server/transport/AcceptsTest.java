package io.millrace.server.transport;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.DefaultChannelConfig;
import io.netty.channel.RecvByteBufAllocator.ExtendedHandle;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AcceptsTest {
    private final EmbeddedChannel channel = new EmbeddedChannel();
    private long nowMs = 5;
    private ExtendedHandle listener;

    @BeforeEach
    void listen() {
        listener = (ExtendedHandle) new Accepts(() -> TimeUnit.MILLISECONDS.toNanos(nowMs)).newHandle();
    }

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    @Test
    void acceptsAFewInATurn() {
        assertThat(accepted(1000)).isEqualTo(Accepts.A_TURN);
        nowMs += 15;
        assertThat(accepted(1000)).isEqualTo(Accepts.A_TURN);
        assertThat(accepted(3)).isEqualTo(3);
    }

    @Test
    void acceptsMoreIfTurnsAreLong() {
        assertThat(accepted(1000)).isEqualTo(Accepts.A_TURN);
        nowMs += 80;
        assertThat(accepted(1000)).isEqualTo(10 * Accepts.A_TURN);
    }

    /** Else a quiet night would end with one turn that accepts everyone. */
    @Test
    void timeInWhichNobodyWaitedDoesNotCount() {
        assertThat(accepted(3)).isEqualTo(3);
        nowMs += 1_000_000;
        assertThat(accepted(1000)).isEqualTo(Accepts.A_TURN);
    }

    /** One read of the listener while so many wait. */
    private int accepted(int waiting) {
        listener.reset(new DefaultChannelConfig(channel));
        listener.attemptedBytesRead(1);
        int count = 0;
        while (count < waiting) {
            listener.lastBytesRead(1);
            listener.incMessagesRead(1);
            count++;
            if (!listener.continueReading()) {
                return count;
            }
        }
        listener.lastBytesRead(-1);
        listener.readComplete();
        return count;
    }
}
