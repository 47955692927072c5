package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The rules of a dialect's provider for a conversation with tools. The provider answers 400 if a request breaks one. */
abstract class UpstreamShape {
    private final String name;
    private final Set<String> fields;
    final Set<String> names = new HashSet<>();
    private final List<String> called = new ArrayList<>();
    private int results;

    private UpstreamShape(String name, Set<String> fields) {
        this.name = name;
        this.fields = fields;
    }

    static UpstreamShape of(Dialect dialect) {
        return switch (dialect) {
            case CHAT -> new OfChat();
            case RESPONSES -> new OfResponses();
            case MESSAGES -> new OfMessages();
            case GEMINI -> new OfGemini();
            case UNKNOWN -> throw new IllegalArgumentException("requires nothing");
        };
    }

    /** The content of a checked request: the names of its tools, and the called names in their order. */
    record Found(Set<String> tools, List<String> called, int results) {}

    /** Checks one request, and returns its content. */
    Found verify(JsonNode request) {
        request.fieldNames().forEachRemaining(field -> assertThat(fields).contains(field));
        read(request);
        return new Found(Set.copyOf(names), List.copyOf(called), results);
    }

    abstract void read(JsonNode request);

    void function(JsonNode tool, String schema) {
        assertThat(tool.path("name").asText()).matches(name);
        assertThat(names.add(tool.path("name").asText())).as("twice: %s", tool).isTrue();
        assertThat(tool.path(schema).isObject()).as("%s", tool).isTrue();
    }

    String call(String id, String function) {
        assertThat(id).isNotEmpty();
        assertThat(names).contains(function);
        called.add(function);
        return id;
    }

    void result(String id, List<String> open) {
        assertThat(open.remove(id)).as("result of %s", id).isTrue();
        results++;
    }

    static void text(JsonNode text) {
        assertThat(text.asText()).isNotBlank();
    }

    private static final class OfChat extends UpstreamShape {
        OfChat() {
            super(
                    "[a-zA-Z0-9_-]{1,64}",
                    Set.of(
                            "model",
                            "messages",
                            "stream",
                            "stream_options",
                            "tools",
                            "tool_choice",
                            "parallel_tool_calls",
                            "reasoning_effort",
                            "max_tokens",
                            "max_completion_tokens",
                            "temperature",
                            "top_p",
                            "stop",
                            "response_format",
                            "user",
                            "safety_identifier",
                            "prompt_cache_key",
                            "verbosity"));
        }

        @Override
        void read(JsonNode request) {
            for (JsonNode tool : request.path("tools")) {
                assertThat(tool.path("type").asText()).isEqualTo("function");
                function(tool.path("function"), "parameters");
            }
            var open = new ArrayList<String>();
            for (JsonNode message : request.path("messages")) {
                String role = message.path("role").asText();
                assertThat(role).isIn("system", "developer", "user", "assistant", "tool");
                if (role.equals("tool")) {
                    result(message.path("tool_call_id").asText(), open);
                    continue;
                }
                assertThat(open).as("calls without a result").isEmpty();
                if (message.path("content").isTextual()) {
                    text(message.path("content"));
                }
                for (JsonNode call : message.path("tool_calls")) {
                    open.add(call(
                            call.path("id").asText(), call.at("/function/name").asText()));
                }
            }
            assertThat(open).isEmpty();
        }
    }

    private static final class OfResponses extends UpstreamShape {
        OfResponses() {
            super(
                    "[a-zA-Z0-9_-]{1,64}",
                    Set.of(
                            "model",
                            "input",
                            "instructions",
                            "stream",
                            "store",
                            "tools",
                            "tool_choice",
                            "parallel_tool_calls",
                            "reasoning",
                            "include",
                            "max_output_tokens",
                            "temperature",
                            "top_p",
                            "text",
                            "user",
                            "safety_identifier",
                            "prompt_cache_key"));
        }

