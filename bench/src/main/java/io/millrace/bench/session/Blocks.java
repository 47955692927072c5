package io.millrace.bench.session;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.bench.stream.Words;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * The text of a recorded prompt. A trace has the length of a prompt and a hash for each block of it, not its words.
 * Blocks with one hash get the same words, so that a server's cache of prefixes finds what it found when the trace was
 * recorded.
 */
final class Blocks {
    private Blocks() {}

    /**
     * The text of a prompt; it is made when it is asked for.
     *
     * @param words the length
     * @param hashes of the blocks, from the beginning; null for none
     * @param blockWords the length of a block
     * @param seed of the hashes, and of what no block covers
     */
    static Supplier<String> text(int words, @Nullable JsonNode hashes, int blockWords, long seed) {
        long[] ids = hashes == null
                ? new long[0]
                : StreamSupport.stream(hashes.spliterator(), false)
                        .mapToLong(JsonNode::asLong)
                        .toArray();
        return () -> {
            var text = new StringBuilder();
            int left = words;
            for (int i = 0; i < ids.length && left > 0; i++) {
                left = add(text, Math.min(left, blockWords), left, seed ^ mixed(ids[i]));
            }
            if (left > 0) {
                add(text, left, left, mixed(seed ^ words));
            }
            return text.toString();
        };
    }

    private static int add(StringBuilder text, int words, int left, long seed) {
        text.append(text.isEmpty() ? "" : " ").append(Words.text(words, new SplittableRandom(seed)));
        return left - words;
    }

    private static long mixed(long value) {
        return new SplittableRandom(value).nextLong();
    }
}
