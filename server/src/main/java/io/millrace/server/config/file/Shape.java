package io.millrace.server.config.file;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The shape of a setting's value, from which the JSON Schema of the file is made. */
sealed interface Shape {
    /** The keywords of JSON Schema for it. */
    Map<String, Object> schema();

    /** One of {@code type} and further keywords. */
    record Plain(Map<String, Object> schema) implements Shape {}

    /** A section with the settings of a table. The table may not exist yet. */
    record Part(Supplier<Table<?>> table) implements Shape {
        @Override
        public Map<String, Object> schema() {
            var properties = new LinkedHashMap<String, Object>();
            table.get()
                    .settings()
                    .forEach(setting ->
                            properties.put(setting.key(), setting.shape().schema()));
            var schema = new LinkedHashMap<String, Object>();
            schema.put("type", "object");
            schema.put("additionalProperties", false);
            schema.put("properties", properties);
            return schema;
        }
    }

    /** A list. */
    record Items(Shape item) implements Shape {
        @Override
        public Map<String, Object> schema() {
            return ordered("type", "array", "items", item.schema());
        }
    }

    /** A section whose keys are names. */
    record Named(Shape value) implements Shape {
        @Override
        public Map<String, Object> schema() {
            return ordered("type", "object", "additionalProperties", value.schema());
        }
    }

    /** One of several. */
    record Either(List<Shape> choices) implements Shape {
        @Override
        public Map<String, Object> schema() {
            return Map.of("anyOf", choices.stream().map(Shape::schema).toList());
        }
    }

    /** A text. */
    Shape TEXT = type("string");
    /** {@code true} or {@code false}. */
    Shape BOOLEAN = type("boolean");
    /** A whole number. */
    Shape WHOLE = type("integer");
    /** A number. */
    Shape NUMBER = type("number");

    static Shape type(String type) {
        return new Plain(Map.of("type", type));
    }

    static Shape pattern(String regex) {
        return new Plain(ordered("type", "string", "pattern", regex));
    }

    static Shape words(Iterable<String> words) {
        var all = new ArrayList<String>();
        words.forEach(all::add);
        return new Plain(Map.of("enum", List.copyOf(all)));
    }

    static Shape part(Supplier<Table<?>> table) {
        return new Part(table);
    }

    /** This shape, or another one. */
    default Shape or(Shape other) {
        return new Either(List.of(this, other));
    }

    /** One value, or a list of them. */
    default Shape oneOrMore() {
        return or(new Items(this));
    }

    /** A section with these settings, each of which is a text. */
    static Shape texts(String... keys) {
        var properties = new LinkedHashMap<String, Object>();
        Stream.of(keys).forEach(key -> properties.put(key, TEXT.schema()));
        var schema = ordered("type", "object", "additionalProperties", false);
        schema.put("properties", properties);
        return new Plain(schema);
    }

    private static Map<String, Object> ordered(String first, Object one, String second, Object two) {
        var ordered = new LinkedHashMap<String, Object>();
        ordered.put(first, one);
        ordered.put(second, two);
        return ordered;
    }
}
