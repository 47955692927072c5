package io.millrace.bench.compare;

import io.millrace.bench.compare.Measurement.Times;
import io.millrace.bench.compare.Results.Figure;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Draws results as SVG. */
final class Charts {
    private static final int WIDTH = 720;
    private static final int LABELS = 90;
    private static final int VALUES = 180;
    private static final int BAR = 18;
    private static final int ROW = 26;
    private static final int HEAD = 34;

    /** A bar longer than this multiple of the median is cut. It would make the others too short to compare. */
    private static final double LONGEST = 3;

    private static final int PLOT_HEIGHT = 300;
    private static final int PLOT_LEFT = 60;
    private static final int PLOT_TOP = 60;
    private static final int PLOT_BOTTOM = 50;

    private Charts() {}

    private record Bar(Peer peer, Spread spread) {}

    /** Bars per target: the delay that the target adds to a frame, and its processor time per frame. */
    static String compare(Results results) {
        var scenarios = results.scenarios();
        var delay = bars(results, scenarios.delay(), Table.added(Measurement::delay, Times::p99));
        var cpu = bars(results, scenarios.cpu(), (m, direct) -> m.cpuSecondsPerMillionFrames());
        int height = 2 * HEAD + ROW * (delay.size() + cpu.size()) + 24;
        var svg = new Svg(WIDTH, height, "Millrace beside other proxies: added delay of a frame, CPU time per frame");
        double y = panel(
                svg,
                0,
                "Added delay of a frame at " + scenarios.delay().streams() + " streams, 99th percentile",
                "µs",
                0,
                delay);
        y = panel(
                svg,
                y,
                "CPU seconds per million frames at "
                        + Spread.number(scenarios.cpu().streams(), 0) + " streams",
                "s",
                1,
                cpu);
        boolean cut = isCut(delay) || isCut(cpu);
        svg.text(
                0,
                y + 16,
                "start",
                "",
                "Shorter is better. " + (cut ? "A bar with a gap is cut: its number is right, its length is not. " : "")
                        + results.machine().processor());
        return svg.end();
    }

    /** Whether a bar is longer than what is drawn of it. */
    private static boolean isCut(List<Bar> bars) {
        return bars.stream().anyMatch(bar -> bar.spread.median() > longest(bars));
    }

    private static List<Bar> bars(Results results, Scenario scenario, Figure figure) {
        var bars = new ArrayList<Bar>();
        for (var peer : results.peers()) {
            if (peer != Peer.DIRECT) {
                results.spread(scenario.name(), peer, figure).ifPresent(spread -> bars.add(new Bar(peer, spread)));
            }
        }
        return bars;
    }

    private static double panel(Svg svg, double top, String title, String unit, int decimals, List<Bar> bars) {
        svg.text(0, top + 20, "start", "h", title);
        double scale = (WIDTH - LABELS - VALUES) / longest(bars);
        double y = top + HEAD;
        for (var bar : bars) {
            boolean ours = bar.peer == Peer.MILLRACE;
            double full = Math.max(0, bar.spread.median()) * scale;
            double length = Math.min(full, WIDTH - LABELS - VALUES);
            svg.text(LABELS - 10, y + 14, "end", ours ? "o" : "", bar.peer.label());
            String colour = ours ? Svg.OURS : Svg.OTHERS;
            if (full > length) {
                svg.cutBar(LABELS, y, length, BAR, colour);
            } else {
                svg.bar(LABELS, y, length, BAR, colour);
            }
            svg.text(LABELS + length + 8, y + 14, "start", ours ? "o" : "", value(bar.spread, decimals, unit));
            y += ROW;
        }
        return y;
    }

    private static String value(Spread spread, int decimals, String unit) {
        return spread.text(decimals) + " " + unit;
    }

