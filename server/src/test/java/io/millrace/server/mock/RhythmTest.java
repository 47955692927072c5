package io.millrace.server.mock;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

final class RhythmTest {
    private static final long MS = 1_000_000;

    @Test
    void longPromptsTakeLonger() {
        var rhythm = rhythm("ttft_ms=50,prefill_tps=1000", 1);
        assertThat(rhythm.firstNs(0)).isEqualTo(50 * MS);
        assertThat(rhythm.firstNs(200)).isEqualTo(250 * MS);
        assertThat(rhythm.firstNs(4_000)).isEqualTo(4_050 * MS);
    }

    @Test
    void eachFurtherAnswerSlowsAllDown() {
        var rhythm = rhythm("gap=20,batch_ms=0.5", 1);
        assertThat(rhythm.nextNs(active(1))).isEqualTo(20 * MS);
        assertThat(rhythm.nextNs(active(2))).isEqualTo(20 * MS + MS / 2);
        assertThat(rhythm.nextNs(active(101))).isEqualTo(70 * MS);
    }

    @Test
    void seedMakesItTheSameAgain() {
        assertThat(pauses("gpt-4o", 7)).isEqualTo(pauses("gpt-4o", 7)).isNotEqualTo(pauses("gpt-4o", 8));
    }

    @Test
    void lengthsVaryAroundTheirMedian() {
        var spec = MockSpec.parse("output=lognormal:250:0.7");
        int[] lengths =
                IntStream.range(0, 10_000).map(spec::drawnLength).sorted().toArray();
        assertThat(lengths[0]).isPositive();
        assertThat(lengths[5_000]).isBetween(240, 260);
        assertThat(lengths[9_500]).isBetween(700, 880);
        assertThat(MockSpec.parse("output=uniform:5-500,seed=3").drawnLength(1))
                .isEqualTo(MockSpec.parse("output=uniform:5-500,seed=3").drawnLength(2));
        assertThat(MockSpec.PLAIN.drawnLength(1)).isNegative();
    }

    private static long[] pauses(String spec, long seed) {
        var rhythm = rhythm(spec, seed);
        return LongStream.generate(() -> rhythm.nextNs(active(3))).limit(50).toArray();
    }

    private static Rhythm rhythm(String spec, long seed) {
        return new Rhythm(MockSpec.parse(spec), new SplittableRandom(seed));
    }

    private static LongAdder active(int answers) {
        var active = new LongAdder();
        active.add(answers);
        return active;
    }
}
