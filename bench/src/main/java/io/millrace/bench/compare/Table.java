package io.millrace.bench.compare;

import io.millrace.bench.compare.Measurement.Times;
import io.millrace.bench.compare.Results.Figure;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Results as Markdown: a column per target and a row per figure. Below the table are the void measurements and how the
 * cost grows.
 */
final class Table {
    private final Results results;
    private final Scenarios scenarios;
    private final StringBuilder out = new StringBuilder();

    private Table(Results results) {
        this.results = results;
        scenarios = results.scenarios();
    }

    private record Row(String label, String scenario, int decimals, Figure figure) {}

    static String markdown(Results results) {
        return new Table(results).build();
    }

    private String build() {
        preface();
        figures();
        flaws();
        scale();
        return out.toString();
    }

    private void preface() {
        var machine = results.machine();
        long rounds = results.measurements().stream()
                .mapToInt(Measurement::round)
                .max()
                .orElse(0);
        line("# Millrace beside other proxies");
        line("");
        if (results.quick()) {
            line("**A quick run, to see that everything works: no figure here means anything.**");
            line("");
        }
        line(machine.text() + ".");
        line(machine.time() + ", commit " + machine.commit() + ", " + rounds
                + (rounds == 1 ? " round" : " rounds; each figure is the median, with the least and the most")
                + ". Every target has one thread for its work.");
        if (!machine.jvmFlags().isBlank()) {
            line("Further flags of Millrace's JVM: `" + machine.jvmFlags() + "`.");
        }
        double foreign = results.measurements().stream()
                .mapToDouble(Measurement::foreignCores)
                .max()
                .orElse(0);
        line("Everything else on the machine used up to " + Spread.number(foreign, 2)
                + " of a processor while something was measured.");
        line("");
        machine.versions().forEach((name, version) -> line("- " + name + ": " + version));
        line("");
    }

    private void figures() {
        var peers = results.peers();
        line("| | " + join(peers, Peer::label) + " |");
        line("| --- | " + join(peers, peer -> "---:") + " |");
        for (var row : rows()) {
            if (peers.stream().anyMatch(peer -> !results.of(row.scenario, peer).isEmpty())) {
                line("| " + row.label + " | " + join(peers, peer -> cell(row, peer)) + " |");
            }
        }
        line("| streams lost, of all | " + join(peers, this::lost) + " |");
        line("");
        if (!peers.contains(Peer.DIRECT)) {
            return;
        }
        line("The column \"" + Peer.DIRECT.label() + "\" is the mock and the client alone, its times as they are; the"
                + " others' added times are theirs less these. Memory is what the system says of the process.");
        line("");
    }

    private List<Row> rows() {
        var rows = new ArrayList<Row>();
        String at = " at " + count(scenarios.delay()) + " streams, µs, ";
        rows.add(added("added time to first byte" + at + "p50", Measurement::ttft, Times::p50));
        rows.add(added("… p99", Measurement::ttft, Times::p99));
        rows.add(added("… p99.9", Measurement::ttft, Times::p999));
        rows.add(added("added delay of a frame" + at + "p50", Measurement::delay, Times::p50));
        rows.add(added("… p99", Measurement::delay, Times::p99));
        rows.add(added("… p99.9", Measurement::delay, Times::p999));
        rows.add(cost(
                "CPU seconds per million frames, " + count(scenarios.cpu()) + " streams",
                scenarios.cpu(),
                1,
                Measurement::cpuSecondsPerMillionFrames));
        rows.add(new Row(
                "… frames that came, % of direct",
                scenarios.cpu().name(),
                1,
                (measured, direct) ->
                        direct == null ? Double.NaN : 100 * measured.framesPerSecond() / direct.framesPerSecond()));
        rows.add(cost(
                "saturated: million frames per CPU second",
                scenarios.saturated(),
                2,
                Measurement::millionFramesPerCpuSecond));
        rows.add(rate("… million frames a second", scenarios.saturated(), 2, m -> m.framesPerSecond() / 1e6));
        rows.add(cost("… of a processor used, %", scenarios.saturated(), 0, m -> 100 * m.targetCores()));
        rows.add(cost(
                "short streams per CPU second, thousands",
                scenarios.shorts(),
                1,
                Measurement::thousandStreamsPerCpuSecond));
        rows.add(rate(
                "… thousand streams a second", scenarios.shorts(), 1, m -> m.streamsEnded() / m.windowSeconds() / 1e3));
        rows.add(cost("… of a processor used, %", scenarios.shorts(), 0, m -> 100 * m.targetCores()));
        for (var hold : List.of(scenarios.hold(), scenarios.holdMany())) {
            rows.add(cost("KiB per held stream, " + count(hold) + " streams", hold, 1, Measurement::kibPerHeldStream));
        }
        rows.add(cost("MiB of the process before", scenarios.hold(), 0, m -> m.residentBeforeKiB() / 1024.0));
        rows.addAll(edgeRows(results.quick() ? EdgeScenarios.quick() : EdgeScenarios.full()));
        return rows;
    }

