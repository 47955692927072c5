package io.millrace.bench.compare;

import static io.millrace.bench.compare.Runs.results;
import static io.millrace.bench.compare.Runs.run;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class TableTest {
    private static List<String> lines(Measurement... measurements) {
        return Table.markdown(results(measurements)).lines().toList();
    }

    private static String row(String label, Measurement... measurements) {
        return lines(measurements).stream()
                .filter(line -> line.startsWith("| " + label))
                .findFirst()
                .orElse("no row");
    }

    @Test
    void takesTimesWithoutTargetOffThoseWithOne() {
        assertThat(row(
                        "added delay of a frame",
                        run("delay", Peer.DIRECT, 1, 50, 0),
                        run("delay", Peer.MILLRACE, 1, 92, 1)))
                .endsWith("| 50 | 42 |");
    }

    @Test
    void takesThoseOfTheSameRound() {
        assertThat(row(
                        "added delay of a frame",
                        run("delay", Peer.DIRECT, 1, 50, 0),
                        run("delay", Peer.NGINX, 1, 60, 1),
                        run("delay", Peer.DIRECT, 2, 500, 0),
                        run("delay", Peer.NGINX, 2, 520, 1),
                        run("delay", Peer.DIRECT, 3, 80, 0),
                        run("delay", Peer.NGINX, 3, 95, 1)))
                .endsWith("| 80 (50–500) | 15 (10–20) |");
    }

    @Test
    void showsNoAddedTimeWhereThereWasNoDirectOne() {
        assertThat(row("added delay of a frame", run("delay", Peer.NGINX, 1, 60, 1)))
                .endsWith("p50 |  |");
    }

    @Test
    void showsWhatTargetsCost() {
        assertThat(row(
                        "CPU seconds per million frames",
                        run("cpu", Peer.DIRECT, 1, 50, 0),
                        run("cpu", Peer.HAPROXY, 1, 50, 28.25)))
                .endsWith("|  | 28.3 |");
    }

    @Test
    void leavesVoidFiguresOutAndSaysWhy() {
        var valid = run("cpu", Peer.NGINX, 1, 50, 28);
        var flawed = run("cpu", Peer.NGINX, 2, 1, 10, 50, 99, 0, "the mock used 71% of a processor");
        var voidOnly = run("cpu", Peer.CADDY, 1, 1, 10, 50, 99, 0, "the client used 80% of a processor");

        assertThat(row("CPU seconds per million frames", valid, flawed, voidOnly))
                .endsWith("| 28.0 | void |");
        assertThat(lines(valid, flawed, voidOnly))
                .contains(
                        "- nginx, cpu with 10 streams, round 2: void, the mock used 71% of a processor",
                        "- Caddy, cpu with 10 streams, round 1: void, the client used 80% of a processor");
    }

    @Test
    void saysHowManyStreamsWereLostAndHow() {
        var lossy = run("cpu", Peer.CADDY, 1, 1, 10, 50, 30, 3, null);

        assertThat(row("streams lost", lossy)).endsWith("| 3 of 1,003 |");
        assertThat(lines(lossy)).contains("- Caddy, cpu with 10 streams, round 1: lost streams {status 502=3}");
    }

    @Test
    void showsOnlyWhatWasMeasured() {
        assertThat(row("saturated", run("cpu", Peer.NGINX, 1, 50, 28))).isEqualTo("no row");
    }

    @Test
    void showsHowCostGrows() {
        var lines = lines(
                run("scale", Peer.MILLRACE, 1, 1, 10, 40, 20, 0, null),
                run("scale", Peer.MILLRACE, 1, 2, 10, 30, 25, 0, null),
                run("scale", Peer.MILLRACE, 1, 1, 9000, 90, 31, 0, null),
                run("scale", Peer.MILLRACE, 1, 2, 9000, 80, 33, 0, "the mock used 71% of a processor"));

        assertThat(lines)
                .contains("| 10 | 100,000 | 20.0 | 40 | 400 | 800 | 25.0 | 30 | 300 | 600 |")
                .contains("| 9,000 | 100,000 | 31.0 | 90 | 900 | 1,800 | void | void | void | void |");
    }

    @Test
    void showsWhatProtocolsCost() {
        var lines = lines(
                run("frames, HTTP/2 with TLS", Peer.NGINX, 1, 0, 25.94),
                run("frames, HTTP/2 with TLS", Peer.MILLRACE, 1, 0, 22.2),
                run("beside, HTTP/1.1", Peer.NGINX, 1, 0, 20.5),
                run("beside, HTTP/1.1", Peer.MILLRACE, 1, 0, 19.75),
                run("streams, HTTP/1.1 with TLS", Peer.MILLRACE, 1, 0, 0.05),
                run("full handshakes", Peer.MILLRACE, 1, 0, 0.25));

        assertThat(lines)
                .contains("| CPU seconds per million frames, 1,000 streams, HTTP/2 with TLS | 25.9 | 22.2 |")
                .contains("| … all targets at once, 500 streams each, HTTP/1.1 | 20.5 | 19.8 |")
                .contains("| CPU µs per short stream, HTTP/1.1 with TLS |  | 50.0 |")
                .contains("| full handshakes per CPU second |  | 4,000 |");
    }
}
