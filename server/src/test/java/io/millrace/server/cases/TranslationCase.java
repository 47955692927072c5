package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
 * A small conversation as real clients and servers had it, and the result for its client. The data is in
 * {@code translation-cases}. The README there explains each field.
 *
 * @param id kind, variant and client
 * @param upstream the dialect that the relay is told, or null where the answer passes through
 * @param base the path of the upstream's address
 * @param steps requests with their answers and what is expected, in order
 */
public record TranslationCase(String id, Dialect upstream, String base, List<JsonNode> steps) {
    private static final Path FOLDER = Path.of("src", "test", "resources", "translation-cases");

    /** All cases, in the order of their files, for the tests of this module. */
    static List<TranslationCase> all() {
        return allOf(Path.of(""));
    }

    /** All cases, in the order of their files; {@code server} is the folder of this module. */
    public static List<TranslationCase> allOf(Path server) {
        var cases = new ArrayList<TranslationCase>();
        try (Stream<Path> files = Files.list(server.resolve(FOLDER))) {
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

    /** What the client of the first step speaks, in lower case; {@code plain} for {@code /chat}. */
    public String clientDialect() {
        return steps.get(0).at("/client/dialect").asText();
    }

    /**
     * What is wrong with what an SDK handed on for the one step of this case; nothing if nothing is. What only the wire
     * shows is not looked at.
     *
     * @param parts the whole answer as the SDK put it together, or its chunks, in the JSON of {@code dialect}
     * @param error what the SDK threw, or null
     */
    public List<String> faultsOf(String dialect, List<JsonNode> parts, String error) {
        ObjectNode expect = ((ObjectNode) steps.get(0).get("expect")).deepCopy();
        expect.remove(List.of("status", "stream", "events", "log"));
        ClientAnswer answer = ClientAnswer.ofSdk(dialect, parts, error);
        return new Expectation(expect, answer).faults(null, null, Json.MAPPER.createObjectNode());
    }

    @Override
    public String toString() {
        return id;
    }
}
