package io.millrace.server.config.file;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import io.millrace.server.config.file.Node.Entry;
import io.millrace.server.config.file.Node.Mapping;
import io.millrace.server.config.file.Node.Place;
import io.millrace.server.config.file.Node.Scalar;
import io.millrace.server.config.file.Node.Sequence;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads YAML or JSON text into nodes. Repeated keys, aliases and second documents are reported as problems. */
final class NodeReader {
    private static final Place START = new Place(1, 1);
    private static final StreamReadConstraints LIMITS =
            StreamReadConstraints.builder().maxNestingDepth(50).build();

    private final JsonParser parser;
    private final Problems problems;

    private NodeReader(JsonParser parser, Problems problems) {
        this.parser = parser;
        this.problems = problems;
    }

    /**
     * Reads the whole text. Returns an empty mapping if the text is empty, or if it cannot be read (which is reported).
     */
    static Mapping read(String text, boolean json, Problems problems) {
        JsonFactory factory = json
                ? JsonFactory.builder().streamReadConstraints(LIMITS).build()
                : YAMLFactory.builder().streamReadConstraints(LIMITS).build();
        try (JsonParser parser = factory.createParser(text)) {
            return new NodeReader(parser, problems).document();
        } catch (JsonProcessingException e) {
            problems.add(YamlWords.place(e), YamlWords.of(e));
        } catch (IOException e) {
            problems.add(START, String.valueOf(e.getMessage()));
        }
        return new Mapping(START, Map.of());
    }

    private Mapping document() throws IOException {
        if (parser.nextToken() == null) {
            return new Mapping(START, Map.of());
        }
        Node root = node();
        if (parser.nextToken() != null) {
            problems.add(place(parser.currentTokenLocation()), "a second document (expected: one)");
        }
        if (root instanceof Mapping mapping) {
            return mapping;
        }
        if (!(root instanceof Scalar scalar && scalar.kind() == Scalar.Kind.NOTHING)) {
            problems.add(root.place(), "expected: settings, such as listen: 127.0.0.1:8080");
        }
        return new Mapping(START, Map.of());
    }

    private Node node() throws IOException {
        Place place = place(parser.currentTokenLocation());
        JsonToken token = parser.currentToken();
        if (parser instanceof YAMLParser yaml && yaml.isCurrentAlias()) {
            problems.add(place, "*" + parser.getText() + ": an alias (expected: the value itself)");
        }
        return switch (token) {
            case START_OBJECT -> mapping(place);
            case START_ARRAY -> sequence(place);
            case VALUE_NULL -> new Scalar(place, Scalar.Kind.NOTHING, "");
            case VALUE_TRUE, VALUE_FALSE -> new Scalar(place, Scalar.Kind.BOOLEAN, parser.getText());
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> new Scalar(place, Scalar.Kind.NUMBER, parser.getText());
            default -> new Scalar(place, Scalar.Kind.TEXT, parser.getText());
        };
    }

    private Mapping mapping(Place place) throws IOException {
        Map<String, Entry> entries = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            String key = parser.currentName();
            Place keyPlace = place(parser.currentTokenLocation());
            parser.nextToken();
            Entry earlier = entries.putIfAbsent(key, new Entry(keyPlace, node()));
            if (earlier != null) {
                problems.add(
                        keyPlace,
                        key + ": given twice, first in line " + earlier.place().line());
            }
        }
        return new Mapping(place, entries);
    }

    private Sequence sequence(Place place) throws IOException {
        List<Node> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            items.add(node());
        }
        return new Sequence(place, items);
    }

    private static Place place(JsonLocation location) {
        return location == null ? START : new Place(location.getLineNr(), location.getColumnNr());
    }
}
