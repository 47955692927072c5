package io.millrace.server.mock;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.netty.buffer.ByteBufUtil;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides the response to a request: the dialect, the spec, and the faults inside the body. Its only state is the
 * default spec and the number of requests of each group. Any thread may call it.
 */
final class MockRoutes {
    /** A reply and its spec. */
    record Routed(Reply reply, MockSpec spec) {}

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String MODEL_PREFIX = "mock:";
    private static final String FAULT = "The mock was asked to fail here.";
    private static final long MAX_TEXT = 64 << 20;
    private static final int MAX_GROUPS = 100_000;
    private static final byte[] JUNK = {
        0, (byte) 0xff, (byte) 0xfe, '<', 'h', 't', 'm', 'l', '>', '\n', '\n', '{', '\n', '\n'
    };

    private volatile MockSpec defaults;
    private final Map<String, AtomicInteger> requestsByGroup = new ConcurrentHashMap<>();
    private final Replays replays;
    private final MockCounters counters;
    private final Supplier<List<MockRequest>> requests;
    private final MockDialect chat = new ChatDialect();
    private final MockDialect completions = new CompletionsDialect();
    private final MockDialect responses = new ResponsesDialect();
    private final MockDialect messages = new MessagesDialect();
    private final MockDialect gemini = new GeminiDialect();

    MockRoutes(MockSpec defaults, Replays replays, MockCounters counters, Supplier<List<MockRequest>> requests) {
        this.defaults = defaults;
        this.replays = replays;
        this.counters = counters;
        this.requests = requests;
    }

    MockSpec defaults() {
        return defaults;
    }

