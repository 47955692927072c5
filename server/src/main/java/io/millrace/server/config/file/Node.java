package io.millrace.server.config.file;

import java.util.List;
import java.util.Map;

/** A value of the configuration file, with its place. */
sealed interface Node {
    /** The place where it begins. */
    Place place();

    /** Line and column, from 1. */
    record Place(int line, int column) {}

    /** Text, number, boolean or null, as it was written. */
    record Scalar(Place place, Kind kind, String text) implements Node {
        enum Kind {
            TEXT,
            NUMBER,
            BOOLEAN,
            NOTHING
        }
    }

    /** {@code [a, b]}. */
    record Sequence(Place place, List<Node> items) implements Node {}

    /** {@code {key: value}}, in the order of the file. */
    record Mapping(Place place, Map<String, Entry> entries) implements Node {}

    /** A key's place, and its value. */
    record Entry(Place place, Node value) {}
}
