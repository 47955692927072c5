package io.millrace.bench.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.bench.run.BenchCommand;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The figures of the page: which there are, what is shaded in them, their legends and their axes. */
@Tag("sockets")
class HtmlReportTest {
    private static final Pattern FIGURE =
            Pattern.compile("(?s)<figure><figcaption>([^<]*)(.*?)</figcaption>\n(.*?)</figure>");
    private static final Pattern KEY = Pattern.compile("class=\"key (\\w+)\"");
    private static final Pattern DRAWN = Pattern.compile("class=\"(?:line |fill |)([abwe]|shade)\"");
    private static final Pattern SHADE =
            Pattern.compile("<rect class=\"shade\" x=\"([\\d.]+)\" [^>]*width=\"([\\d.]+)\"[^>]*><title>([^<]*)");
    private static final Pattern LABEL = Pattern.compile("<text class=\"axis\"[^>]*>([^<]*)<");
    private static final Pattern TICK =
            Pattern.compile("<text class=\"tick\" x=\"([\\d.]+)\" y=\"([\\d.]+)\" text-anchor=\"(\\w+)\">([^<]*)<");
    private static final double LEFT = 58;
    private static final double RIGHT = Plot.WIDTH - 14;
    private static final String WARM_UP = "ramp and warm-up, not measured";
    private static final String DRAIN = "after the measured part: streams come to their end";

    @TempDir
    private Path directory;

    private record Figure(String caption, String keys, String svg) {
        Set<String> legend() {
            return found(KEY, keys);
        }

        Set<String> drawn() {
            return found(DRAWN, svg);
        }

        List<MatchResult> shades() {
            return SHADE.matcher(svg).results().toList();
        }
    }

    private static Set<String> found(Pattern pattern, String text) {
        var found = new TreeSet<String>();
        pattern.matcher(text).results().forEach(each -> found.add(each.group(1)));
        return found;
    }

