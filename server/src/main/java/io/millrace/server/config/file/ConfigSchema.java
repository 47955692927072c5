package io.millrace.server.config.file;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The JSON Schema of the configuration file, for editors. It is made from the tables of settings. */
public final class ConfigSchema {
    private ConfigSchema() {}

    /** The schema as JSON text. */
    public static String json() {
        var schema = new LinkedHashMap<String, Object>();
        schema.put("$schema", "http://json-schema.org/draft-07/schema#");
        schema.put("title", "Millrace configuration");
        schema.putAll(Shape.part(() -> Tables.RELAY).schema());
        return text(schema, "") + "\n";
    }

    private static String text(Object value, String indent) {
        String deeper = indent + "  ";
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(entry -> deeper + quoted(entry.getKey()) + ": " + text(entry.getValue(), deeper))
                    .collect(Collectors.joining(",\n", "{\n", "\n" + indent + "}"));
        }
        if (value instanceof List<?> list) {
            boolean plain = list.stream().noneMatch(Map.class::isInstance);
            return list.stream()
                    .map(item -> (plain ? "" : deeper) + text(item, deeper))
                    .collect(Collectors.joining(
                            plain ? ", " : ",\n", plain ? "[" : "[\n", plain ? "]" : "\n" + indent + "]"));
        }
        return value instanceof Boolean ? value.toString() : quoted(value);
    }

    private static String quoted(Object text) {
        return '"' + text.toString().replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
}
