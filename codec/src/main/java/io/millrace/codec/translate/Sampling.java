package io.millrace.codec.translate;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How tokens are chosen, and where to stop. A component that was not given is {@code null}.
 *
 * @param temperature from 0 to 2
 * @param topP from 0 to 1
 * @param topK the number of tokens from which the next one is chosen
 * @param seed makes answers repeatable, as far as the provider can
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
    /** No component was given. */
    public static final Sampling NONE = new Sampling(null, null, null, null, null, null, List.of());

    /** Copies the list. */
    public Sampling {
        stops = List.copyOf(stops);
    }
}