    private List<Figure> figures(String spec, String arguments) throws IOException {
        Path page = directory.resolve("report.html");
        var out = new StringWriter();
        try (var mock = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse(spec)))) {
            int code = new CommandLine(new BenchCommand())
                    .setOut(new PrintWriter(out))
                    .setErr(new PrintWriter(out))
                    .execute(("--quiet --url " + mock.uri() + "/v1 --html " + page + " " + arguments).split(" "));
            assertThat(code).as(out::toString).isZero();
        }
        var figures = new ArrayList<Figure>();
        for (MatchResult each : FIGURE.matcher(Files.readString(page)).results().toList()) {
            figures.add(new Figure(each.group(1).strip(), each.group(2), each.group(3)));
        }
        return figures;
    }

    private static List<String> captions(List<Figure> figures) {
        return figures.stream().map(Figure::caption).toList();
    }

    private static List<Figure> overTime(List<Figure> figures) {
        List<Figure> overTime = figures.stream()
                .filter(figure -> figure.svg.contains(" over time\">"))
                .toList();
        assertThat(captions(overTime)).containsExactly("Output frames a second", "Streams", "Time to first token");
        return overTime;
    }

    @Test
    void showsTheTransitOfStampedTokensAndElseTheWholeTime() throws IOException {
        String load = "--warmup 0s --requests 4 --concurrency 2";

        assertThat(captions(figures("tokens=4,stamp=1", load)))
                .contains("Transit of a frame")
                .doesNotContain("End to end");
        assertThat(captions(figures("tokens=4", load))).contains("End to end").doesNotContain("Transit of a frame");
    }

    @Test
    void shadesTheWarmUpAndNothingElse() throws IOException {
        for (Figure figure : overTime(figures("tokens=2", "--warmup 600ms --duration 600ms --concurrency 1"))) {
            MatchResult warmUp = figure.shades().get(0);
            assertThat(warmUp.group(3)).isEqualTo(WARM_UP);
            assertThat(Double.parseDouble(warmUp.group(1))).isEqualTo(LEFT);
            // Half of the time, if the machine is not busy; the axis ends with the last stream.
            assertThat(Double.parseDouble(warmUp.group(2))).isBetween(0.1 * (RIGHT - LEFT), 0.6 * (RIGHT - LEFT));
            assertThat(figure.keys).contains("<span class=\"key shade\">not measured</span>");
        }
    }

    @Test
    void shadesTheDrainUpToTheEnd() throws IOException {
        for (Figure figure :
                overTime(figures("tokens=40,gap_ms=50", "--warmup 0s --duration 500ms --drain 30s --concurrency 1"))) {
            assertThat(figure.shades()).hasSize(1);
            MatchResult drain = figure.shades().get(0);
            assertThat(drain.group(3)).isEqualTo(DRAIN);
            double from = Double.parseDouble(drain.group(1));
            assertThat(from).isBetween(LEFT + 1, LEFT + 0.5 * (RIGHT - LEFT));
            assertThat(from + Double.parseDouble(drain.group(2))).isBetween(RIGHT - 0.1, RIGHT + 0.1);
        }
    }

    @Test
    void legendsNameWhatIsDrawnAndNoShadeThatIsNot() throws IOException {
        List<Figure> figures = figures(
                "tokens=8,gap_ms=1,fail_rate=30,end_after=3",
                "--warmup 0s --requests 40 --concurrency 1,4 --slo ttft=1s");

        assertThat(figures).hasSizeGreaterThan(10);
        for (Figure figure : figures) {
            var colours = new TreeSet<>(figure.drawn());
            colours.remove("shade");
            // The caption of a figure of one colour says what that is.
            if (colours.size() > 1) {
                assertThat(figure.legend()).as(figure.caption).containsAll(colours);
            }
            assertThat(figure.legend().contains("shade"))
                    .as(figure.caption)
                    .isEqualTo(figure.drawn().contains("shade"));
        }
        assertThat(figures).filteredOn(figure -> figure.drawn().contains("e")).isNotEmpty();
    }

    @Test
    void axesSayWhatTheyCountAndTheirTicksAscendInsideThePlot() throws IOException {
        List<Figure> closed = figures("tokens=4,gap_ms=2", "--warmup 0s --requests 12 --concurrency 1,3");
        List<Figure> open = figures("tokens=4,gap_ms=2", "--warmup 0s --requests 12 --rate 20,40");

        assertThat(labels(closed.get(0))).containsExactly("streams at once", "ttft, ms: p50, p90, p99");
        assertThat(labels(closed.get(1))).containsExactly("streams at once", "itl, ms: p50, p90, p99");
        assertThat(labels(open.get(0))).containsExactly("streams a second", "ttft, ms: p50, p90, p99");
        for (Figure figure : closed) {
            List<String> labels = labels(figure);
            assertThat(labels).as(figure.caption).hasSize(2).noneMatch(String::isBlank);
            if (figure.svg.contains(" over time\">")) {
                assertThat(labels.get(0)).isEqualTo("seconds");
            }
            assertTicks(figure);
        }
    }

    private static List<String> labels(Figure figure) {
        return LABEL.matcher(figure.svg).results().map(label -> label.group(1)).toList();
    }

    private static void assertTicks(Figure figure) {
        List<MatchResult> ticks = TICK.matcher(figure.svg).results().toList();
        var across =
                ticks.stream().filter(tick -> tick.group(3).equals("middle")).toList();
        var upward = ticks.stream().filter(tick -> tick.group(3).equals("end")).toList();
        assertThat(across).as(figure.caption).hasSizeBetween(1, 12);
        assertThat(upward).as(figure.caption).hasSizeBetween(1, 12);
        assertThat(across).extracting(tick -> Double.parseDouble(tick.group(1))).isSorted();
        assertThat(across).extracting(tick -> value(tick.group(4))).isSorted().doesNotHaveDuplicates();
        assertThat(upward).extracting(tick -> value(tick.group(4))).isSorted().doesNotHaveDuplicates();
        assertThat(across)
                .extracting(tick -> Double.parseDouble(tick.group(1)))
                .allMatch(x -> x >= LEFT && x <= 2 * Plot.WIDTH + 24);
    }

    private static double value(String tick) {
        return tick.endsWith("k")
                ? 1000 * Double.parseDouble(tick.substring(0, tick.length() - 1))
                : Double.parseDouble(tick);
    }
}