    void defaults(MockSpec defaults) {
        this.defaults = defaults;
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
            return new Routed(Reply.json(200, SideAnswers.stats(counters.snapshot())), MockSpec.PLAIN);
        }
        if (path.equals("/__mock/requests")) {
            return new Routed(Reply.json(200, SideAnswers.requests(requests.get())), MockSpec.PLAIN);
        }
        var dialect = dialect(request, path);
        try {
            if (path.equals("/__mock/spec") && request.method().equals("PUT")) {
                return new Routed(changeDefaults(request), MockSpec.PLAIN);
            }
            return answer(request, uri, dialect);
        } catch (IllegalArgumentException e) {
            return refuse(400, String.valueOf(e.getMessage()), dialect);
        }
    }

    /** Replaces the defaults by the spec in the body. */
    private Reply changeDefaults(MockRequest request) {
        String text = new String(request.body(), StandardCharsets.UTF_8).strip();
        defaults = MockSpec.parse(text);
        return Reply.json(200, "{\"spec\":\"" + Answer.escape(text) + "\"}");
    }

    /** The response to a request whose body was too large to keep. */
    Routed tooLarge(MockRequest request) {
        return refuse(413, "body: more than 64 MiB", dialect(request, request.uri()));
    }

    private static Routed refuse(int status, String message, MockDialect dialect) {
        return new Routed(Reply.json(status, dialect.errorBody(status, null, message)), MockSpec.PLAIN);
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
        if (path.endsWith("enerateContent") || path.endsWith(":countTokens") || path.startsWith("/v1beta")) {
            return gemini;
        }
        return path.endsWith("/messages") || request.headers().contains("anthropic-version") ? messages : chat;
    }

    private Routed answer(MockRequest request, QueryStringDecoder uri, MockDialect dialect) {
        String path = uri.path();
        boolean posted = request.method().equals("POST");
        boolean generates = posted && path.matches(".*/(completions|responses|messages|models/[^/]*enerateContent)");
        boolean embeds = posted && path.endsWith("/embeddings");
        boolean counts = posted && path.matches(".*(/messages/count_tokens|/responses/input_tokens|:countTokens)");
        var json = generates || embeds ? parse(request.body()) : MissingNode.getInstance();
        String model = model(path, json);
        var spec = spec(request, uri, model);
        var headers = headers(spec, dialect, request.number());
        Reply reply;
        if (spec.has(SpecKey.STATUS)) {
            int status = spec.count(SpecKey.STATUS, 500);
            reply = Reply.json(status, dialect.errorBody(status, spec.text(SpecKey.ERROR_CODE), FAULT));
            reply = reply.hasNoContent() ? reply.withoutBody() : reply;
        } else if (generates) {
            var answer = answer(request, spec, model, json, dialect);
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
            reply = reply.withPromptTokens(answer.promptTokens);
        } else if (embeds) {
            reply = Reply.json(200, SideAnswers.embeddings(json, model));
        } else if (counts) {
            reply = Reply.json(200, SideAnswers.count(dialect == gemini, request.body().length));
        } else {
            reply = side(request, path, dialect);
        }
        return new Routed(reply.withHeaders(headers), spec);
    }

    /** Checks a text that is made as a whole and not token by token. */
    private static void checkSize(Answer answer) {
        if (answer.textBytes() > MAX_TEXT) {
            throw new IllegalArgumentException("tokens: about " + answer.textBytes()
                    + " bytes (expected: at most 64 MiB where the whole text is made at once)");
        }
    }

    private static boolean asksToStream(String path, JsonNode json) {
        return path.endsWith(":streamGenerateContent") || json.path("stream").asBoolean();
    }

    /** Whether the answer is an event stream. Gemini streams a JSON array unless the request asks for events. */
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
            reply = Reply.json(404, dialect.errorBody(404, null, "No such resource: " + request.method() + " " + path));
        }
        return head ? reply.withoutBody() : reply;
    }

    /** The model. Gemini has it in the path, and all others have it in the body. */
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
        return fails(spec, request.number()) ? spec : spec.withoutFaults();
    }

    /** Whether the spec lets this request fail. */
    private boolean fails(MockSpec spec, long number) {
        if (spec.has(SpecKey.FAIL_FIRST)) {
            String group = spec.text(SpecKey.GROUP, "");
            if (requestsByGroup.size() >= MAX_GROUPS && !requestsByGroup.containsKey(group)) {
                throw new IllegalArgumentException(
                        "group: " + group + " (expected: one of the first " + MAX_GROUPS + ")");
            }
            int before = requestsByGroup
                    .computeIfAbsent(group, name -> new AtomicInteger())
                    .getAndIncrement();
            return before < spec.count(SpecKey.FAIL_FIRST, 0);
        }
        return new SplittableRandom(number).nextInt(100) < spec.count(SpecKey.FAIL_RATE, 100);
    }

    private static JsonNode parse(byte[] body) {
        try {
            var json = JSON.readTree(body);
            if (json.isObject()) {
                return json;
            }
        } catch (JsonProcessingException e) {
            String place = e.getLocation() == null
                    ? ""
                    : " at line " + e.getLocation().getLineNr() + ", column "
                            + e.getLocation().getColumnNr();
            throw new IllegalArgumentException("body: is not valid JSON" + place + " (expected: a JSON object)", e);
        } catch (IOException e) {
            throw new IllegalArgumentException("body: unreadable (expected: a JSON object)", e);
        }
        throw new IllegalArgumentException("body: not an object (expected: a JSON object)");
    }

    private Answer answer(MockRequest request, MockSpec spec, String model, JsonNode json, MockDialect dialect) {
        ToolLoop loop = null;
        if (spec.has(SpecKey.LOOP)) {
            loop = new ToolLoop(json, spec.count(SpecKey.LOOP, 0), spec.text(SpecKey.FILE));
            loop.verify(seals(spec, json, dialect));
        }
        return new Answer(
                spec,
                request.number(),
                model,
                json,
                Prompts.last(json),
                loop == null ? Prompts.hasToolResult(json) : loop.hasResults(),
                loop);
    }

    /** Accepts the seals of a dialect's provider; null if the provider requires none. */
    private @Nullable Predicate<String> seals(MockSpec spec, JsonNode json, MockDialect dialect) {
        int reasoning = spec.count(SpecKey.REASONING, 0);
        if (reasoning == 0 || (dialect == responses && !ResponsesDialect.asksForSeals(json))) {
            return null;
        }
        if (dialect != chat) {
            return ToolLoop::isSeal;
        }
        String thoughts = Answer.thoughts(reasoning);
        // A client that was cut off and asked again has the same thoughts more than once.
        return seal -> seal.replace(thoughts, "").isBlank();
    }

    private static List<String> headers(MockSpec spec, MockDialect dialect, long number) {
        var headers = new ArrayList<String>(spec.headers());
        headers.add(dialect.requestIdHeader() + ": req_mock%08d".formatted(number));
        if (spec.has(SpecKey.RETRY_AFTER)) {
            headers.add("Retry-After: " + spec.text(SpecKey.RETRY_AFTER, ""));
        }
        if (spec.has(SpecKey.RETRY_AFTER_S)) {
            var then = ZonedDateTime.now(ZoneOffset.UTC).plusSeconds(spec.count(SpecKey.RETRY_AFTER_S, 0));
            headers.add("Retry-After: " + DateTimeFormatter.RFC_1123_DATE_TIME.format(then));
        }
        if (spec.has(SpecKey.SHOULD_RETRY)) {
            headers.add("x-should-retry: " + spec.flag(SpecKey.SHOULD_RETRY));
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
            replays.verify(name); // so that a wrong name fails here and not after the head
            script = () -> replays.script(name);
        }
        var plain = script;
        return Reply.stream(() -> withFaults(spec, dialect, answer, plain.get()));
    }

    private static Script withFaults(MockSpec spec, MockDialect dialect, Answer answer, Script script) {
        if (spec.has(SpecKey.DONE) && !spec.flag(SpecKey.DONE)) {
            script.dropTerminals();
        }
        if (spec.flag(SpecKey.EMPTY)) {
            script.clear();
        } else if (spec.flag(SpecKey.ERROR_FIRST)) {
            script.replaceBy(errorFrame(spec, dialect, answer, 0));
        } else if (spec.has(SpecKey.ERROR_AFTER)) {
            script.insertAfter(
                    spec.count(SpecKey.ERROR_AFTER, 0),
                    (frames, out) -> ByteBufUtil.writeUtf8(out, errorFrame(spec, dialect, answer, frames)),
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

    private static String errorFrame(MockSpec spec, MockDialect dialect, Answer answer, int frames) {
        String code = spec.text(SpecKey.ERROR_CODE);
        return spec.flag(SpecKey.FAILED) && dialect instanceof ResponsesDialect responses
                ? responses.failedFrame(answer, code, FAULT, frames)
                : dialect.errorFrame(code, FAULT, frames);
    }
}
