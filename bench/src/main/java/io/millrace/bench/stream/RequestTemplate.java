package io.millrace.bench.stream;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Makes the HTTP requests of one endpoint, in its dialect.
 *
 * <p>Immutable; {@link #request} may be called from any thread.
 */
public final class RequestTemplate {
    /** Sent to Messages, which requires a limit, if no limit is given: {@value}. */
    public static final int MESSAGES_MAX_TOKENS = 1024;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Endpoint endpoint;
    private final String model;
    private final int maxTokens;
    private final @Nullable ObjectNode extra;
    private final boolean asksUsage;
    private final byte[] head;
    private final int http2Connections;
    private final Http2Headers http2Headers;

    private RequestTemplate(Builder builder) {
        endpoint = builder.endpoint;
        model = builder.model;
        maxTokens = builder.maxTokens;
        extra = builder.extra;
        asksUsage = builder.asksUsage;
        var fields = fields(builder);
        head = head(endpoint, fields).getBytes(StandardCharsets.UTF_8);
        http2Connections = builder.http2Connections;
        http2Headers = http2Headers(endpoint, fields);
    }

    /** Requests to {@code endpoint} for {@code model}. */
    public static Builder of(Endpoint endpoint, String model) {
        return new Builder(endpoint, model);
    }

    /** Where requests go. */
    public Endpoint endpoint() {
        return endpoint;
    }

    /** How many connections of HTTP/2 carry all streams; 0 if streams have connections of HTTP/1.1. */
    public int http2Connections() {
        return http2Connections;
    }

    /** The fields of requests over HTTP/2, without the length of the body. */
    Http2Headers http2Headers() {
        return http2Headers;
    }

    /** What is sent for a prompt: a whole request of HTTP/1.1, head and body; over HTTP/2 the body. */
    public byte[] request(Prompt prompt) {
        byte[] body = body(prompt);
        if (http2Connections > 0) {
            return body;
        }
        var out = new ByteArrayOutputStream(head.length + body.length + 16);
        out.writeBytes(head);
        out.writeBytes((body.length + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        out.writeBytes(body);
        return out.toByteArray();
    }

    /** The body of a request. */
    public byte[] body(Prompt prompt) {
        var body = JSON.createObjectNode();
        int limit = prompt.maxTokens() > 0 ? prompt.maxTokens() : maxTokens;
        switch (endpoint.dialect()) {
            case RESPONSES -> responses(body, prompt, limit);
            case GEMINI -> gemini(body, prompt, limit);
            default -> messages(body, prompt, limit);
        }
        if (prompt.tools() != null) {
            body.set("tools", prompt.tools());
        }
        if (extra != null) {
            body.setAll(extra);
        }
        try {
            return JSON.writeValueAsBytes(body);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private void messages(ObjectNode body, Prompt prompt, int limit) {
        boolean chat = endpoint.dialect() == Dialect.CHAT;
        body.put("model", model);
        if (endpoint.isLegacyCompletion()) {
            body.put(
                    "prompt",
                    prompt.text() == null ? requireNonNull(prompt.messages()).toString() : prompt.text());
        } else if (prompt.messages() != null) {
            body.set("messages", prompt.messages());
        } else {
            body.putArray("messages").addObject().put("role", "user").put("content", prompt.text());
        }
        if (!chat || limit > 0) {
            body.put("max_tokens", limit > 0 ? limit : MESSAGES_MAX_TOKENS);
        }
        body.put("stream", true);
        if (chat && asksUsage) {
            body.putObject("stream_options").put("include_usage", true);
        }
    }

    private void responses(ObjectNode body, Prompt prompt, int limit) {
        body.put("model", model);
        if (prompt.messages() != null) {
            body.set("input", prompt.messages());
        } else {
            body.put("input", prompt.text());
        }
        if (limit > 0) {
            body.put("max_output_tokens", limit);
        }
        body.put("stream", true);
    }

    private void gemini(ObjectNode body, Prompt prompt, int limit) {
        if (prompt.messages() != null) {
            body.set("contents", prompt.messages());
        } else {
            body.putArray("contents")
                    .addObject()
                    .put("role", "user")
                    .putArray("parts")
                    .addObject()
                    .put("text", prompt.text());
        }
        if (limit > 0) {
            body.putObject("generationConfig").put("maxOutputTokens", limit);
        }
    }

    private static Http2Headers http2Headers(Endpoint endpoint, List<String> fields) {
        var headers = new DefaultHttp2Headers()
                .method("POST")
                .scheme(endpoint.tls() ? "https" : "http")
                .authority(endpoint.authority())
                .path(endpoint.path());
        for (String field : fields) {
            String name = nameOf(field);
            if (name.equals("host")) {
                headers.authority(valueOf(field));
            } else if (!name.equals("connection")) {
                headers.add(name, valueOf(field));
            }
        }
        return headers;
    }

    private static String head(Endpoint endpoint, List<String> fields) {
        var head = new StringBuilder(512);
        head.append("POST ").append(endpoint.path()).append(" HTTP/1.1\r\n");
        fields.forEach(field -> head.append(field).append("\r\n"));
        return head.append("Content-Length: ").toString();
    }

    private static List<String> fields(Builder builder) {
        var endpoint = builder.endpoint;
        var fields = new ArrayList<String>();
        fields.add("Host: " + endpoint.authority());
        fields.add("Content-Type: application/json");
        fields.add("Accept: text/event-stream");
        fields.add("Accept-Encoding: identity");
        fields.add("User-Agent: millrace-bench");
        if (!builder.keepsAlive) {
            fields.add("Connection: close");
        }
        endpoint.headers(builder.key).forEach((name, value) -> fields.add(name + ": " + value));
        for (String given : builder.headers) {
            builder.without(nameOf(given));
        }
        fields.removeIf(field -> builder.without.contains(nameOf(field)));
        fields.addAll(builder.headers);
        return fields;
    }

    private static String valueOf(String field) {
        return field.substring(field.indexOf(':') + 1).strip();
    }

    private static String nameOf(String field) {
        return field.substring(0, field.indexOf(':')).toLowerCase(Locale.ROOT);
    }

    /** Collects the parts of a request other than its prompt. */
    public static final class Builder {
        private final Endpoint endpoint;
        private final String model;
        private final List<String> headers = new ArrayList<>();
        private final Set<String> without = new HashSet<>();
        private @Nullable String key;
        private int maxTokens;
        private @Nullable ObjectNode extra;
        private boolean asksUsage = true;
        private boolean keepsAlive = true;
        private int http2Connections;

        private Builder(Endpoint endpoint, String model) {
            this.endpoint = endpoint;
            this.model = model;
        }

        /** The API key, sent as the dialect's SDKs send it; null for none. */
        public Builder key(@Nullable String key) {
            this.key = key;
            return this;
        }

        /** The most tokens of an answer; 0 to leave it out. */
        public Builder maxTokens(int maxTokens) {
            this.maxTokens = maxTokens;
            return this;
        }

        /**
         * A header field {@code name: value}. It replaces a default field of that name.
         *
         * @throws IllegalArgumentException if it does not have that form, or belongs to the framing of the message
         */
        public Builder header(String field) {
            int colon = field.indexOf(':');
            boolean clean = field.chars().allMatch(c -> c == '\t' || c >= ' ');
            if (colon < 1 || !clean || field.substring(0, colon).indexOf(' ') >= 0) {
                throw new IllegalArgumentException("header: " + field + " (expected: NAME: VALUE)");
            }
            String name = nameOf(field);
            if (name.equals("content-length") || name.equals("transfer-encoding")) {
                throw new IllegalArgumentException("header: " + field + " (expected: none that frames the message)");
            }
            headers.add(field);
            return this;
        }

        /** Leaves out the default header field of that name. */
        public Builder without(String name) {
            without.add(name.toLowerCase(Locale.ROOT));
            return this;
        }

        /**
         * Fields of the body as a JSON object. They replace default fields of the same names.
         *
         * @throws IllegalArgumentException if it is not a JSON object
         */
        public Builder body(String json) {
            try {
                if (JSON.readTree(json) instanceof ObjectNode fields) {
                    extra = extra == null ? fields : extra.setAll(fields);
                    return this;
                }
            } catch (JsonProcessingException e) {
                throw new IllegalArgumentException("body: " + e.getOriginalMessage() + " (expected: a JSON object)", e);
            }
            throw new IllegalArgumentException("body: " + json + " (expected: a JSON object)");
        }

        /** Whether Chat requests have {@code stream_options.include_usage}. The default is true. */
        public Builder asksUsage(boolean asksUsage) {
            this.asksUsage = asksUsage;
            return this;
        }

        /** Whether connections are reused. The default is true. */
        public Builder keepsAlive(boolean keepsAlive) {
            this.keepsAlive = keepsAlive;
            return this;
        }

        /** All streams share so many connections of HTTP/2. The default is 0: HTTP/1.1. */
        public Builder http2(int connections) {
            http2Connections = connections;
            return this;
        }

        /** The template. */
        public RequestTemplate build() {
            return new RequestTemplate(this);
        }
    }
}
