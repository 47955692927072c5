package io.millrace.server.timing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.util.internal.PlatformDependent;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SweeperTest {
    private static final long PERIOD_NS = TimeUnit.MILLISECONDS.toNanos(10);

    private EmbeddedChannel channel;
    private Sweeper sweeper;

    @BeforeEach
    void freezeTime() {
        channel = new EmbeddedChannel();
        channel.freezeTime();
        sweeper = new Sweeper(channel.eventLoop(), PERIOD_NS);
    }

    @AfterEach
    void finish() {
        channel.unfreezeTime();
        channel.finishAndReleaseAll();
    }

    @Test
    void showsTheTimeToAllOncePerPeriod() {
        List<String> seen = new ArrayList<>();
        var a = sweeper.add(nowNs -> seen.add("a"));
        var b = sweeper.add(nowNs -> seen.add("b"));
        assertThat(seen).isEmpty();
        pass(1);
        assertThat(seen).containsExactlyInAnyOrder("a", "b");
        pass(2);
        assertThat(seen).hasSize(6);
        a.cancel();
        pass(1);
        assertThat(seen).hasSize(7).endsWith("b");
        b.cancel();
    }

    @Test
    void takesAnotherPeriodWhileItRuns() {
        List<Long> seen = new ArrayList<>();
        var registration = sweeper.add(seen::add);
        sweeper.period(PERIOD_NS * 3);
        pass(2);
        assertThat(seen).isEmpty();
        pass(1);
        assertThat(seen).hasSize(1);
        sweeper.period(PERIOD_NS);
        pass(2);
        assertThat(seen).hasSize(3);
        registration.cancel();
    }

    @Test
    void hasNoTimerWhileNobodyIsRegistered() {
        assertThat(nextTask()).isEqualTo(-1);
        var registration = sweeper.add(nowNs -> {});
        assertThat(nextTask()).isNotEqualTo(-1);
        registration.cancel();
        assertThat(nextTask()).isEqualTo(-1);
        registration.cancel();
        assertThat(sweeper.size()).isZero();
        sweeper.add(nowNs -> {}).cancel();
        assertThat(nextTask()).isEqualTo(-1);
    }

    @Test
    void survivesMembersThatLeaveDuringTheSweep() {
        List<Integer> seen = new ArrayList<>();
        var registrations = new ArrayList<Sweeper.Registration>();
        for (int i = 0; i < 10; i++) {
            int number = i;
            registrations.add(sweeper.add(nowNs -> {
                seen.add(number);
                registrations.get(number).cancel();
                registrations.get((number + 5) % 10).cancel();
            }));
        }
        pass(1);
        assertThat(sweeper.size()).isZero();
        assertThat(seen).hasSizeBetween(5, 10).doesNotHaveDuplicates();
        assertThat(nextTask()).isEqualTo(-1);
    }

    @Test
    void showsTheTimeToMembersWhoJoinDuringTheSweepInTheNext() {
        List<String> seen = new ArrayList<>();
        var joined = new ArrayList<Sweeper.Registration>();
        var first = sweeper.add(nowNs -> {
            if (joined.isEmpty()) {
                joined.add(sweeper.add(later -> seen.add("joined")));
            }
        });
        pass(1);
        assertThat(seen).isEmpty();
        pass(1);
        assertThat(seen).containsExactly("joined");
        first.cancel();
        joined.get(0).cancel();
    }

    @Test
    void goesOnBehindAMemberThatFails() {
        for (Throwable failure :
                List.of(new IllegalStateException(), new OutOfMemoryError(), new StackOverflowError())) {
            List<String> seen = new ArrayList<>();
            var others = List.of(sweeper.add(nowNs -> seen.add("before")));
            var failing = sweeper.add(nowNs -> PlatformDependent.throwException(failure));
            pass(2);
            assertThat(seen).as(failure.toString()).containsExactly("before", "before");
            failing.cancel();
            others.get(0).cancel();
        }
    }

    private long nextTask() {
        return channel.runScheduledPendingTasks();
    }

    private void pass(int periods) {
        for (int i = 0; i < periods; i++) {
            channel.advanceTimeBy(PERIOD_NS, TimeUnit.NANOSECONDS);
            channel.runScheduledPendingTasks();
        }
    }
}
