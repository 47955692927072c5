package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;

/** Requests that are not translated; JSON is written with single quotes. */
final class Refusals {
    private Refusals() {}

    /** The client's field that is refused on the way to this upstream, as the refusal names it. */
    static String paramOf(Dialect client, Dialect upstream, String body) {
        return paramOf(client, upstream, Requests.path(client), body);
    }

    static String paramOf(Dialect client, Dialect upstream, String path, String body) {
        Translation translation = Translation.of(client, upstream);
        byte[] bytes = body.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
        return catchThrowableOfType(TranslationException.class, () -> translation.request(bytes, path, null))
                .param();
    }
}