    private static List<Row> edgeRows(EdgeScenarios edge) {
        var rows = new ArrayList<Row>();
        for (var protocol : ClientProtocol.values()) {
            rows.add(edgeRow(
                    "CPU seconds per million frames, " + count(edge.frames()) + " streams",
                    edge.frames(),
                    protocol,
                    Measurement::cpuSecondsPerMillionFrames));
        }
        for (var protocol : ClientProtocol.values()) {
            rows.add(edgeRow(
                    "… all targets at once, " + count(edge.beside()) + " streams each",
                    edge.beside(),
                    protocol,
                    Measurement::cpuSecondsPerMillionFrames));
        }
        for (var protocol : ClientProtocol.values()) {
            rows.add(edgeRow(
                    "CPU µs per short stream", edge.shorts(), protocol, m -> 1e3 / m.thousandStreamsPerCpuSecond()));
        }
        for (var kind : Handshakes.values()) {
            rows.add(new Row(
                    kind.label() + " per CPU second",
                    kind.label(),
                    0,
                    (measured, direct) -> 1e3 * measured.thousandStreamsPerCpuSecond()));
        }
        for (var protocol : ClientProtocol.values()) {
            rows.add(edgeRow(
                    "KiB per idle stream, " + count(edge.idle()) + " streams",
                    edge.idle(),
                    protocol,
                    Measurement::kibPerHeldStream));
        }
        return rows;
    }

    private static Row edgeRow(
            String label, Scenario load, ClientProtocol protocol, ToDoubleFunction<Measurement> figure) {
        return new Row(
                label + ", " + protocol.label(),
                EdgeScenario.name(load, protocol),
                1,
                (measured, direct) -> figure.applyAsDouble(measured));
    }

    private Row added(String label, Function<Measurement, Times> times, ToDoubleFunction<Times> percentile) {
        return new Row(label, scenarios.delay().name(), 0, added(times, percentile));
    }

    /** The time of the target minus the time without a target. For the run without a target it is the time itself. */
    static Figure added(Function<Measurement, Times> times, ToDoubleFunction<Times> percentile) {
        return (measured, direct) -> {
            double value = percentile.applyAsDouble(times.apply(measured));
            if (measured.target() == Peer.DIRECT) {
                return value;
            }
            return direct == null ? Double.NaN : value - percentile.applyAsDouble(times.apply(direct));
        };
    }

    /** A row for a rate. It is also shown for the run without a target. */
    private static Row rate(String label, Scenario scenario, int decimals, ToDoubleFunction<Measurement> figure) {
        return new Row(label, scenario.name(), decimals, (measured, direct) -> figure.applyAsDouble(measured));
    }

