package io.millrace.codec.translate;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How tokens are chosen, and where to stop. What is {@code null} was not said.
 *
 * @param temperature from 0 to 2
 * @param topP from 0 to 1
 * @param topK how many tokens are in the choice
 * @param seed makes answers repeat as far as the provider can
 * @param presencePenalty from -2 to 2
 * @param frequencyPenalty from -2 to 2
 * @param stops sequences that end the answer
 */
public record Sampling(
        @Nullable Double temperature,
        @Nullable Double topP,
        @Nullable Long topK,
        @Nullable Long seed,
        @Nullable Double presencePenalty,
        @Nullable Double frequencyPenalty,
        List<String> stops) {
    /** Nothing was said. */
    public static final Sampling NONE = new Sampling(null, null, null, null, null, null, List.of());

    /** Copies the list. */
    public Sampling {
        stops = List.copyOf(stops);
    }
}
