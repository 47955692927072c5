package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * A stream as a client sees it. It is read as SDKs read it, without the code under test. It fails if the stream breaks the
 * grammar of its dialect.
 */
abstract class ClientView {
    static final ObjectMapper JSON = new ObjectMapper();

    final StringBuilder text = new StringBuilder();
    final StringBuilder refusal = new StringBuilder();
    final StringBuilder reasoning = new StringBuilder();
    final List<Call> calls = new ArrayList<>();

    /** The links of citations, with their place where the dialect has one: {@code https://a 0-4}. */
    final List<String> citations = new ArrayList<>();

    /** The uses of the provider's tools: {@code search: query}, {@code page: url}, {@code code: code = output}. */
    final List<String> uses = new ArrayList<>();

    long input = -1;
    long cached = -1;
    long output = -1;
    String finish;
    boolean ended;
    String error;

    /** A call and its arguments so far. */
    static final class Call {
        final String id;
        final String name;
        final StringBuilder arguments = new StringBuilder();

        Call(String id, String name) {
            this.id = id;
            this.name = name;
        }
    }

    /** Reads a whole stream of this dialect. */
    static ClientView of(Dialect dialect, String stream) {
        ClientView view = switch (dialect) {
            case CHAT -> new ChatView();
            case MESSAGES -> new MessagesView();
            case RESPONSES -> new ResponsesView();
            case GEMINI -> new GeminiView();
            case UNKNOWN -> throw new IllegalArgumentException("no view of " + dialect);
        };
        for (byte[] frame : Recorded.frames(stream.getBytes(StandardCharsets.UTF_8))) {
            view.frame(new String(frame, StandardCharsets.UTF_8));
        }
        return view;
    }

    /** The dialect's word for this reason, or for no reason if it is null. */
    abstract String finishOf(StopReason reason);

    abstract void read(String type, JsonNode json);

