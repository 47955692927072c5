package io.millrace.bench.doctor;

import io.millrace.bench.stream.Endpoint;
import io.millrace.bench.stream.Prompt;
import io.millrace.bench.stream.RequestTemplate;
import io.millrace.codec.dialect.Dialect;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The target of an examination.
 *
 * @param base the base URL as SDKs expect it, such as {@code http://host:port/v1}; the path of the operation may follow
 * @param model the model's name; {@code mock}, or a name that begins with {@code mock:}, means that a Millrace mock
 *     answers
 * @param key the API key, may be {@code null}
 */
record Target(
        URI base, Dialect dialect, String model, @Nullable String key) {
    private static final String MOCK = "mock";
    private static final String PROMPT = "Count from one to one hundred in English words, separated by commas.";
    private static final String GEMINI_OPERATION = "/models/[^/?]*(:|%3A)(streamG|g)enerateContent";

    boolean isMock() {
        return model.equals(MOCK) || model.startsWith(MOCK + ":");
    }

    /** The model's name, with further instructions for the mock appended. */
    String model(String spec) {
        return !isMock() ? model : (model.equals(MOCK) ? MOCK + ":" : model + ",") + spec;
    }

    /** The endpoint of streams of that model. */
    Endpoint endpoint(String model) {
        // Gemini has the model in the path, and each request may have another model.
        String url = dialect == Dialect.GEMINI ? base.toString().replaceFirst(GEMINI_OPERATION, "") : base.toString();
        return Endpoint.of(url, dialect, model);
    }

    /** The request path for a stream of that model. */
    String path(String model) {
        return endpoint(model).path();
    }

    /** The request body for a stream of that model. */
    String body(String model) {
        var template =
                RequestTemplate.of(endpoint(model), model).asksUsage(false).build();
        return new String(template.body(Prompt.of(PROMPT)), StandardCharsets.UTF_8);
    }

    /** The header fields that the dialect's SDKs send with each request. */
    Map<String, String> headers() {
        var headers = endpoint(model).headers(key);
        headers.put("User-Agent", "millrace-doctor");
        return headers;
    }
}
