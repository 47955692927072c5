package io.millrace.bench.stream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The prompts of a load, by the number of the stream. In every run with the same seed, a number has the same prompt.
 */
@FunctionalInterface
public interface Prompts {
    /** The prompt of stream {@code index}, which counts from 0. May be called from several threads. */
    Prompt of(long index);

    /** How many different prompts there are; {@link Integer#MAX_VALUE} if each stream has its own. */
    default int distinct() {
        return Integer.MAX_VALUE;
    }

    /** The same prompt for all streams. */
    static Prompts fixed(String text) {
        return cycling(List.of(Prompt.of(text)));
    }

    /**
     * The prompts of a file, used in order and again from the start. A line is a JSON string, or an object with
     * {@code prompt} or {@code messages}, and optionally {@code max_tokens}. A line that is not JSON is the text of a
     * prompt. Empty lines are skipped.
     *
     * @throws IllegalArgumentException with the line that has no prompt, or if the file has no prompt
     */
    static Prompts ofFile(Path file) throws IOException {
        var json = new ObjectMapper();
        var prompts = new ArrayList<Prompt>();
        int number = 0;
        for (String line : Files.readAllLines(file)) {
            number++;
            if (!line.isBlank()) {
                prompts.add(ofLine(json, line.strip(), file + ":" + number));
            }
        }
        if (prompts.isEmpty()) {
            throw new IllegalArgumentException(file + ": no prompt (expected: one a line)");
        }
        return cycling(prompts);
    }

    /**
     * Random words for each stream, so that no server has the beginning of a prompt in its cache. A word is about one
     * token.
     */
    static Prompts synthetic(Lengths words, long seed) {
        return index -> {
            var random = new SplittableRandom(seed ^ (index * 0x9E3779B97F4A7C15L));
            return Prompt.of(Words.text(words.next(random), random));
        };
    }

    private static Prompts cycling(List<Prompt> prompts) {
        var fixed = List.copyOf(prompts);
        return new Prompts() {
            @Override
            public Prompt of(long index) {
                return fixed.get((int) (index % fixed.size()));
            }

            @Override
            public int distinct() {
                return fixed.size();
            }
        };
    }

    private static Prompt ofLine(ObjectMapper json, String line, String where) {
        JsonNode node;
        try {
            node = json.readTree(line);
        } catch (JsonProcessingException e) {
            return Prompt.of(line);
        }
        if (node.isTextual()) {
            return Prompt.of(node.textValue());
        }
        int maxTokens = node.path("max_tokens").asInt(0);
        if (node.path("messages").isArray()) {
            return new Prompt(null, node.get("messages"), maxTokens);
        }
        if (node.path("prompt").isTextual()) {
            return new Prompt(node.get("prompt").textValue(), null, maxTokens);
        }
        if (node.isObject() || node.isArray()) {
            throw new IllegalArgumentException(where + ": no prompt (expected: \"prompt\" or \"messages\")");
        }
        return Prompt.of(line);
    }
}
