package io.millrace.bench.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.bench.doctor.StreamView.Output;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.LongUnaryOperator;
import org.junit.jupiter.api.Test;

class PacingTest {
    private static final long MS = 1_000_000;
    private static final int TOKENS = 120;
    private static final int GAP_MS = 20;

    @Test
    void findsNothingWhereTokensComeAsTheyAreMade() {
        Random random = new Random(1);
        assertThat(pacing(true, made -> made + random.nextInt(10)).ailment()).isNull();
        assertThat(pacing(false, made -> made + random.nextInt(10)).ailment()).isNull();
    }

    @Test
    void findsNothingInASlowButEvenWay() {
        assertThat(pacing(true, made -> made + 500).ailment()).isNull();
    }

    @Test
    void oneLongStallIsNoAilment() {
        assertThat(pacing(true, made -> made < 600 || made > 1_000 ? made : 1_000)
                        .ailment())
                .isNull();
    }

    @Test
    void findsCombs() {
        assertThat(pacing(true, made -> (made / 44 + 1) * 44).ailment()).isEqualTo(Ailment.DELAYED_ACK);
        assertThat(pacing(true, made -> (made / 204 + 1) * 204).ailment()).isEqualTo(Ailment.CORKED);
        assertThat(pacing(false, made -> (made / 204 + 1) * 204).ailment()).isEqualTo(Ailment.CORKED);
    }

    /** nginx that buffers, asked with HTTP/1.1: every other token waits for the acknowledgement of the one before. */
    @Test
    void findsPairsThatWaitForAcknowledgements() {
        assertThat(pacing(true, made -> made % 60 == 20 ? made + 20 : made).ailment())
                .isEqualTo(Ailment.DELAYED_ACK);
    }

    @Test
    void findsAnAnswerThatIsCutIntoPiecesAgain() {
        long whole = TOKENS * GAP_MS;
        assertThat(pacing(true, made -> whole + made / 4).ailment()).isEqualTo(Ailment.RECHUNKED);
        assertThat(pacing(true, made -> whole + made).ailment())
                .as("a slow way")
                .isNull();
        assertThat(pacing(false, made -> 5_000 + made / GAP_MS / 2).ailment()).isNotEqualTo(Ailment.RECHUNKED);
        assertThat(ofGapsOf(0.5, 5_000).ailment()).as("2,000 tokens a second").isEqualTo(Ailment.RECHUNKED);
        assertThat(ofGapsOf(0.5, 50).ailment()).as("a fast model").isEqualTo(Ailment.BURST);
        assertThat(ofGapsOf(5, 5_000).ailment()).isNull();
    }

    private static Pacing ofGapsOf(double gapMs, long waitMs) {
        var outputs = new ArrayList<Output>();
        for (int i = 0; i < TOKENS; i++) {
            outputs.add(new Output(waitMs * MS + Math.round(i * gapMs * MS), -1, -1, 250));
        }
        return Pacing.of(outputs, false, 0, outputs.get(TOKENS - 1).atNs());
    }

    @Test
    void cannotTellOfABurst() {
        assertThat(pacing(false, made -> 300).ailment()).isEqualTo(Ailment.BURST);
    }

    @Test
    void findsABufferOfEvenSize() {
        assertThat(pacing(true, made -> (made / 320 + 1) * 320).ailment()).isEqualTo(Ailment.BUFFERED);
        assertThat(pacing(false, made -> (made / 320 + 1) * 320).ailment()).isEqualTo(Ailment.BUFFERED);
    }

    @Test
    void findsAnAnswerThatIsHeldUntilItIsWhole() {
        assertThat(pacing(true, made -> TOKENS * GAP_MS).ailment()).isEqualTo(Ailment.HELD);
        assertThat(pacing(false, made -> TOKENS * GAP_MS).ailment()).isEqualTo(Ailment.HELD);
    }

    @Test
    void judgesNoShortStream() {
        List<Output> few = outputs(true, made -> 5_000).subList(0, 10);
        assertThat(Pacing.of(few, true, 0, 5_000 * MS).ailment()).isNull();
    }

    private static Pacing pacing(boolean stamped, LongUnaryOperator arrivalMs) {
        List<Output> outputs = outputs(stamped, arrivalMs);
        return Pacing.of(outputs, stamped, 0, outputs.get(outputs.size() - 1).atNs());
    }

    private static List<Output> outputs(boolean stamped, LongUnaryOperator arrivalMs) {
        List<Output> outputs = new ArrayList<>();
        for (int i = 0; i < TOKENS; i++) {
            long made = (long) i * GAP_MS;
            outputs.add(
                    new Output(arrivalMs.applyAsLong(made) * MS, stamped ? made * MS + 7 : -1, stamped ? i : -1, 250));
        }
        return outputs;
    }
}
