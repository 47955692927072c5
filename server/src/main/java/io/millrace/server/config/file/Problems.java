package io.millrace.server.config.file;

import io.millrace.server.config.file.Node.Place;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Pattern;

/** Collects all problems of a configuration, so that they can be reported together. */
final class Problems {
    private static final Place NOT_IN_THE_FILE = new Place(0, 0);
    private static final Pattern PLACE = Pattern.compile(":(\\d+):(\\d+)\\b");

    private final String file;
    private final List<Problem> problems = new ArrayList<>();
    private Excerpt excerpt = new Excerpt("");

    /** Problems of a file, whose name precedes every place. */
    Problems(String file) {
        this.file = file;
    }

    /** The text of the file, which problems are shown in. */
    void showIn(String text) {
        excerpt = new Excerpt(text);
    }

    /** A problem in the file. */
    void add(Place place, String message) {
        problems.add(new Problem(place, where(place) + ": " + message));
    }

    /** A problem in a flag or a variable, or in the file if {@code where} is one of {@link #where}. */
    void add(String where, String message) {
        var inFile = PLACE.matcher(where.startsWith(file) ? where.substring(file.length()) : "");
        Place place = inFile.lookingAt()
                ? new Place(Integer.parseInt(inFile.group(1)), Integer.parseInt(inFile.group(2)))
                : NOT_IN_THE_FILE;
        problems.add(new Problem(place, where + ": " + message));
    }

    /** Adds the problems of another file, whose texts have their places. */
    void addAll(List<String> texts) {
        texts.forEach(text -> problems.add(new Problem(NOT_IN_THE_FILE, text)));
    }

    /** {@code file:line:column}. */
    String where(Place place) {
        return file + ":" + place.line() + ":" + place.column();
    }

    /** Whether there is any problem. */
    boolean any() {
        return !problems.isEmpty();
    }

    /** Throws all problems in the order of the file, if there are any. */
    void throwIfAny() {
        if (any()) {
            var sorted = problems.stream()
                    .sorted(Comparator.comparingInt((Problem p) -> p.place().line())
                            .thenComparingInt(p -> p.place().column()))
                    .toList();
            throw new ConfigException(
                    sorted.stream().map(Problem::text).toList(),
                    sorted.stream()
                            .map(problem -> problem.text() + excerpt.at(problem.place()))
                            .toList());
        }
    }

    private record Problem(Place place, String text) {}
}
