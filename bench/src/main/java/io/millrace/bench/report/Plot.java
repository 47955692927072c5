package io.millrace.bench.report;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Locale;

/**
 * A plot as SVG: two axes with their ticks, and the content between them. Colours are classes of the page, so that they
 * follow its light or dark theme.
 */
final class Plot {
    static final int WIDTH = 560;
    private static final int LEFT = 58;
    private static final int RIGHT = 14;
    private static final int TOP = 12;
    private static final int BOTTOM = 40;

    private final StringBuilder out = new StringBuilder();
    private final int width;
    private final int height;
    private final Axis x;
    private final Axis y;

    /** An axis with its range, linear or logarithmic. A linear axis may count down. */
    record Axis(String label, double from, double to, boolean logarithmic) {
        Axis {
            if (!(to > from) && (logarithmic || !(to < from))) {
                to = from + 1;
            }
            if (logarithmic && from <= 0) {
                throw new IllegalArgumentException("from: " + from + " (expected: > 0)");
            }
        }

        static Axis linear(String label, double from, double to) {
            return new Axis(label, from, to, false);
        }

        double share(double value) {
            double share = logarithmic
                    ? Math.log(Math.max(value, from) / from) / Math.log(to / from)
                    : (value - from) / (to - from);
            return Math.max(0, Math.min(1, share));
        }
    }

