package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.upstream.Liveness.Verdict;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** When a silent connection gets a PING, and when it is closed. */
class LivenessTest {
    private final Liveness liveness = new Liveness();

    @Test
    void silenceIsAskedAndThenDead() {
        assertThat(at(100)).isEqualTo(Verdict.WAIT);
        assertThat(at(115)).isEqualTo(Verdict.WAIT);
        assertThat(at(116)).isEqualTo(Verdict.ASK);
        assertThat(at(126)).isEqualTo(Verdict.WAIT);
        assertThat(at(127)).isEqualTo(Verdict.DEAD);
    }

    @Test
    void anyReadIsAnAnswer() {
        at(100);
        assertThat(at(116)).isEqualTo(Verdict.ASK);
        liveness.onHeard();
        assertThat(at(126)).isEqualTo(Verdict.WAIT);
        assertThat(at(141)).isEqualTo(Verdict.WAIT);
        assertThat(at(142)).isEqualTo(Verdict.ASK);
    }

    private Verdict at(long seconds) {
        return liveness.at(TimeUnit.SECONDS.toNanos(seconds));
    }
}
