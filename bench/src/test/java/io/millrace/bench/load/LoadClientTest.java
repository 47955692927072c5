package io.millrace.bench.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import java.time.Duration;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("sockets")
class LoadClientTest {
    /** The frames of a stream besides its output frames: its role, its finish reason and its terminal. */
    private static final int OTHER_FRAMES = 3;

    private static MockServer mock;
    private static LoadClient client;

    @BeforeAll
    static void start() {
        mock = MockServer.start(MockConfig.defaults());
        client = LoadClient.open();
    }

    @AfterAll
    static void stop() {
        client.close();
        mock.close();
    }

    private static LoadPlan plan(String spec, int streams) {
        return LoadPlan.of(mock.address(), "stamp=1," + spec, streams);
    }

    private static LoadReport runUntil(LoadPlan plan, Predicate<LoadProgress> enough) {
        var run = client.startRecording(plan);
        try {
            await().atMost(Duration.ofSeconds(60)).until(() -> enough.test(run.progress()));
        } finally {
            run.endWindow();
        }
        return run.stop();
    }

    @Test
    void countsEveryFrameOfStreamsThatAreHeld() {
        var report = runUntil(plan("tokens=9,stall_after=4", 7), now -> now.frames() == 7 * 5);

        assertThat(report.frames()).isEqualTo(7 * (1 + 4));
        assertThat(report.delay().getTotalCount()).isEqualTo(7 * 4);
        assertThat(report.ttft().getTotalCount()).isEqualTo(7);
        assertThat(report.unfinished()).isEqualTo(7);
        assertThat(report.completed()).isZero();
        assertThat(report.failures()).isEmpty();
    }

    @Test
    void countsWholeStreamsAndWhatIsInProgress() {
        var report = runUntil(plan("tokens=20,gap_ms=1", 5).expecting(20), now -> now.completed() >= 30);

        long perStream = 20 + OTHER_FRAMES;
        assertThat(report.completed()).isGreaterThanOrEqualTo(30);
        assertThat(report.frames()).isBetween(report.completed() * perStream, (report.completed() + 5) * perStream);
        assertThat(report.delay().getTotalCount()).isBetween(report.completed() * 20, (report.completed() + 5) * 20);
        assertThat(report.shortestBody()).isEqualTo(report.longestBody()).isPositive();
        assertThat(report.unfinished()).isEqualTo(5);
        assertThat(report.failures()).isEmpty();
    }

    @Test
    void keepsUpWithStreamsThatDoNotPause() {
        var report = runUntil(plan("tokens=4000", 5).expecting(4000), now -> now.completed() >= 15);

        assertThat(report.failures()).isEmpty();
        assertThat(report.shortestBody()).isEqualTo(report.longestBody());
    }

    @Test
    void sendsTheNextRequestOnTheSameConnection() {
        long before = mock.stats().connections();

        var report = runUntil(plan("tokens=1", 3), now -> now.completed() >= 100);

        assertThat(mock.stats().connections() - before).isEqualTo(3);
        assertThat(report.failures()).isEmpty();
    }

    @Test
    void opensAnotherConnectionWhereTheServerClosesIt() {
        long before = mock.stats().connections();

        var report = runUntil(plan("tokens=1,version=1.0", 3), now -> now.completed() >= 20);

        assertThat(mock.stats().connections() - before).isGreaterThanOrEqualTo(20);
        assertThat(report.failures()).isEmpty();
    }

    @Test
    void beginsStreamsOverTheRamp() {
        var run = client.start(plan("stall_after=1", 1000).over(Duration.ofMinutes(10)));
        await().until(() -> run.progress().streaming() > 0);
        int soon = run.progress().connections();
        run.stop();

        assertThat(soon).isLessThan(500);
    }

    @Test
    void timesFirstBytesFromTheRequest() {
        var report = runUntil(plan("tokens=2,head_ms=40,ttft_ms=40", 4), now -> now.completed() >= 4);

        assertThat(report.ttft().getTotalCount()).isGreaterThanOrEqualTo(4);
        assertThat(report.ttft().getMinValue()).isGreaterThanOrEqualTo(79_900_000);
        assertThat(report.delay().getMinValue()).isLessThan(79_900_000);
    }

    @Test
    void countsNothingOutsideOfTheWindow() {
        var run = client.start(plan("tokens=5", 2));
        await().until(() -> run.progress().completed() > 10);
        var report = run.stop();

        assertThat(report.frames()).isZero();
        assertThat(report.streams()).isZero();
        assertThat(report.delay().getTotalCount()).isZero();
        assertThat(report.completed()).isGreaterThan(10);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "status=204 | status 204",
                "tokens=9,end_after=5 | cut: closed inside the body",
                "tokens=9,end_at_byte=700 | cut: closed inside the body",
                "tokens=9,eof_after=5 | cut: body ended without its terminal",
                "tokens=9,done=0 | cut: body ended without its terminal",
                "tokens=9,end_after=5,version=1.0 | cut: body ended without its terminal",
                "tokens=9,end_at_byte=700,version=1.0 | cut: body ended inside a frame",
                "tokens=9,error_after=5 | cut: body ended without its terminal",
                "tokens=8 | cut: 8 output frames (expected: 9)",
                "tokens=10 | cut: 10 output frames (expected: 9)",
                "status=503 | status 503",
                "close_on_accept=1 | closed before the head",
                "garbage_head=1 | not HTTP: head: not HTTP/1.1",
                "tokens=9,big_frame=70000 | a frame over 64 KiB"
            })
    void saysHowStreamsWereLost(String spec, String failure) {
        var report = runUntil(plan(spec, 2).expecting(9), now -> now.lost() >= 2);

        assertThat(report.completed()).isZero();
        assertThat(report.failures()).containsOnlyKeys(failure);
        assertThat(report.lost()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void reportsResetStreamAsLost() {
        var report = runUntil(plan("tokens=9,reset_after=5", 2), now -> now.lost() >= 2);

        assertThat(report.completed()).isZero();
        assertThat(report.failures().keySet()).allMatch(what -> what.startsWith("c"));
    }

    @Test
    void reportsTargetThatDoesNotListen() throws Exception {
        MockServer gone = MockServer.start(MockConfig.defaults());
        gone.close();

        var report = runUntil(LoadPlan.of(gone.address(), "", 1), now -> now.lost() > 0);

        assertThat(report.failures().keySet()).allMatch(what -> what.startsWith("connect: "));
    }
}
