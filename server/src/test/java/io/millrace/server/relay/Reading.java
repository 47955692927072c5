package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.server.test.RawClient;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The content of an answer in any dialect. It is read by the rules of the dialects' own documents, without the tested
 * code.
 */
final class Reading {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A call of a tool, its arguments parsed. */
    record Call(String name, JsonNode arguments) {}

    /** Tokens with those of caches and reasoning counted in, as far as they are told; -1 is not told. */
    record Tokens(long input, long output, long cached) {
        /** Where a dialect must tell a count, none is zero. */
        Tokens told() {
            return new Tokens(Math.max(0, input), Math.max(0, output), Math.max(0, cached));
        }
    }

    private final StringBuilder text = new StringBuilder();
    private final Map<Integer, String> names = new TreeMap<>();
    private final Map<Integer, StringBuilder> arguments = new TreeMap<>();
    private String stop;
    private Tokens tokens = new Tokens(-1, -1, -1);
    private boolean ended;

    /** Reads a stream that ended cleanly. */
    static Reading ofStream(Api api, RawClient.Response response) {
        assertThat(response.status()).as(response.text()).isEqualTo(200);
        assertThat(response.header("content-type")).startsWith("text/event-stream");
        assertThat(response.end()).isEqualTo(RawClient.End.COMPLETE);
        return ofFrames(api, response.frames());
    }

    /** Reads a stream as far as it came. */
    static Reading ofFrames(Api api, List<byte[]> frames) {
        var reading = new Reading();
        for (byte[] frame : frames) {
            for (String line : new String(frame, StandardCharsets.UTF_8).lines().toList()) {
                if (line.startsWith("data:")) {
                    reading.onData(api, line.substring(5).trim());
                }
            }
        }
        return reading;
    }

    /** Reads an answer that is no stream. */
    static Reading ofBody(Api api, RawClient.Response response) {
        assertThat(response.status()).as(response.text()).isEqualTo(200);
        assertThat(response.header("content-type")).startsWith("application/json");
        var reading = new Reading();
        JsonNode json = json(response.text());
        switch (api) {
            case CHAT -> {
                JsonNode choice = json.path("choices").path(0);
                reading.chatMessage(choice.path("message"));
                reading.stop(choice.path("finish_reason"));
                reading.chatUsage(json.path("usage"));
            }
            case RESPONSES -> reading.response(json, true);
            case MESSAGES -> {
                reading.messagesContent(json.path("content"));
                reading.stop(json.path("stop_reason"));
                reading.messagesUsage(json.path("usage"));
            }
            case GEMINI -> reading.gemini(json);
        }
        return reading;
    }

    String text() {
        return text.toString();
    }

    List<Call> calls() {
        var calls = new ArrayList<Call>();
        names.forEach((index, name) ->
                calls.add(new Call(name, json(arguments.get(index).toString()))));
        return calls;
    }

    /** Why it ended: {@code end}, {@code length}, {@code tools} or {@code filter}; null if nobody said. */
    String stop() {
        return "end".equals(stop) && !names.isEmpty() ? "tools" : stop;
    }

    Tokens tokens() {
        return tokens;
    }

    /** Whether the dialect's terminal came, where it has one. */
    boolean ended() {
        return ended;
    }

    private void onData(Api api, String data) {
        if (data.equals("[DONE]")) {
            ended = true;
            return;
        }
        JsonNode json = json(data);
        switch (api) {
            case CHAT -> {
                JsonNode choice = json.path("choices").path(0);
                chatMessage(choice.path("delta"));
                stop(choice.path("finish_reason"));
                chatUsage(json.path("usage"));
            }
            case RESPONSES -> onResponses(json);
            case MESSAGES -> onMessages(json);
            case GEMINI -> gemini(json);
        }
    }

    private void chatMessage(JsonNode message) {
        text.append(textOf(message.path("content")));
        int at = 0;
        for (JsonNode call : message.path("tool_calls")) {
            int index = call.path("index").asInt(at++);
            JsonNode function = call.path("function");
            call(
                    index,
                    function.path("name").asText(""),
                    function.path("arguments").asText(""));
        }
    }

    private void chatUsage(JsonNode usage) {
        if (usage.isObject()) {
            tokens = new Tokens(
                    usage.path("prompt_tokens").asLong(-1),
                    usage.path("completion_tokens").asLong(-1),
                    usage.path("prompt_tokens_details").path("cached_tokens").asLong(-1));
        }
    }

