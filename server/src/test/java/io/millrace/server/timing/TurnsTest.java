package io.millrace.server.timing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
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
    void whoWaitsComesBeforeWhoComes() {
        var done = new ArrayList<Integer>();
        for (int i = 0; i < 5; i++) {
            come(i, done);
        }
        for (int turn = 1; turn <= 3; turn++) {
            loop.runPendingTasks();
            come(4 + turn, done);
            assertThat(done).hasSize(Math.min(2 + 2 * turn, 8));
        }
        loop.runPendingTasks();
        assertThat(done).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
        assertThat(turns.takeBehindOthers()).as("nobody waits").isTrue();
    }

    @Test
    void runsWhatIsLeftToItBehindTheTurnsOtherWork() {
        var done = new ArrayList<Integer>();
        for (int i = 0; i < 5; i++) {
            int number = i;
            turns.execute(() -> done.add(number));
        }
        assertThat(done).isEmpty();
        loop.runPendingTasks();
        assertThat(done).containsExactly(0, 1, 2, 3);
        loop.runPendingTasks();
        assertThat(done).containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void workThatAsksForMoreLeavesTurnsToOthers() {
        var done = new ArrayList<Integer>();
        turns.execute(() -> goOn(1, done));
        for (int turn = 1; done.size() < 20; turn++) {
            loop.runPendingTasks();
            assertThat(done).hasSizeLessThanOrEqualTo(4 * turn);
        }
    }

    private void goOn(int number, List<Integer> done) {
        done.add(number);
        if (number < 20) {
            turns.execute(() -> goOn(number + 1, done));
        }
    }

    private void come(int number, List<Integer> done) {
        if (turns.takeBehindOthers()) {
            done.add(number);
        } else {
            turns.later(() -> done.add(number));
        }
    }

    /** Else the work would starve where turns are long. */
    @Test
    void longTurnsHaveMoreForThoseThatWait() {
        var nowNs = new AtomicLong(1);
        var elastic = new Turns(loop.eventLoop(), 2, 10, nowNs::get);
        var done = new ArrayList<Integer>();
        for (int i = 0; i < 20; i++) {
            int number = i;
            if (elastic.takeBehindOthers()) {
                done.add(number);
            } else {
                elastic.later(() -> done.add(number));
            }
        }
        loop.runPendingTasks();
        assertThat(done).as("nobody waited before").hasSize(4);
        nowNs.addAndGet(15);
        loop.runPendingTasks();
        assertThat(done).hasSize(6);
        nowNs.addAndGet(50);
        loop.runPendingTasks();
        assertThat(done).hasSize(16);
        loop.runPendingTasks();
        assertThat(done).hasSize(18).isSorted();
    }

    @Test
    void eachTurnHasAsMuch() {
        for (int i = 0; i < 3; i++) {
            assertThat(List.of(turns.take(), turns.take(), turns.take())).containsExactly(true, true, false);
            loop.runPendingTasks();
        }
    }
}
