package io.millrace.bench.stats;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.bench.session.Trace;
import io.millrace.bench.stream.LoadShape;
import io.millrace.bench.stream.Session;
import io.millrace.bench.stream.Session.Turn;
import io.millrace.bench.stream.Sessions;
import io.millrace.bench.stream.StreamSample;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.transport.Transport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Compares what is reported of sessions with what was injected. As in {@link TruthTest}, no reported time is less than
 * the injected one.
 */
@Tag("time")
@Tag("sockets")
class SessionsTruthTest {
    private static final double ROUNDING = 0.998;
    private static final long THINK_NS = TimeUnit.MILLISECONDS.toNanos(60);
    /** 800 characters, 200 tokens of the mock. */
    private static final String MESSAGE = "abcd".repeat(200);

    private static MockServer mock;
    private static Bench bench;

    @TempDir
    private Path directory;

    private final List<StreamSample> samples = Collections.synchronizedList(new ArrayList<>());

    @BeforeAll
    static void start() {
        mock = MockServer.start(MockConfig.defaults());
        bench = new Bench(mock, 1);
    }

    @AfterAll
    static void stop() {
        bench.close();
        mock.close();
    }

    private static Sessions sessions(Turn... turns) {
        return index -> new Session(List.of(turns), null);
    }

    private RunResult run(String base, String spec, LoadShape shape, Sessions sessions) throws Exception {
        try (var runner = new Runner(Transport.best(), 1)) {
            var plan = bench.plan(base, spec, shape).withSessions(sessions);
            return runner.run(plan, null, samples::add, Runner.Watcher.NONE);
        }
    }

    /** The mock reads 4,000 tokens of the whole prompt a second, so each turn adds 50 ms for 200 new tokens. */
    @ParameterizedTest
    @ValueSource(strings = {"/v1", "/v1/responses", "/v1/messages", "/v1beta/models/m:streamGenerateContent"})
    void firstTokensComeLaterAsThePromptGrows(String base) throws Exception {
        var result = run(
                base,
                "ttft_ms=10,prefill_tps=4000,tokens=4",
                Bench.closed(6, 6),
                sessions(
                        Turn.user(0, () -> MESSAGE),
                        Turn.user(THINK_NS, () -> MESSAGE),
                        Turn.tool(THINK_NS, () -> MESSAGE)));

        assertThat(result.errors()).isEmpty();
        assertThat(result.completed()).isEqualTo(18);
        assertThat(result.sessions()).isEqualTo(6);
        assertThat(result.wholeSessions()).isEqualTo(6);
        assertThat(result.toolTurns()).isEqualTo(6);
        var turns = result.byTurn().parts();
        assertThat(turns).extracting(Breakdown.Part::label).containsExactly("1", "2", "3");
        for (int turn = 0; turn < 3; turn++) {
            var part = turns.get(turn);
            assertThat(part.ttft().count()).isEqualTo(6);
            assertThat(part.ttft().min()).isGreaterThan((10 + 50 * (turn + 1)) * ROUNDING);
            // The answers have grown it too, by a few tokens.
            assertThat(part.promptTokens().min()).isBetween(200.0 * (turn + 1), 200.0 * (turn + 1) + 60);
        }
        assertThat(result.byPrompt().parts())
                .extracting(Breakdown.Part::label)
                .containsExactly("128-255", "256-511", "512-1023");
        assertEachTurnWaits(THINK_NS);
    }

    /** A turn is due when the user has thought: the time to its first token does not contain that. */
    private void assertEachTurnWaits(long thinkNs) {
        samples.sort(Comparator.comparingLong(StreamSample::index).thenComparingInt(StreamSample::turn));
        for (int i = 1; i < samples.size(); i++) {
            var before = samples.get(i - 1);
            var turn = samples.get(i);
            if (turn.index() == before.index()) {
                assertThat(turn.turn()).isEqualTo(before.turn() + 1);
                assertThat(turn.scheduledNs() - before.endNs()).isGreaterThanOrEqualTo(thinkNs);
                assertThat(turn.sentNs()).isGreaterThanOrEqualTo(turn.scheduledNs());
            }
        }
    }

    @Test
    void aTraceBeginsItsSessionsAtItsTimes() throws Exception {
        var file = Files.writeString(directory.resolve("t.jsonl"), """
                {"timestamp": 1000, "input_length": 5, "output_length": 3}
                {"timestamp": 1150, "session_id": "a", "input_length": 5, "output_length": 3}
                {"timestamp": 1450, "session_id": "a", "input_length": 5, "output_length": 3}
                {"timestamp": 1300, "input_length": 5, "output_length": 3}
                """);
        var trace = Trace.read(file, true);
        var result = run("/v1", "ttft_ms=20", LoadShape.open(trace.rate()), trace);

        assertThat(result.errors()).isEmpty();
        assertThat(result.outputTokens()).as("three tokens each, as recorded").isEqualTo(4 * 3);
        samples.sort(Comparator.comparingLong(StreamSample::scheduledNs));
        long begunNs = samples.get(0).scheduledNs();
        assertThat(samples)
                .extracting(sample -> TimeUnit.NANOSECONDS.toMillis(sample.scheduledNs() - begunNs))
                .first()
                .isEqualTo(0L);
        assertThat(samples.subList(0, 3))
                .extracting(sample -> TimeUnit.NANOSECONDS.toMillis(sample.scheduledNs() - begunNs))
                .containsExactly(0L, 150L, 300L);
        // Due 300 ms after the turn before, unless that had not ended then.
        assertThat(samples.get(3).scheduledNs() - begunNs).isGreaterThanOrEqualTo(TimeUnit.MILLISECONDS.toNanos(450));
    }

    @Test
    void aSessionThatFailsIsNotWhole() throws Exception {
        var result = run(
                "/v1",
                "tokens=4,cut_after=2",
                Bench.closed(1, 3),
                sessions(Turn.user(0, () -> "one"), Turn.user(0, () -> "two")));

        assertThat(result.streams()).as("no second turn without an answer").isEqualTo(3);
        assertThat(result.sessions()).isEqualTo(3);
        assertThat(result.wholeSessions()).isZero();
    }

    @Test
    void nobodyThinksPastTheEndOfTheLoad() throws Exception {
        var shape = LoadShape.closed(2).with(load -> {
            load.durationNs = TimeUnit.MILLISECONDS.toNanos(400);
            load.drainNs = TimeUnit.MINUTES.toNanos(5);
        });
        var result = run(
                "/v1",
                "tokens=1",
                shape,
                sessions(Turn.user(0, () -> "one"), Turn.user(TimeUnit.MINUTES.toNanos(5), () -> "two")));

        assertThat(result.completed())
                .as("the two clients think, and begin no other session")
                .isEqualTo(2);
        assertThat(result.wholeSessions()).isZero();
    }

    /** A client that blocks its own event loop says so, instead of blaming the target. */
    @Test
    void anUnfitClientSaysSo() throws Exception {
        try (var runner = new Runner(Transport.best(), 1)) {
            var plan = bench.plan("tokens=3,ttft_ms=20", Bench.closed(4, 20))
                    .withSessions(sessions(Turn.user(0, () -> "one"), Turn.user(0, () -> "two")));
            var result = runner.run(
                    plan,
                    null,
                    sample -> {
                        long untilNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(15);
                        while (System.nanoTime() < untilNs) {
                            Thread.onSpinWait();
                        }
                    },
                    Runner.Watcher.NONE);

            assertThat(result.verdict().grade()).isEqualTo(Verdict.Grade.INVALID);
        }
    }
}
