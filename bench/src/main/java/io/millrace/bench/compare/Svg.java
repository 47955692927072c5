package io.millrace.bench.compare;

import java.util.Locale;

/** A drawing in colours that are readable on white and on black. */
final class Svg {
    static final String OURS = "#2f81f7";
    static final String SECOND = "#d2771e";
    static final String OTHERS = "#8b949e";
    private static final String TEXT = "#747e8a";

    private final StringBuilder out = new StringBuilder();

    Svg(int width, int height, String title) {
        line(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-labelledby=\"t\">",
                width, height, width, height);
        line("<title id=\"t\">%s</title>", escape(title));
        line(
                "<style>text{font:13px system-ui,-apple-system,\"Segoe UI\",sans-serif;fill:%s}.h{font-weight:600;font-size:14px}.o{fill:%s;font-weight:600}.g{stroke:%s;stroke-opacity:.35}</style>",
                TEXT, OURS, OTHERS);
    }

    Svg text(double x, double y, String anchor, String kind, String text) {
        return line(
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">%s</text>",
                x, y, anchor, kind, escape(text));
    }

    Svg bar(double x, double y, double width, double height, String colour) {
        return line(
                "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\" fill=\"%s\"/>",
                x, y, Math.max(1, width), height, colour);
    }

    /** A bar with a slanted gap near its end. */
    Svg cutBar(double x, double y, double width, double height, String colour) {
        double gap = x + width * 0.86;
        double slant = height / 3;
        return line(
                "<path d=\"M%.1f %.1fH%.1fL%.1f %.1fH%.1fZM%.1f %.1fH%.1fV%.1fH%.1fZ\" fill=\"%s\"/>",
                x, y, gap + slant, gap, y + height, x, gap + slant + 6, y, x + width, y + height, gap + 6, colour);
    }

    Svg rule(double x1, double y1, double x2, double y2) {
        return line("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"g\"/>", x1, y1, x2, y2);
    }

    Svg stroke(double x1, double y1, double x2, double y2, String colour) {
        return line(
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"2\"/>",
                x1, y1, x2, y2, colour);
    }

    Svg dot(double x, double y, String colour) {
        return line("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%s\"/>", x, y, colour);
    }

    String end() {
        return out + "</svg>\n";
    }

    private Svg line(String format, Object... arguments) {
        out.append(String.format(Locale.ROOT, format, arguments)).append('\n');
        return this;
    }

    private static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;");
    }
}
