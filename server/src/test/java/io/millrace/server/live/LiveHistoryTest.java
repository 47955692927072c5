package io.millrace.server.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;

/** What the live view knows of the last ten minutes. */
class LiveHistoryTest {
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final LiveRecorder loop = new LiveRecorder(tasks::add);
    private final LiveRecorder other = new LiveRecorder(Runnable::run);
    private final EmbeddedChannel clock = new EmbeddedChannel();
    private boolean busy;
    private final LiveHistory history = new LiveHistory(List.of(loop, other), () -> busy, clock.eventLoop());

    @Test
    void findsAPercentileToFivePercentAtAnySize() {
        for (double ms = 0.3; ms < 3_000_000; ms *= 1.17) {
            var times = new LiveTimes();
            times.record(Math.round(ms * 1e6));
            var counts = new long[LiveTimes.CELLS];
            times.addTo(counts);
            assertThat(LiveTimes.percentileMs(counts, 0.5)).isCloseTo(ms, ms < 1 ? within(0.06) : within(ms * 0.065));
        }
        assertThat(LiveTimes.percentileMs(new long[LiveTimes.CELLS], 0.5)).isEqualTo(-1);
    }

    @Test
    void bearsARequestThatComesWhenItsTimerHasEnded() {
        var ended = Executors.newSingleThreadScheduledExecutor();
        ended.shutdown();
        new LiveHistory(List.of(loop), () -> busy, ended).onRequest();
    }

    @Test
    void hasForEachPeriodWhatEndedInIt() {
        for (int i = 1; i <= 100; i++) {
            (i % 2 == 0 ? loop : other).ended(stream(Outcome.COMPLETED, 10L * i));
        }
        history.add(1);
        other.ended(stream(Outcome.UPSTREAM_RESET, 5_000));
        other.ended(stream(Outcome.CLIENT_GONE, 5_000));
        loop.ended(Summary.refused(null, Protocol.H2, null, "GET", "/", 400, "x"));
        history.add(2);
        history.add(3);

        List<LiveHistory.Point> points = history.from(0);
        assertThat(points).extracting(LiveHistory.Point::atNs).containsExactly(1L, 2L, 3L);
        assertThat(points.get(0).ttftP50()).isCloseTo(500, Percentage.withPercentage(6.5));
        assertThat(points.get(0).ttftP95()).isCloseTo(950, Percentage.withPercentage(6.5));
        assertThat(points.get(0).ends()).containsExactly(100, 0, 0, 0);
        assertThat(points.get(1).ttftP50()).isCloseTo(5_000, Percentage.withPercentage(6.5));
        assertThat(points.get(1).ends()).containsExactly(0, 1, 1, 1);
        assertThat(points.get(2).ttftP50()).isEqualTo(-1);
        assertThat(history.from(2)).hasSize(1);
    }

    @Test
    void makesPointsUntilAPeriodPassesWithoutRequests() {
        clock.freezeTime();
        pass(3);
        assertThat(history.from(0)).isEmpty();
        busy = true;
        history.onRequest();
        history.onRequest();
        pass(3);
        assertThat(history.from(0)).hasSize(3);
        busy = false;
        loop.ended(stream(Outcome.COMPLETED, 10));
        pass(9);
        assertThat(history.from(0)).as("that of the end, and one of nothing").hasSize(5);
        assertThat(clock.runScheduledPendingTasks()).as("no timer").isEqualTo(-1);
        history.onRequest();
        pass(1);
        assertThat(history.from(0)).hasSize(6);
    }

    private void pass(int periods) {
        for (int i = 0; i < periods; i++) {
            clock.advanceTimeBy(LiveHistory.PERIOD_MS, TimeUnit.MILLISECONDS);
            clock.runScheduledPendingTasks();
        }
    }

    @Test
    void showsAnEventLoopThatIsLateOnceItRuns() {
        history.add(1);
        assertThat(history.from(0).get(0).lagMs()).isLessThan(3);
        long fromNs = System.nanoTime();
        while (System.nanoTime() - fromNs < TimeUnit.MILLISECONDS.toNanos(3)) {
            Thread.onSpinWait();
        }
        tasks.remove().run();
        history.add(2);
        assertThat(history.from(1).get(0).lagMs()).isGreaterThanOrEqualTo(3);
    }

    @Test
    void keepsTenMinutesAndTellsAWatcherEachPointOnce() {
        for (int i = 0; i < 310; i++) {
            history.add(i);
        }
        assertThat(history.from(0)).hasSize(300);
        var feed = new LiveFeed(0);
        assertThat(new String(feed.history(history), StandardCharsets.UTF_8))
                .startsWith("event: history\ndata: {\"every\":2000,\"points\":[{\"at\":0,\"ends\":[0,0,0,0],\"lag\":");
        assertThat(feed.history(history)).isEmpty();
        history.add(311);
        assertThat(new String(feed.history(history), StandardCharsets.UTF_8)).containsOnlyOnce("\"at\"");
    }

    private static Summary stream(Outcome outcome, long ttftMs) {
        Summary refused = Summary.refused(null, Protocol.H2, null, "POST", "/v1/messages", 200, "");
        var time = new Timeline();
        time.requestCompleteNs = time.startNs;
        time.firstOutputWrittenNs = time.startNs + TimeUnit.MILLISECONDS.toNanos(ttftMs);
        var response = new Summary.Response(200, outcome, null, null, false, 0, Summary.Whole.NONE);
        return new Summary(refused.request(), refused.attempts(), response, Summary.Stream.EMPTY, null, time);
    }
}