    private void onResponses(JsonNode event) {
        int index = event.path("output_index").asInt();
        switch (event.path("type").asText()) {
            case "response.output_text.delta" -> text.append(event.path("delta").asText());
            case "response.output_item.added" -> {
                if (event.path("item").path("type").asText().equals("function_call")) {
                    call(index, event.path("item").path("name").asText(), "");
                }
            }
            case "response.function_call_arguments.delta" ->
                call(index, "", event.path("delta").asText());
            case "response.completed", "response.incomplete" -> {
                ended = true;
                response(event.path("response"), false);
            }
            default -> {}
        }
    }

    private void response(JsonNode response, boolean withOutput) {
        int index = 0;
        for (JsonNode item : withOutput ? response.path("output") : JSON.createArrayNode()) {
            for (JsonNode part : item.path("content")) {
                text.append(part.path("text").asText(""));
            }
            if (item.path("type").asText().equals("function_call")) {
                call(index, item.path("name").asText(), item.path("arguments").asText());
            }
            index++;
        }
        JsonNode reason = response.path("incomplete_details").path("reason");
        stop(reason.isTextual() ? reason : response.path("status"));
        JsonNode usage = response.path("usage");
        if (usage.isObject()) {
            tokens = new Tokens(
                    usage.path("input_tokens").asLong(-1),
                    usage.path("output_tokens").asLong(-1),
                    usage.path("input_tokens_details").path("cached_tokens").asLong(-1));
        }
    }

    private void onMessages(JsonNode event) {
        int index = event.path("index").asInt();
        switch (event.path("type").asText()) {
            case "message_start" -> messagesUsage(event.path("message").path("usage"));
            case "content_block_start" -> {
                JsonNode block = event.path("content_block");
                text.append(block.path("text").asText(""));
                if (block.path("type").asText().equals("tool_use")) {
                    call(index, block.path("name").asText(), "");
                }
            }
            case "content_block_delta" -> {
                JsonNode delta = event.path("delta");
                text.append(delta.path("text").asText(""));
                if (delta.has("partial_json")) {
                    call(index, "", delta.path("partial_json").asText());
                }
            }
            case "message_delta" -> {
                stop(event.path("delta").path("stop_reason"));
                messagesUsage(event.path("usage"));
            }
            case "message_stop" -> ended = true;
            default -> {}
        }
    }

    private void messagesContent(JsonNode blocks) {
        int index = 0;
        for (JsonNode block : blocks) {
            text.append(block.path("text").asText(""));
            if (block.path("type").asText().equals("tool_use")) {
                call(index, block.path("name").asText(), block.path("input").toString());
            }
            index++;
        }
    }

    /** Input is told without what was read from a cache or written to it. */
    private void messagesUsage(JsonNode usage) {
        long output = usage.path("output_tokens").asLong(tokens.output());
        if (!usage.has("input_tokens")) {
            tokens = new Tokens(tokens.input(), output, tokens.cached());
            return;
        }
        long cached = usage.path("cache_read_input_tokens").asLong(0);
        long input = usage.path("input_tokens").asLong()
                + cached
                + usage.path("cache_creation_input_tokens").asLong(0);
        tokens = new Tokens(input, output, cached);
    }

    private void gemini(JsonNode chunk) {
        JsonNode candidate = chunk.path("candidates").path(0);
        for (JsonNode part : candidate.path("content").path("parts")) {
            if (!part.path("thought").asBoolean()) {
                text.append(part.path("text").asText(""));
            }
            if (part.has("functionCall")) {
                JsonNode call = part.path("functionCall");
                call(names.size(), call.path("name").asText(), call.path("args").toString());
            }
        }
        stop(candidate.path("finishReason"));
        JsonNode usage = chunk.path("usageMetadata");
        if (usage.isObject()) {
            long answer = usage.path("candidatesTokenCount").asLong(-1);
            long thoughts = usage.path("thoughtsTokenCount").asLong(0);
            tokens = new Tokens(
                    usage.path("promptTokenCount").asLong(-1),
                    answer < 0 ? -1 : answer + thoughts,
                    usage.path("cachedContentTokenCount").asLong(-1));
        }
    }

    private void call(int index, String name, String json) {
        names.merge(index, name, String::concat);
        arguments.computeIfAbsent(index, i -> new StringBuilder()).append(json);
    }

    private void stop(JsonNode reason) {
        if (reason.isTextual()) {
            stop = switch (reason.asText()) {
                case "stop", "end_turn", "stop_sequence", "STOP", "completed" -> "end";
                case "length", "max_tokens", "MAX_TOKENS", "max_output_tokens" -> "length";
                case "tool_calls", "tool_use" -> "tools";
                case "content_filter", "refusal", "SAFETY", "PROHIBITED_CONTENT" -> "filter";
                default -> reason.asText();
            };
        }
    }

    private static String textOf(JsonNode content) {
        return content.isTextual() ? content.asText() : "";
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError("not JSON: " + text, e);
        }
    }
}
