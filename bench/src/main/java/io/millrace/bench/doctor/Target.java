package io.millrace.bench.doctor;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bench.stream.Endpoint;
import io.millrace.codec.dialect.Dialect;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is asked, and how.
 *
 * @param base as an SDK takes it, such as {@code http://host:port/v1}, or with the operation behind it
 * @param model a model's name; {@code mock}, or one that begins with {@code mock:}, means that a Millrace mock answers
 * @param key may be {@code null}
 */
record Target(URI base, Dialect dialect, String model, String key) {
    private static final String MOCK = "mock";
    private static final String PROMPT = "Count from one to one hundred in English words, separated by commas.";
    private static final String GEMINI_OPERATION = "/models/[^/?]*(:|%3A)(streamG|g)enerateContent";
    private static final int MAX_TOKENS = 1_024;

    boolean isMock() {
        return model.equals(MOCK) || model.startsWith(MOCK + ":");
    }

    /** The model's name, with what the mock is to do put behind what it is told already. */
    String model(String spec) {
        return !isMock() ? model : (model.equals(MOCK) ? MOCK + ":" : model + ",") + spec;
    }

    /** The request path for a stream of that model. */
    String path(String model) {
        // Gemini's operation has the model in it, and each request may have another.
        String url = dialect == Dialect.GEMINI ? base.toString().replaceFirst(GEMINI_OPERATION, "") : base.toString();
        return Endpoint.of(url, dialect, model).path();
    }

    /** The request body for a stream of that model. */
    String body(String model) {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        if (dialect == Dialect.GEMINI) {
            body.putArray("contents")
                    .addObject()
                    .put("role", "user")
                    .putArray("parts")
                    .addObject()
                    .put("text", PROMPT);
            return body.toString();
        }
        body.put("model", model).put("stream", true);
        if (dialect == Dialect.RESPONSES) {
            body.put("input", PROMPT);
        } else {
            body.putArray("messages").addObject().put("role", "user").put("content", PROMPT);
        }
        if (dialect == Dialect.MESSAGES && !isMock()) {
            body.put("max_tokens", MAX_TOKENS);
        }
        return body.toString();
    }

    /** The headers that the dialect's SDKs send with each request. */
    Map<String, String> headers() {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("User-Agent", "millrace-doctor");
        if (dialect == Dialect.MESSAGES) {
            headers.put("anthropic-version", "2023-06-01");
        }
        if (key != null) {
            switch (dialect) {
                case MESSAGES -> headers.put("x-api-key", key);
                case GEMINI -> headers.put("x-goog-api-key", key);
                default -> headers.put("Authorization", "Bearer " + key);
            }
        }
        return headers;
    }
}
