package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * A small conversation as other people's clients and servers had it, and what its client must have in the end. The data
 * stand in {@code translation-cases}, whose README says what each field means.
 *
 * @param id kind, variant and client
 * @param upstream the dialect that the relay is told, or null where the answer passes through
 * @param base the path of the upstream's address
 * @param steps requests with their answers and what is expected, in order
 */
record TranslationCase(String id, Dialect upstream, String base, List<JsonNode> steps) {
    private static final Path FOLDER = Path.of("src", "test", "resources", "translation-cases");

    /** All cases, in the order of their files. */
    static List<TranslationCase> all() {
        var cases = new ArrayList<TranslationCase>();
        try (Stream<Path> files = Files.list(FOLDER)) {
            for (Path file : files.sorted().toList()) {
                if (file.toString().endsWith(".json")) {
                    Json.MAPPER.readTree(file.toFile()).forEach(json -> cases.add(of(json)));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return cases;
    }

    private static TranslationCase of(JsonNode json) {
        String upstream = json.path("upstream").textValue();
        var steps = new ArrayList<JsonNode>();
        json.get("steps").forEach(steps::add);
        return new TranslationCase(
                json.get("id").asText(),
                upstream == null ? null : Dialect.valueOf(upstream.toUpperCase(Locale.ROOT)),
                json.path("base").asText(""),
                steps);
    }

    @Override
    public String toString() {
        return id;
    }
}
