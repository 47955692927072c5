package io.millrace.server.mock;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
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

    private final MockSpec defaults;
    private final Replays replays;
    private final MockCounters counters;
    private final ChatDialect chat = new ChatDialect();

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
        String path = uri.path();
        if (path.equals("/__mock/stats")) {
            return new Routed(Reply.json(200, counters.snapshot().toJson()), MockSpec.PLAIN);
        }
        var dialect = dialect();
        try {
            return answer(request, uri, dialect);
        } catch (IllegalArgumentException e) {
            return new Routed(Reply.json(400, dialect.errorBody(400, e.getMessage())), MockSpec.PLAIN);
        }
    }

    private MockDialect dialect() {
        return chat;
    }

    private Routed answer(MockRequest request, QueryStringDecoder uri, MockDialect dialect) {
        String path = uri.path();
        boolean asks = request.method().equals("POST") && path.endsWith("/chat/completions");
        JsonNode json = asks ? parse(request.body()) : MissingNode.getInstance();
        String model = json.path("model").asText("mock");
        var spec = spec(request, uri, model);
        if (spec.has(SpecKey.STATUS) && spec.count(SpecKey.STATUS, 200) >= 300) {
            return new Routed(failure(spec, dialect), spec);
        }
        if (!asks) {
            return new Routed(Reply.json(404, dialect.errorBody(404, "No such path: " + path)), spec);
        }
        var answer = new Answer(
                spec,
                request.number(),
                model,
                json,
                Prompts.last(json),
                Prompts.hasToolResult(json),
                Prompts.maxTokens(json));
        if (spec.has(SpecKey.REPLAY)) {
            String name = spec.text(SpecKey.REPLAY, "");
            replays.verify(name); // a wrong name fails here, not after the head
            return new Routed(stream(spec, dialect, () -> replays.script(name)), spec);
        }
        return json.path("stream").asBoolean()
                ? new Routed(stream(spec, dialect, () -> dialect.stream(answer)), spec)
                : new Routed(Reply.json(200, dialect.body(answer)), spec);
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

    private static Reply failure(MockSpec spec, MockDialect dialect) {
        int status = spec.count(SpecKey.STATUS, 500);
        var headers = new ArrayList<String>(extraHeaders(spec));
        if (spec.has(SpecKey.RETRY_AFTER)) {
            headers.add("Retry-After: " + spec.text(SpecKey.RETRY_AFTER, ""));
        }
        if (spec.has(SpecKey.RETRY_AFTER_MS)) {
            headers.add("retry-after-ms: " + spec.count(SpecKey.RETRY_AFTER_MS, 0));
        }
        return Reply.json(status, dialect.errorBody(status, FAULT)).withHeaders(headers);
    }

    private static List<String> extraHeaders(MockSpec spec) {
        @SuppressWarnings("unchecked") // the form of the key is HEADERS
        List<String> headers = spec.value(SpecKey.HEADERS, List.of(), List.class);
        return headers;
    }

    private static Reply stream(MockSpec spec, MockDialect dialect, Supplier<Script> plain) {
        return Reply.stream(() -> withFaults(spec, dialect, plain.get())).withHeaders(extraHeaders(spec));
    }

    private static Script withFaults(MockSpec spec, MockDialect dialect, Script script) {
        if (spec.has(SpecKey.DONE) && !spec.flag(SpecKey.DONE)) {
            script.dropTerminals();
        }
        if (spec.flag(SpecKey.ERROR_FIRST)) {
            script.replaceBy(Frames.utf8(dialect.errorFrame(FAULT)));
        } else if (spec.has(SpecKey.ERROR_AFTER)) {
            script.insertAfter(spec.count(SpecKey.ERROR_AFTER, 0), Frames.utf8(dialect.errorFrame(FAULT)), true);
        } else if (spec.has(SpecKey.HIDDEN_ERROR_AFTER)) {
            byte[] hidden = Frames.utf8(dialect.hiddenErrorFrame(FAULT));
            script.insertAfter(spec.count(SpecKey.HIDDEN_ERROR_AFTER, 0), hidden, true);
        } else if (spec.has(SpecKey.EOF_AFTER)) {
            script.insertAfter(spec.count(SpecKey.EOF_AFTER, 0), new byte[0], true);
        } else if (spec.has(SpecKey.GARBAGE_AFTER)) {
            byte[] junk = {0, (byte) 0xff, (byte) 0xfe, '<', 'h', 't', 'm', 'l', '>', '\n', '\n', '{', '\n', '\n'};
            script.insertAfter(spec.count(SpecKey.GARBAGE_AFTER, 0), junk, false);
        }
        return script;
    }
}
