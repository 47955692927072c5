package io.millrace.it.browser;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.bench.run.BenchCommand;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.mock.MockSpec;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Opens the page that {@code millrace bench --html} writes as a person does: from a file, without a network. */
@ExtendWith(Chromium.Parameter.class)
class BenchReportTest {
    private static final int PHONE = 360;

    @TempDir
    private Path directory;

    @Test
    void drawsItsPlotsWithoutARequest(Chromium chromium) {
        Path page = measure();
        try (var tab = chromium.open(page.toUri().toString())) {
            assertThat(tab.eval("document.querySelectorAll('svg.plot').length").asInt())
                    .isGreaterThanOrEqualTo(2 + 2 * 6);
            assertThat(tab.eval("""
                            [...document.querySelectorAll('svg.plot')].every((plot) => {
                              const drawn = [...plot.querySelectorAll('.fill, .line')].some((part) => {
                                const box = part.getBBox();
                                return box.width > 0 || box.height > 0;
                              });
                              const seen = plot.getBoundingClientRect();
                              return drawn && seen.width > 200 && seen.height > 80;
                            })""").asBoolean()).isTrue();
            assertThat(tab.eval("""
                            [...document.querySelectorAll('svg.plot text')].filter((text) => {
                              const word = text.getBoundingClientRect();
                              const plot = text.closest('svg').getBoundingClientRect();
                              return word.left < plot.left - 1 || word.right > plot.right + 1
                                || word.top < plot.top - 1 || word.bottom > plot.bottom + 1;
                            }).map((text) => text.textContent).join()""").asText()).isEmpty();
            assertThat(tab.eval("""
                            Math.max(...[...document.querySelectorAll('.tiles dd')].map((value) => value.offsetHeight))""").asInt())
                    .as("a value and its unit are on one line")
                    .isLessThan(40);
            assertThat(tab.eval("performance.getEntriesByType('resource').map((entry) => entry.name).join()")
                            .asText())
                    .isEmpty();
            assertThat(tab.eval("violations.join()").asText()).isEmpty();
            assertThat(tab.text("table")).contains("1 stream", "3 streams");
        }
    }

    @Test
    void followsTheReadersThemeAndScreen(Chromium chromium) {
        Path page = measure();
        try (var tab = chromium.open(page.toUri().toString())) {
            tab.colorScheme("light");
            String light = colours(tab);
            tab.colorScheme("dark");
            String dark = colours(tab);
            assertThat(light).startsWith("rgb(255, 255, 255)");
            assertThat(dark).isNotEqualTo(light).startsWith("rgb(13, 17, 23)");
            tab.resize(PHONE, 800);
            tab.await("innerWidth === " + PHONE);
            assertThat(tab.eval("document.documentElement.scrollWidth").asInt()).isLessThanOrEqualTo(PHONE);
        }
    }

    /** A word and a bar that the page must have. */
    private static String colours(Tab tab) {
        return tab.eval("""
                [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
                 getComputedStyle(document.querySelector('.plot .fill.a')).fill].join()""").asText();
    }

    private Path measure() {
        Path page = directory.resolve("report.html");
        var out = new StringWriter();
        try (var mock = MockServer.start(MockConfig.defaults().withSpec(MockSpec.parse("tokens=8,gap_ms=2,stamp=1")))) {
            int code = new CommandLine(new BenchCommand())
                    .setOut(new PrintWriter(out))
                    .setErr(new PrintWriter(out))
                    .execute(
                            "--quiet",
                            "--warmup",
                            "0s",
                            "--requests",
                            "12",
                            "--concurrency",
                            "1,3",
                            "--slo",
                            "ttft=1s,itl=1s",
                            "--url",
                            mock.uri() + "/v1",
                            "--html",
                            page.toString());
            assertThat(code).as(out::toString).isZero();
        }
        return page;
    }
}
