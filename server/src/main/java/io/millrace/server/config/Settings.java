package io.millrace.server.config;

import java.util.function.Consumer;

/**
 * A record of settings that can be copied with changes: {@code timeouts.with(t -> t.idle = Duration.ofSeconds(5))}.
 *
 * @param <S> the record
 * @param <B> its builder: the class {@code Builder} in it, with a public field for each of its components
 */
public interface Settings<S, B> {
    /**
     * A copy, changed by {@code change}.
     *
     * @throws IllegalArgumentException if a value is out of its range; the message begins with the setting's name
     */
    default S with(Consumer<B> change) {
        return Builders.change(this, change);
    }
}