    private static double longest(List<Bar> bars) {
        if (bars.isEmpty()) {
            return 1;
        }
        double[] values = bars.stream().mapToDouble(bar -> bar.spread.median()).toArray();
        var spread = Spread.of(values);
        double longest = 0;
        for (double value : values) {
            if (value <= LONGEST * spread.median()) {
                longest = Math.max(longest, value);
            }
        }
        return Math.max(longest, 1e-9);
    }

    /** A line per number of event loops: processor time per frame over the number of streams, by powers of ten. */
    static String scale(Results results) {
        var svg = new Svg(
                WIDTH, PLOT_TOP + PLOT_HEIGHT + PLOT_BOTTOM, "Millrace: CPU time per frame as streams grow in number");
        svg.text(
                0,
                20,
                "start",
                "h",
                "CPU seconds per million frames, as many frames a second on more and more streams");
        Map<Integer, Map<Integer, Double>> lines = new TreeMap<>();
        for (int loops : List.of(1, 2)) {
            for (var scenario : results.scenarios().scale()) {
                double[] values = Table.scaleValues(results, scenario, loops, Measurement::cpuSecondsPerMillionFrames);
                if (values.length > 0) {
                    lines.computeIfAbsent(loops, n -> new TreeMap<>())
                            .put(scenario.streams(), Spread.of(values).median());
                }
            }
        }
        double most = lines.values().stream()
                .flatMap(line -> line.values().stream())
                .mapToDouble(Double::doubleValue)
                .max()
                .orElse(1);
        double top = niceAbove(most);
        for (int i = 0; i <= 4; i++) {
            double y = PLOT_TOP + PLOT_HEIGHT * (1 - i / 4.0);
            svg.rule(PLOT_LEFT, y, WIDTH - 20, y);
            svg.text(PLOT_LEFT - 8, y + 4, "end", "", Spread.number(top * i / 4, top < 8 ? 1 : 0));
        }
        var streams =
                results.scenarios().scale().stream().map(Scenario::streams).toList();
        for (int count : streams) {
            svg.text(x(count, streams), PLOT_TOP + PLOT_HEIGHT + 20, "middle", "", Spread.number(count, 0));
        }
        svg.text(WIDTH / 2.0, PLOT_TOP + PLOT_HEIGHT + 42, "middle", "", "streams");
        lines.forEach((loops, line) -> draw(svg, loops, line, streams, top));
        return svg.end();
    }

    private static void draw(Svg svg, int loops, Map<Integer, Double> line, List<Integer> streams, double top) {
        String colour = loops == 1 ? Svg.OURS : Svg.SECOND;
        double beforeX = 0;
        double beforeY = 0;
        boolean first = true;
        for (var point : line.entrySet()) {
            double x = x(point.getKey(), streams);
            double y = PLOT_TOP + PLOT_HEIGHT * (1 - point.getValue() / top);
            if (!first) {
                svg.stroke(beforeX, beforeY, x, y, colour);
            }
            svg.dot(x, y, colour);
            first = false;
            beforeX = x;
            beforeY = y;
        }
        double keyX = PLOT_LEFT + 150.0 * (loops - 1);
        svg.dot(keyX, 41, colour);
        svg.text(keyX + 10, 45, "start", "", loops == 1 ? "1 event loop" : loops + " event loops");
    }

    private static double x(int streams, List<Integer> all) {
        double first = Math.log(all.get(0));
        double last = Math.log(all.get(all.size() - 1));
        double share = last == first ? 0.5 : (Math.log(streams) - first) / (last - first);
        return PLOT_LEFT + 20 + share * (WIDTH - PLOT_LEFT - 60);
    }

    /** The next number of the form 1, 2, 4 or 8 times a power of ten. */
    private static double niceAbove(double value) {
        double power = Math.pow(10, Math.floor(Math.log10(value)));
        for (double step : new double[] {1, 2, 4, 8}) {
            if (value <= step * power) {
                return step * power;
            }
        }
        return 10 * power;
    }
}