    void frame(String frame) {
        assertThat(ended).as("something behind the end").isFalse();
        assertThat(frame.endsWith("\n\n") || frame.endsWith("\r\n\r\n"))
                .as(frame)
                .isTrue();
        String type = "";
        StringBuilder data = new StringBuilder();
        for (String line : frame.lines().toList()) {
            if (line.startsWith("event: ")) {
                type = line.substring("event: ".length());
            } else if (line.startsWith("data: ")) {
                data.append(line.substring("data: ".length()));
            } else {
                assertThat(line).isEmpty();
            }
        }
        if (data.toString().equals("[DONE]")) {
            done();
            return;
        }
        try {
            read(type, JSON.readTree(data.toString()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void done() {
        ended = true;
    }

    final void cite(JsonNode citation, String key) {
        assertThat(citation.get("title").isTextual()).isTrue();
        citations.add(
                citation.get(key).textValue() + " " + citation.get("start_index") + "-" + citation.get("end_index"));
    }

    /** A use of a provider's tool in Messages, with its result. */
    final void use(JsonNode asked, JsonNode result) {
        String name = asked.get("name").textValue();
        JsonNode in = asked.get("input");
        assertThat(result.get("type").textValue()).isEqualTo(name + "_tool_result");
        assertThat(result.get("tool_use_id")).isEqualTo(asked.get("id"));
        assertThat(asked.get("id").textValue()).matches("srvtoolu_[A-Za-z0-9_]+");
        uses.add(
                switch (name) {
                    case "web_search" -> "search: " + in.get("query").textValue();
                    case "web_fetch" -> "page: " + in.get("url").textValue();
                    default ->
                        "code: " + in.get("code").textValue() + " = "
                                + result.at("/content/stdout").asText();
                });
    }

    /** An item of Responses for the use of a provider's tool. */
    final void use(JsonNode item) {
        if (item.get("type").textValue().equals("code_interpreter_call")) {
            assertThat(item.get("container_id").isTextual()).isTrue();
            uses.add("code: " + item.get("code").textValue() + " = "
                    + item.at("/outputs/0/logs").asText());
        } else {
            JsonNode action = item.get("action");
            boolean search = action.get("type").textValue().equals("search");
            uses.add(
                    search
                            ? "search: " + action.get("query").textValue()
                            : "page: " + action.get("url").textValue());
        }
    }

    private static final class ChatView extends ClientView {
        private boolean begun;

        @Override
        String finishOf(StopReason reason) {
            if (reason == null) {
                return null;
            }
            return switch (reason) {
                case END, STOP_SEQUENCE, PAUSE, STOPPED, OTHER -> "stop";
                case LENGTH, CONTEXT_FULL -> "length";
                case TOOL_CALLS -> "tool_calls";
                case CONTENT_FILTER, REFUSAL -> "content_filter";
            };
        }

        @Override
        void read(String type, JsonNode json) {
            if (json.has("error")) {
                error = json.at("/error/message").asText();
                ended = true;
                return;
            }
            assertThat(json.get("object").asText()).isEqualTo("chat.completion.chunk");
            assertThat(json.get("id").asText()).isNotEmpty();
            for (JsonNode choice : json.get("choices")) {
                assertThat(finish).as("output behind the finish").isNull();
                JsonNode delta = choice.get("delta");
                assertThat(delta.has("role")).isEqualTo(!begun);
                begun = true;
                text.append(delta.path("content").asText(""));
                refusal.append(delta.path("refusal").asText(""));
                reasoning.append(delta.path("reasoning_content").asText(""));
                delta.path("tool_calls").forEach(this::readCall);
                delta.path("annotations").forEach(annotation -> cite(annotation.get("url_citation"), "url"));
                finish = choice.get("finish_reason").textValue();
            }
            JsonNode usage = json.path("usage");
            if (usage.isObject()) {
                input = usage.get("prompt_tokens").asLong();
                output = usage.get("completion_tokens").asLong();
                cached = usage.at("/prompt_tokens_details/cached_tokens").asLong(-1);
            }
        }

        private void readCall(JsonNode fragment) {
            int index = fragment.get("index").asInt();
            if (fragment.has("id")) {
                assertThat(index).isEqualTo(calls.size());
                calls.add(new Call(
                        fragment.get("id").asText(),
                        fragment.at("/function/name").asText()));
            }
            calls.get(index).arguments.append(fragment.at("/function/arguments").asText());
        }
    }

    private static final class MessagesView extends ClientView {
        private boolean begun;
        private int index = -1;
        private String block;
        private ObjectNode asked;
        private final StringBuilder askedInput = new StringBuilder();

        @Override
        String finishOf(StopReason reason) {
            if (reason == null) {
                return null;
            }
            return switch (reason) {
                case END, OTHER, STOPPED -> "end_turn";
                case STOP_SEQUENCE -> "stop_sequence";
                case LENGTH -> "max_tokens";
                case CONTEXT_FULL -> "model_context_window_exceeded";
                case TOOL_CALLS -> "tool_use";
                case CONTENT_FILTER, REFUSAL -> "refusal";
                case PAUSE -> "pause_turn";
            };
        }

        @Override
        void done() {
            throw new AssertionError("Messages has no [DONE]");
        }

        @Override
        void read(String type, JsonNode json) {
            assertThat(json.get("type").asText()).isEqualTo(type);
            assertThat(type.equals("error") || begun != type.equals("message_start"))
                    .isTrue();
            switch (type) {
                case "message_start" -> {
                    begun = true;
                    assertThat(json.at("/message/id").asText()).isNotEmpty();
                }
                case "content_block_start" -> readBlock(json);
                case "content_block_delta" -> {
                    assertThat(json.get("index").asInt()).isEqualTo(index);
                    readDelta(json.get("delta"));
                }
                case "content_block_stop" -> {
                    assertThat(json.get("index").asInt()).isEqualTo(index);
                    assertThat(block).isNotNull();
                    if (block.equals("server_tool_use")) {
                        assertThat(asked.get("input")).isEmpty();
                        asked.set("input", Json.parseObject(askedInput.toString()));
                    }
                    block = null;
                }
                case "message_delta" -> {
                    assertThat(block).isNull();
                    finish = json.at("/delta/stop_reason").textValue();
                    JsonNode usage = json.get("usage");
                    cached = usage.path("cache_read_input_tokens").asLong(-1);
                    input = usage.get("input_tokens").asLong()
                            + Math.max(0, cached)
                            + usage.path("cache_creation_input_tokens").asLong(0);
                    output = usage.get("output_tokens").asLong();
                }
                case "message_stop" -> ended = true;
                case "error" -> {
                    error = json.at("/error/message").asText();
                    ended = true;
                }
                default -> throw new AssertionError(type);
            }
        }

        private void readBlock(JsonNode json) {
            assertThat(block).isNull();
            assertThat(json.get("index").asInt()).isEqualTo(++index);
            block = json.at("/content_block/type").asText();
            if (block.equals("server_tool_use")) {
                asked = (ObjectNode) json.get("content_block");
                askedInput.setLength(0);
            }
            if (block.endsWith("_tool_result")) {
                use(asked, json.get("content_block"));
            }
            if (block.equals("tool_use")) {
                calls.add(new Call(
                        json.at("/content_block/id").asText(),
                        json.at("/content_block/name").asText()));
            }
        }

        private void readDelta(JsonNode delta) {
            switch (delta.get("type").asText()) {
                case "text_delta" -> {
                    assertThat(block).isEqualTo("text");
                    text.append(delta.get("text").asText());
                }
                case "thinking_delta" -> {
                    assertThat(block).isEqualTo("thinking");
                    reasoning.append(delta.get("thinking").asText());
                }
                case "signature_delta" -> assertThat(block).isEqualTo("thinking");
                case "citations_delta" -> {
                    assertThat(block).isEqualTo("text");
                    citations.add(delta.at("/citation/url").textValue());
                }
                case "input_json_delta" -> {
                    if (block.equals("server_tool_use")) {
                        askedInput.append(delta.get("partial_json").asText());
                        return;
                    }
                    assertThat(block).isEqualTo("tool_use");
                    calls.get(calls.size() - 1)
                            .arguments
                            .append(delta.get("partial_json").asText());
                }
                default -> throw new AssertionError(delta.toString());
            }
        }
    }
}
