package io.millrace.server.mock;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** From a request to what it gets: which dialect, which spec, which faults inside the body. Stateless. */
final class MockRoutes {
    /** A reply and the spec by which it is sent. */
    record Routed(Reply reply, MockSpec spec) {}

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MODEL_PREFIX = "mock:";
    private static final String FAULT = "The mock was asked to fail here.";
    private static final long MAX_TEXT = 64 << 20;
    private static final byte[] JUNK = {
        0, (byte) 0xff, (byte) 0xfe, '<', 'h', 't', 'm', 'l', '>', '\n', '\n', '{', '\n', '\n'
    };

    private final MockSpec defaults;
    private final Replays replays;
    private final MockCounters counters;
    private final MockDialect chat = new ChatDialect();
    private final MockDialect completions = new CompletionsDialect();
    private final MockDialect responses = new ResponsesDialect();
    private final MockDialect messages = new MessagesDialect();
    private final MockDialect gemini = new GeminiDialect();

    MockRoutes(MockSpec defaults, Replays replays, MockCounters counters) {
        this.defaults = defaults;
        this.replays = replays;
        this.counters = counters;
    }

    MockSpec defaults() {
        return defaults;
    }

    Routed route(MockRequest request) {
        var uri = new QueryStringDecoder(request.uri());
        String path;
        try {
            path = uri.path();
        } catch (IllegalArgumentException e) {
            return refuse(400, "uri: " + e.getMessage(), chat);
        }
        if (path.equals("/__mock/stats")) {
            return new Routed(Reply.json(200, counters.snapshot().toJson()), MockSpec.PLAIN);
        }
        var dialect = dialect(request, path);
        try {
            return answer(request, uri, dialect);
        } catch (IllegalArgumentException e) {
            return refuse(400, e.getMessage(), dialect);
        }
    }

    /** The answer to a request whose body was not kept. */
    Routed tooLarge(MockRequest request) {
        return refuse(413, "body: more than 64 MiB", dialect(request, request.uri()));
    }

    private static Routed refuse(int status, String message, MockDialect dialect) {
        return new Routed(Reply.json(status, dialect.errorBody(status, message)), MockSpec.PLAIN);
    }

    private MockDialect dialect(MockRequest request, String path) {
        if (path.endsWith("/chat/completions")) {
            return chat;
        }
        if (path.endsWith("/completions")) {
            return completions;
        }
        if (path.endsWith("/responses")) {
            return responses;
        }
        if (path.endsWith("enerateContent") || path.startsWith("/v1beta")) {
            return gemini;
        }
        return path.endsWith("/messages") || request.headers().contains("anthropic-version") ? messages : chat;
    }

    private Routed answer(MockRequest request, QueryStringDecoder uri, MockDialect dialect) {
        String path = uri.path();
        boolean posted = request.method().equals("POST");
        boolean generates = posted && path.matches(".*/(completions|responses|messages|models/[^/]*enerateContent)");
        boolean embeds = posted && path.endsWith("/embeddings");
        var json = generates || embeds ? parse(request.body()) : MissingNode.getInstance();
        String model = model(path, json);
        var spec = spec(request, uri, model);
        var headers = headers(spec, dialect, request.number());
        Reply reply;
        if (spec.has(SpecKey.STATUS)) {
            int status = spec.count(SpecKey.STATUS, 500);
            reply = Reply.json(status, dialect.errorBody(status, FAULT));
            reply = reply.hasNoContent() ? reply.withoutBody() : reply;
        } else if (generates) {
            var answer = answer(request, spec, model, json);
            boolean streams = asksToStream(path, json) || spec.has(SpecKey.REPLAY);
            boolean array = path.endsWith(":streamGenerateContent") && !isEventStream(uri);
            if (!streams || array || dialect == responses || spec.measuresBody()) {
                checkSize(answer);
            }
            if (streams && (!array || spec.has(SpecKey.REPLAY))) {
                reply = stream(spec, dialect, answer);
            } else {
                String body = dialect.body(answer);
                reply = Reply.json(200, array ? "[" + body + "]" : body);
            }
        } else if (embeds) {
            reply = Reply.json(200, SideAnswers.embeddings(json, model));
        } else {
            reply = side(request, path, dialect);
        }
        return new Routed(reply.withHeaders(headers), spec);
    }

    /** A text that must be there as a whole, not token by token. */
    private static void checkSize(Answer answer) {
        if (answer.textBytes() > MAX_TEXT) {
            throw new IllegalArgumentException("tokens: about " + answer.textBytes()
                    + " bytes (expected: at most 64 MiB where the whole text is made at once)");
        }
    }

    private static boolean asksToStream(String path, JsonNode json) {
        return path.endsWith(":streamGenerateContent") || json.path("stream").asBoolean();
    }