        @Override
        void read(JsonNode request) {
            request.path("tools").forEach(tool -> {
                if (!tool.path("type").asText().startsWith("web_search")) {
                    assertThat(tool.path("type").asText()).isEqualTo("function");
                    function(tool, "parameters");
                }
            });
            var open = new ArrayList<String>();
            for (JsonNode item : request.path("input")) {
                switch (item.path("type").asText("message")) {
                    case "message" -> item.path("content").forEach(part -> text(part.path("text")));
                    case "function_call" -> {
                        open.add(call(
                                item.path("call_id").asText(), item.path("name").asText()));
                        assertThat(item.path("call_id").asText().length()).isBetween(1, 64);
                    }
                    case "function_call_output" -> result(item.path("call_id").asText(), open);
                    default -> assertThat(item.path("type").asText()).isEqualTo("reasoning");
                }
            }
            assertThat(open).isEmpty();
        }
    }

    private static final class OfMessages extends UpstreamShape {
        OfMessages() {
            super(
                    "[a-zA-Z0-9_-]{1,128}",
                    Set.of(
                            "model",
                            "messages",
                            "system",
                            "max_tokens",
                            "stream",
                            "tools",
                            "tool_choice",
                            "thinking",
                            "output_config",
                            "temperature",
                            "top_p",
                            "top_k",
                            "stop_sequences",
                            "metadata",
                            "cache_control"));
        }

        @Override
        void read(JsonNode request) {
            assertThat(request.path("max_tokens").asInt()).isPositive();
            request.path("tools").forEach(tool -> {
                if (!tool.path("type").asText().startsWith("web_search")) {
                    function(tool, "input_schema");
                    assertThat(tool.at("/input_schema/type").asText()).isEqualTo("object");
                }
            });
            String last = "";
            List<String> open = new ArrayList<>();
            for (JsonNode message : request.path("messages")) {
                String role = message.path("role").asText();
                assertThat(role).isIn("user", "assistant").isNotEqualTo(last);
                assertThat(role.equals("assistant") && last.isEmpty()).isFalse();
                last = role;
                List<String> calls = new ArrayList<>();
                if (message.path("content").isTextual()) {
                    text(message.path("content"));
                } else {
                    message.path("content").forEach(block -> block(block, open, calls));
                }
                assertThat(open).as("calls without a result").isEmpty();
                open.addAll(calls);
            }
            assertThat(open).isEmpty();
        }

        private void block(JsonNode block, List<String> open, List<String> calls) {
            switch (block.path("type").asText()) {
                case "text" -> {
                    assertThat(open).as("results come first").isEmpty();
                    text(block.path("text"));
                }
                case "tool_use" -> {
                    calls.add(call(block.path("id").asText(), block.path("name").asText()));
                    assertThat(block.path("id").asText()).matches("[a-zA-Z0-9_-]+");
                    assertThat(block.path("input").isObject()).isTrue();
                }
                case "tool_result" -> result(block.path("tool_use_id").asText(), open);
                default -> assertThat(block.path("type").asText()).isIn("thinking", "redacted_thinking", "image");
            }
        }
    }

    private static final class OfGemini extends UpstreamShape {
        OfGemini() {
            super(
                    "[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}",
                    Set.of("contents", "systemInstruction", "tools", "toolConfig", "generationConfig"));
        }

        @Override
        void read(JsonNode request) {
            for (JsonNode tool : request.path("tools")) {
                tool.path("functionDeclarations").forEach(declaration -> function(declaration, "parametersJsonSchema"));
            }
            String last = "model";
            var open = new ArrayList<String>();
            for (JsonNode content : request.path("contents")) {
                String role = content.path("role").asText();
                assertThat(role).isIn("user", "model").isNotEqualTo(last);
                last = role;
                assertThat(content.path("parts")).isNotEmpty();
                boolean answers = !open.isEmpty();
                for (JsonNode part : content.path("parts")) {
                    JsonNode call = part.path("functionCall");
                    JsonNode response = part.path("functionResponse");
                    if (call.isObject()) {
                        open.add(
                                call(call.path("id").asText(), call.path("name").asText()));
                        assertThat(call.path("args").isObject()).isTrue();
                    } else if (response.isObject()) {
                        assertThat(response.path("response").isObject()).isTrue();
                        assertThat(names).contains(response.path("name").asText());
                        result(response.path("id").asText(), open);
                    } else if (part.has("text")) {
                        text(part.path("text"));
                    }
                }
                assertThat(answers && !open.isEmpty())
                        .as("calls without a result")
                        .isFalse();
            }
            assertThat(open).isEmpty();
        }
    }
}
