package io.millrace.server.own;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.Test;

class PulseTest {
    private final ArrayDeque<Runnable> queue = new ArrayDeque<>();
    private long nowNs;

    @Test
    void aLoopIsStuckThatLeavesSomethingUndoneFor30Seconds() {
        Executor sound = Runnable::run;
        Executor stuck = queue::add;
        var pulse = new Pulse(List.of(sound, stuck), () -> nowNs);

        assertThat(pulse.isAlive()).isTrue();
        pass(29);
        assertThat(pulse.isAlive()).isTrue();
        pass(1);
        assertThat(pulse.isAlive()).isFalse();
        assertThat(queue).as("what it is given to do").hasSize(1);

        queue.remove().run();
        assertThat(pulse.isAlive()).isTrue();
        queue.remove().run();
        pass(3600);
        assertThat(pulse.isAlive()).as("after an hour without a question").isTrue();
    }

    private void pass(int seconds) {
        nowNs += Duration.ofSeconds(seconds).toNanos();
    }
}