    /** Gemini streams a JSON array unless asked for events. */
    private static boolean isEventStream(QueryStringDecoder uri) {
        return uri.parameters().getOrDefault("alt", List.of()).contains("sse");
    }

    private static Reply side(MockRequest request, String path, MockDialect dialect) {
        boolean head = request.method().equals("HEAD");
        Reply reply;
        if (path.startsWith("/echo")) {
            reply = Reply.json(200, SideAnswers.echo(request));
        } else if (path.endsWith("/models") && (head || request.method().equals("GET"))) {
            reply = Reply.json(200, SideAnswers.models(request, path));
        } else {
            reply = Reply.json(404, dialect.errorBody(404, "No such resource: " + request.method() + " " + path));
        }
        return head ? reply.withoutBody() : reply;
    }

    /** Gemini's model stands in the path, everyone else's in the body. */
    private static String model(String path, JsonNode json) {
        int models = path.lastIndexOf("/models/");
        if (models >= 0 && path.endsWith("enerateContent")) {
            return path.substring(models + "/models/".length(), path.lastIndexOf(':'));
        }
        return json.path("model").asText("mock");
    }

    private MockSpec spec(MockRequest request, QueryStringDecoder uri, String model) {
        var spec = defaults;
        if (model.startsWith(MODEL_PREFIX)) {
            spec = spec.with(model.substring(MODEL_PREFIX.length()));
        }
        for (String header : request.headers().getAll("x-mock")) {
            spec = spec.with(header);
        }
        for (String query : uri.parameters().getOrDefault("mock", List.of())) {
            spec = spec.with(query);
        }
        return spec;
    }

    private static JsonNode parse(byte[] body) {
        try {
            var json = JSON.readTree(body);
            if (json.isObject()) {
                return json;
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("body: " + e.getOriginalMessage() + " (expected: a JSON object)", e);
        } catch (IOException e) {
            throw new IllegalArgumentException("body: unreadable (expected: a JSON object)", e);
        }
        throw new IllegalArgumentException("body: not an object (expected: a JSON object)");
    }

    private static Answer answer(MockRequest request, MockSpec spec, String model, JsonNode json) {
        return new Answer(
                spec,
                request.number(),
                model,
                json,
                Prompts.last(json),
                Prompts.hasToolResult(json),
                Prompts.maxTokens(json));
    }

    private static List<String> headers(MockSpec spec, MockDialect dialect, long number) {
        var headers = new ArrayList<String>(spec.headers());
        headers.add(dialect.requestIdHeader() + ": req_mock%08d".formatted(number));
        if (spec.has(SpecKey.RETRY_AFTER)) {
            headers.add("Retry-After: " + spec.text(SpecKey.RETRY_AFTER, ""));
        }
        if (spec.has(SpecKey.RETRY_AFTER_MS)) {
            headers.add("retry-after-ms: " + spec.count(SpecKey.RETRY_AFTER_MS, 0));
        }
        return headers;
    }

    private Reply stream(MockSpec spec, MockDialect dialect, Answer answer) {
        Supplier<Script> script = () -> dialect.stream(answer);
        if (spec.has(SpecKey.REPLAY)) {
            String name = spec.text(SpecKey.REPLAY, "");
            replays.verify(name); // a wrong name fails here, not after the head
            script = () -> replays.script(name);
        }
        var plain = script;
        return Reply.stream(() -> withFaults(spec, dialect, plain.get()));
    }

    private static Script withFaults(MockSpec spec, MockDialect dialect, Script script) {
        if (spec.has(SpecKey.DONE) && !spec.flag(SpecKey.DONE)) {
            script.dropTerminals();
        }
        if (spec.flag(SpecKey.ERROR_FIRST)) {
            script.replaceBy(dialect.errorFrame(FAULT, 0));
        } else if (spec.has(SpecKey.ERROR_AFTER)) {
            script.insertAfter(
                    spec.count(SpecKey.ERROR_AFTER, 0),
                    (frames, out) -> ByteBufUtil.writeUtf8(out, dialect.errorFrame(FAULT, frames)),
                    true);
        } else if (spec.has(SpecKey.HIDDEN_ERROR_AFTER)) {
            script.insertAfter(
                    spec.count(SpecKey.HIDDEN_ERROR_AFTER, 0),
                    (frames, out) -> ByteBufUtil.writeUtf8(out, dialect.hiddenErrorFrame(FAULT)),
                    true);
        } else if (spec.has(SpecKey.EOF_AFTER)) {
            script.insertAfter(spec.count(SpecKey.EOF_AFTER, 0), (frames, out) -> {}, true);
        } else if (spec.has(SpecKey.GARBAGE_AFTER)) {
            script.insertAfter(spec.count(SpecKey.GARBAGE_AFTER, 0), (frames, out) -> out.writeBytes(JUNK), false);
        }
        return script;
    }
}
