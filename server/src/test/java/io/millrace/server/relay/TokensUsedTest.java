package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Usage;
import io.millrace.server.telemetry.Correlation;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TokensUsedTest {
    private static final int ESTIMATE = 30;

    /**
     * Tokens that the provider reported (-1 is not reported), and the tokens that are settled, for each end of a
     * stream.
     */
    @ParameterizedTest
    @CsvSource({
        "COMPLETED, true, 10, 20, 18, 10, 20",
        "STOPPED, false, 10, -1, 7, 10, 7",
        "CLIENT_GONE, false, -1, -1, 7, 30, 7",
        "CLIENT_GONE, true, 10, 20, 18, 10, 20",
        "UPSTREAM_TRUNCATED, false, -1, -1, 7, 30, 7",
        "UPSTREAM_RESET, false, 10, 1, 7, 10, 7",
        "UPSTREAM_IDLE, false, -1, 50, 7, 30, 50",
        "UPSTREAM_ERROR, false, -1, -1, 0, 30, 0",
        "DRAINED, false, -1, -1, 3, 30, 3",
        "OVERLOADED, false, -1, -1, 3, 30, 3",
    })
    void aStreamCountsByItsUsageOrItsFrames(
            Outcome outcome, boolean exact, long in, long out, long frames, long input, long output) {
        var usage = new Usage(in, out, -1, -1, -1);
        var stream = new Summary.Stream(null, null, frames + 1, frames, usage, exact);
        assertThat(used(outcome, stream, 1, 1000)).isEqualTo(new TokensUsed(input, output));
    }

    @ParameterizedTest
    @CsvSource({
        "COMPLETED, 1, 400, 30, 100",
        "CLIENT_GONE, 1, 0, 30, 0",
        "CLIENT_GONE, 0, 0, 0, 0",
        "UPSTREAM_FAILED, 3, 100, 0, 0",
        "UPSTREAM_ERROR, 1, 100, 0, 0",
        "REFUSED, 0, 100, 0, 0",
        "OVERLOADED, 0, 100, 0, 0",
    })
    void whatIsNoStreamCountsByItsLength(Outcome outcome, int attempts, long bytes, long input, long output) {
        assertThat(used(outcome, null, attempts, bytes)).isEqualTo(new TokensUsed(input, output));
        if (bytes == 0) {
            assertThat(used(outcome, Summary.Stream.EMPTY, attempts, bytes)).isEqualTo(new TokensUsed(input, output));
        }
    }

    @ParameterizedTest
    @CsvSource({"10, 20, 10, 20", "-1, 20, 30, 20", "10, -1, 30, 100"})
    void anAnswerInOneBodyCountsByItsUsage(long in, long out, long input, long output) {
        var usage = new Usage(in, out, -1, -1);
        assertThat(used(Outcome.COMPLETED, null, 1, 400, usage)).isEqualTo(new TokensUsed(input, output));
    }

    private static TokensUsed used(Outcome outcome, Summary.Stream stream, int attempts, long bytes) {
        return used(outcome, stream, attempts, bytes, Usage.NONE);
    }

    private static TokensUsed used(Outcome outcome, Summary.Stream stream, int attempts, long bytes, Usage whole) {
        return TokensUsed.of(
                new Summary(
                        new Summary.Request(
                                null, null, null, "id", "POST", "/", "chat", "m", 0, Correlation.NONE, "web", null),
                        new Summary.Attempts(
                                "r",
                                new Summary.Asked("u", null, null, null, null, null),
                                attempts,
                                0,
                                0,
                                false,
                                List.of()),
                        new Summary.Response(
                                200, outcome, null, null, false, bytes, new Summary.Whole(null, null, whole)),
                        stream,
                        null,
                        new Timeline()),
                ESTIMATE);
    }
}
