package io.millrace.server.timing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class TurnsTest {
    /** Each call of its {@code runPendingTasks} is one turn. */
    private final EmbeddedChannel loop = new EmbeddedChannel();

    private final Turns turns = new Turns(loop.eventLoop(), 2);

    @AfterEach
    void close() {
        loop.finishAndReleaseAll();
    }

    @Test
    void doesTheRestInLaterTurnsInItsOrder() {
        var done = new ArrayList<Integer>();
        for (int i = 0; i < 5; i++) {
            int number = i;
            if (turns.take()) {
                done.add(number);
            } else {
                turns.later(() -> done.add(number));
            }
        }
        assertThat(done).containsExactly(0, 1);
        loop.runPendingTasks();
        assertThat(done).containsExactly(0, 1, 2, 3);
        assertThat(turns.take()).as("more in that turn").isFalse();
        loop.runPendingTasks();
        assertThat(done).isEqualTo(List.of(0, 1, 2, 3, 4));
        assertThat(turns.take()).as("more in that turn").isTrue();
    }

    @Test
    void eachTurnHasAsMuch() {
        for (int i = 0; i < 3; i++) {
            assertThat(List.of(turns.take(), turns.take(), turns.take())).containsExactly(true, true, false);
            loop.runPendingTasks();
        }
    }
}