    Plot(String title, int width, int height, Axis x, Axis y) {
        this.width = width;
        this.height = height;
        this.x = x;
        this.y = y;
        line("<svg class=\"plot\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", width, height, escape(title));
        ticks(x, true);
        ticks(y, false);
        line(
                "<text class=\"axis\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                (LEFT + width - RIGHT) / 2.0, height - 4, escape(x.label));
        line(
                "<text class=\"axis\" transform=\"translate(12 %.1f) rotate(-90)\" text-anchor=\"middle\">%s</text>",
                (TOP + height - BOTTOM) / 2.0, escape(y.label));
    }

    /** A bar that begins at the x axis. */
    Plot bar(double from, double to, double value, String kind, String tip) {
        double left = x(from);
        double top = y(value);
        line(
                "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\"><title>%s</title></rect>",
                kind, left, top, Math.max(0.5, x(to) - left - 0.5), Math.max(0, y(y.from) - top), escape(tip));
        return this;
    }

    /** A horizontal line, such as a stream's time in a timeline. */
    Plot span(double from, double to, double at, double thickness, String kind, String tip) {
        line(
                "<rect class=\"%s\" x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\">%s</rect>",
                kind,
                x(from),
                y(at) - thickness / 2,
                Math.max(0.6, x(to) - x(from)),
                thickness,
                tip.isEmpty() ? "" : "<title>" + escape(tip) + "</title>");
        return this;
    }

    /** A line through points. A NaN leaves a gap. */
    Plot curve(double[] xs, double[] ys, String kind) {
        var path = new StringBuilder();
        boolean pen = false;
        for (int i = 0; i < xs.length; i++) {
            if (Double.isNaN(ys[i])) {
                pen = false;
                continue;
            }
            // A point without neighbours is a line of half a pixel. Its round ends make it a dot.
            path.append(String.format(Locale.ROOT, pen ? "L%.2f %.2f" : "M%.2f %.2fh.5", x(xs[i]), y(ys[i])));
            pen = true;
        }
        line("<path class=\"%s\" d=\"%s\"/>", kind, path);
        return this;
    }

    /** A point. */
    Plot dot(double atX, double atY, String kind, String tip) {
        line(
                "<circle class=\"%s\" cx=\"%.2f\" cy=\"%.2f\" r=\"3.5\"><title>%s</title></circle>",
                kind, x(atX), y(atY), escape(tip));
        return this;
    }

    /** A part of the x axis that shows a text under the pointer. */
    Plot hover(double from, double to, String tip) {
        return area(from, to, "hover", tip);
    }

    /** A part of the x axis that does not count, such as the warm-up. */
    Plot shade(double from, double to, String tip) {
        return x(to) > x(from) ? area(from, to, "shade", tip) : this;
    }

    private Plot area(double from, double to, String kind, String tip) {
        line(
                "<rect class=\"%s\" x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\"><title>%s</title></rect>",
                kind, x(from), TOP, Math.max(0.5, x(to) - x(from)), height - BOTTOM - TOP, escape(tip));
        return this;
    }

    /** A horizontal line with a word, such as a limit. */
    Plot level(double at, String word) {
        line("<line class=\"mark\" x1=\"%d\" x2=\"%d\" y1=\"%.2f\" y2=\"%.2f\"/>", LEFT, width - RIGHT, y(at), y(at));
        line("<text class=\"word\" x=\"%d\" y=\"%.2f\">%s</text>", LEFT + 4, y(at) - 4, escape(word));
        return this;
    }

    /** A vertical line with a word. */
    Plot mark(double at, String word, int row) {
        line("<line class=\"mark\" x1=\"%.2f\" x2=\"%.2f\" y1=\"%d\" y2=\"%d\"/>", x(at), x(at), TOP, height - BOTTOM);
        boolean leftwards = x.share(at) > 0.8;
        line(
                "<text class=\"word\" x=\"%.2f\" y=\"%d\" text-anchor=\"%s\">%s</text>",
                x(at) + (leftwards ? -4 : 4), TOP + 11 + 13 * row, leftwards ? "end" : "start", escape(word));
        return this;
    }

    String end() {
        return out + "</svg>\n";
    }

    private double x(double value) {
        return LEFT + x.share(value) * (width - LEFT - RIGHT);
    }

    private double y(double value) {
        return height - BOTTOM - y.share(value) * (height - TOP - BOTTOM);
    }

    private void ticks(Axis axis, boolean level) {
        if (axis.logarithmic) {
            double power = Math.pow(10, Math.floor(Math.log10(axis.from)));
            boolean few = axis.to / axis.from < 200;
            for (; power <= axis.to; power *= 10) {
                for (int step : few ? new int[] {1, 2, 5} : new int[] {1}) {
                    tick(axis, power * step, power * step, level);
                }
            }
            return;
        }
        double low = Math.min(axis.from, axis.to);
        double high = Math.max(axis.from, axis.to);
        double step = step((high - low) / 5);
        for (double at = Math.ceil(low / step) * step; at <= high * (1 + 1e-9); at += step) {
            tick(axis, at, step, level);
        }
    }

    private void tick(Axis axis, double at, double step, boolean level) {
        double low = Math.min(axis.from, axis.to);
        if (at < low * (1 - 1e-9) || at > Math.max(axis.from, axis.to) * (1 + 1e-9)) {
            return;
        }
        if (level) {
            line(
                    "<line class=\"grid\" x1=\"%.2f\" x2=\"%.2f\" y1=\"%d\" y2=\"%d\"/>",
                    x(at), x(at), TOP, height - BOTTOM);
            line(
                    "<text class=\"tick\" x=\"%.2f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                    x(at), height - BOTTOM + 15, number(at, step));
        } else {
            line(
                    "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.2f\" y2=\"%.2f\"/>",
                    LEFT, width - RIGHT, y(at), y(at));
            line(
                    "<text class=\"tick\" x=\"%d\" y=\"%.2f\" text-anchor=\"end\">%s</text>",
                    LEFT - 6, y(at) + 4, number(at, step));
        }
    }

    /** The smallest of 1, 2 and 5 times a power of ten that is at least {@code least}. */
    private static double step(double least) {
        double power = Math.pow(10, Math.floor(Math.log10(least)));
        for (int step : new int[] {1, 2, 5}) {
            if (step * power >= least * (1 - 1e-9)) {
                return step * power;
            }
        }
        return 10 * power;
    }

    /** A tick's label, with as many decimals as tell it from the next tick, which is {@code step} away. */
    private static String number(double value, double step) {
        boolean thousands = Math.abs(value) >= 10_000;
        double unit = thousands ? 1000 : 1;
        int decimals = (int) Math.max(0, -Math.floor(Math.log10(step / unit) + 1e-9));
        String text = BigDecimal.valueOf(value / unit)
                .setScale(decimals, RoundingMode.HALF_UP)
                .stripTrailingZeros()
                .toPlainString();
        return thousands ? text + "k" : text;
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private void line(String format, Object... arguments) {
        out.append(String.format(Locale.ROOT, format, arguments)).append('\n');
    }
}
