package io.millrace.server.config.file;

import io.millrace.server.config.file.Node.Place;
import java.util.List;
import java.util.regex.Pattern;

/** The line of a problem, with a caret under its place. What may be a secret is not shown. */
final class Excerpt {
    private static final int LONGEST = 100;
    private static final Pattern MAY_BE_SECRET =
            Pattern.compile("(?i)credential|key|secret|token|password|bearer|://[^/\\s]*@|[A-Za-z0-9_+/=-]{24,}");

    private final List<String> lines;

    Excerpt(String text) {
        lines = text.lines().toList();
    }

    /** Two lines, each after a line break; empty if there is no such line. */
    String at(Place place) {
        if (place.line() < 1 || place.line() > lines.size()) {
            return "";
        }
        String line = lines.get(place.line() - 1);
        int caret = Math.max(0, Math.min(place.column() - 1, line.length()));
        String shown = MAY_BE_SECRET.matcher(line).find() ? withoutValue(line) : line;
        if (caret > LONGEST) {
            return "";
        }
        shown = shown.length() > LONGEST ? shown.substring(0, LONGEST) + "…" : shown;
        // A tab would put the caret elsewhere.
        String number = String.format("%5d | ", place.line());
        return "\n" + number + shown.replace('\t', ' ') + "\n" + " ".repeat(number.length() + caret) + "^";
    }

    private static String withoutValue(String line) {
        int colon = line.indexOf(':');
        return colon < 0 ? "…" : line.substring(0, colon + 1) + " …";
    }
}