    /** A row for a cost. It is shown for targets only. */
    private static Row cost(String label, Scenario scenario, int decimals, ToDoubleFunction<Measurement> figure) {
        return new Row(
                label,
                scenario.name(),
                decimals,
                (measured, direct) -> measured.target() == Peer.DIRECT ? Double.NaN : figure.applyAsDouble(measured));
    }

    private String cell(Row row, Peer peer) {
        var measured = results.of(row.scenario, peer);
        if (measured.isEmpty()) {
            return "";
        }
        if (measured.stream().allMatch(one -> one.flaw() != null)) {
            return "void";
        }
        return results.spread(row.scenario, peer, row.figure)
                .map(spread -> spread.text(row.decimals))
                .orElse("");
    }

    private String lost(Peer peer) {
        var measured = results.select(one -> one.target() == peer);
        long lost = measured.stream().mapToLong(Measurement::lost).sum();
        long all = lost
                + measured.stream()
                        .mapToLong(one -> Math.max(one.streamsEnded() + one.unfinished(), one.held()))
                        .sum();
        return String.format(Locale.ROOT, "%,d of %,d", lost, all);
    }

    private void flaws() {
        var flawed = results.select(measured -> measured.flaw() != null || measured.lost() > 0);
        for (var measured : flawed) {
            String what = measured.flaw() == null ? "" : ": void, " + measured.flaw();
            String lost = measured.lost() == 0 ? "" : ": lost streams " + measured.failures();
            line("- " + measured.target().label() + ", " + measured.scenario() + " with "
                    + Spread.number(measured.streams(), 0) + " streams, round " + measured.round() + what + lost);
        }
        if (!flawed.isEmpty()) {
            line("");
        }
    }

    private void scale() {
        var loops = results.select(measured -> measured.scenario().equals("scale")).stream()
                .map(Measurement::eventLoops)
                .distinct()
                .sorted()
                .toList();
        if (loops.isEmpty()) {
            return;
        }
        line("## Millrace, as many frames a second on more and more streams");
        line("");
        line("| streams | frames a second | "
                + join(
                        loops,
                        n -> "CPU s per million frames, " + loops(n) + " | delay of a frame p50 | p99 | p99.9, µs")
                + " |");
        line("| ---: | ---: | " + join(loops, n -> "---: | ---: | ---: | ---:") + " |");
        for (var scenario : scenarios.scale()) {
            line("| " + count(scenario) + " | " + scaleCell(scenario, loops.get(0), 0, Measurement::framesPerSecond)
                    + " | "
                    + join(
                            loops,
                            n -> scaleCell(scenario, n, 1, Measurement::cpuSecondsPerMillionFrames) + " | "
                                    + scaleCell(scenario, n, 0, m -> m.delay().p50()) + " | "
                                    + scaleCell(scenario, n, 0, m -> m.delay().p99()) + " | "
                                    + scaleCell(scenario, n, 0, m -> m.delay().p999()))
                    + " |");
        }
        line("");
    }

    private String scaleCell(Scenario scenario, int loops, int decimals, ToDoubleFunction<Measurement> figure) {
        double[] values = scaleValues(results, scenario, loops, figure);
        return values.length == 0 ? "void" : Spread.of(values).text(decimals);
    }

    /** The values of all rounds that are not void, for one number of streams and event loops. */
    static double[] scaleValues(Results results, Scenario scenario, int loops, ToDoubleFunction<Measurement> figure) {
        return results
                .select(measured -> measured.scenario().equals(scenario.name())
                        && measured.streams() == scenario.streams()
                        && measured.eventLoops() == loops
                        && measured.flaw() == null)
                .stream()
                .mapToDouble(figure)
                .toArray();
    }

    private static String loops(int count) {
        return count == 1 ? "1 event loop" : count + " event loops";
    }

    private static String count(Scenario scenario) {
        return Spread.number(scenario.streams(), 0);
    }

    private static <T> String join(List<T> items, Function<T, String> text) {
        return items.stream().map(text).collect(Collectors.joining(" | "));
    }

    private void line(String text) {
        out.append(text).append('\n');
    }
}
