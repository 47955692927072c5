package io.millrace.bench.report;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.report.Export.Figure;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Shows the files of two tools beside each other: the figures that both have, and what each means by its name. */
final class ExportComparison {
    private static final String[] STATISTICS = {"p50", "p90", "p99", "mean"};
    private static final String ROW = "%-30s %12s %12s %12s %9s%n";

    private final StringBuilder out = new StringBuilder();
    private final Export one;
    private final Export two;

    private ExportComparison(Export one, Export two) {
        this.one = one;
        this.two = two;
    }

    /**
     * The table.
     *
     * @throws IllegalArgumentException if one is an open and the other a closed loop, or if they share no figure
     */
    static String of(Path a, Export one, Path b, Export two) {
        var comparison = new ExportComparison(one, two);
        comparison.head("A", a, one);
        comparison.head("B", b, two);
        comparison.loops();
        comparison.table();
        return comparison.out.toString();
    }

    private void head(String name, Path file, Export export) {
        out.append(
                String.format(Locale.ROOT, "%s  %s: %s, %s%n", name, file.getFileName(), export.tool(), export.head()));
        if (export.isInterrupted()) {
            out.append(name).append(": the user stopped the run\n");
        }
    }

    private void loops() {
        if (one.loop().isEmpty() || two.loop().isEmpty()) {
            out.append("NOTE: a file does not say whether it is of an open or a closed loop\n");
        } else if (!one.loop().equals(two.loop())) {
            throw new IllegalArgumentException("--compare: " + one.loop() + " and " + two.loop()
                    + " (expected: two of a kind; a closed loop asks less of a slow target)");
        }
    }

    private void table() {
        var shared = new ArrayList<Figure>();
        out.append(String.format(Locale.ROOT, "%n" + ROW, "", "A", "B", "B - A", ""));
        for (var figure : Figure.ALL) {
            boolean has = false;
            for (String statistic : figure.isSingle() ? new String[] {""} : STATISTICS) {
                has |= row(figure, statistic);
            }
            if (has) {
                shared.add(figure);
            }
        }
        if (shared.isEmpty()) {
            throw new IllegalArgumentException("--compare: the files share no figure");
        }
        meanings(shared);
    }

    private boolean row(Figure figure, String statistic) {
        double a = one.value(figure, statistic);
        double b = two.value(figure, statistic);
        if (Double.isNaN(a) || Double.isNaN(b)) {
            return false;
        }
        boolean rate = figure.isSingle() || figure.equals(Figure.STREAM_RATE);
        out.append(String.format(
                        Locale.ROOT,
                        ROW,
                        (figure.title() + " " + statistic + (rate ? "" : " ms")).strip(),
                        Numbers.of(a),
                        Numbers.of(b),
                        (b > a ? "+" : "") + Numbers.of(b - a),
                        a == 0 ? "" : String.format(Locale.ROOT, "%+.1f%%", 100 * (b - a) / a))
                .replaceAll(" +\n", "\n"));
        return true;
    }

    /** The tools do not measure the same, even where their names are the same. */
    private void meanings(List<Figure> shared) {
        out.append("\nWhat the names mean:\n");
        for (var figure : shared) {
            out.append(figure.title()).append('\n');
            meaning("A", one, figure);
            meaning("B", two, figure);
        }
    }

    private void meaning(String which, Export export, Figure figure) {
        var name = requireNonNull(export.name(figure));
        out.append(String.format(Locale.ROOT, "  %s  %s: %s%n", which, name.key(), name.meaning()));
    }
}
