package io.millrace.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StreamCheckTest {
    private static final long NOW = 5_000_000_000L;

    private final Recorder recorder = new Recorder();
    private final StreamCheck check = new StreamCheck(recorder);

    private void frames(String... frames) {
        recorder.beginWindow();
        check.readAt(NOW);
        for (String frame : frames) {
            var bytes = Unpooled.copiedBuffer("...data: " + frame + "\n\n...", StandardCharsets.US_ASCII);
            check.onFrame(bytes, 3, bytes.writerIndex() - 3);
        }
    }

    private static String stamped(int index, long ageNs) {
        return "{\"content\":\"@%d@%019d@ word\"}".formatted(index, NOW - ageNs);
    }

    private String fault() {
        return check.faultAtEnd(LoadPlan.ANY, false);
    }

    @Test
    void measuresDelayFromStampToRead() {
        frames("{\"role\":1}", stamped(0, 42_000), stamped(1, 42_000), stamped(2, 90_000), "[DONE]");

        var delay = recorder.report(0).delay();
        assertThat(delay.getTotalCount()).isEqualTo(3);
        assertThat(delay.getValueAtPercentile(50)).isBetween(42_000L, 42_100L);
        assertThat(delay.getMaxValue()).isBetween(90_000L, 90_200L);
        assertThat(recorder.report(0).frames()).isEqualTo(5);
        assertThat(fault()).isNull();
    }

    @Test
    void findsStampWhereverItStands() {
        frames(stamped(0, 1), "{\"other\":1,\"content\":\"@1@%019d@\"}".formatted(NOW), stamped(2, 1), "[DONE]");

        assertThat(check.outputs()).isEqualTo(3);
        assertThat(fault()).isNull();
    }

    @Test
    void noticesFrameThatIsMissing() {
        frames(stamped(0, 1), stamped(2, 1), "[DONE]");

        assertThat(fault()).isEqualTo("out of order: frame 2 (expected: 1)");
    }

    @Test
    void noticesFrameThatComesTwice() {
        frames(stamped(0, 1), stamped(0, 1), "[DONE]");

        assertThat(fault()).isEqualTo("out of order: frame 0 (expected: 1)");
    }

    @Test
    void noticesFrameAfterTheTerminal() {
        frames(stamped(0, 1), "[DONE]", stamped(1, 1));

        assertThat(fault()).isEqualTo("a frame after the terminal");
    }

    @Test
    void noticesBodyWithoutFrames() {
        assertThat(fault()).isEqualTo("cut: an empty body");
    }

    @Test
    void noticesStampThatIsCut() {
        frames("@0@123");

        assertThat(fault()).isEqualTo("a damaged stamp");
    }

    @Test
    void believesNoStampOfTheFuture() {
        frames(stamped(0, -1), "[DONE]");

        assertThat(fault()).isEqualTo("a stamp of the future");
    }

    @Test
    void forgetsTheStreamBefore() {
        frames(stamped(0, 1), stamped(5, 1));
        check.reset();
        frames(stamped(0, 1), "[DONE]");

        assertThat(fault()).isNull();
        assertThat(check.outputs()).isEqualTo(1);
    }
}
