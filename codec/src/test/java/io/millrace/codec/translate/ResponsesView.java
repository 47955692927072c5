package io.millrace.codec.translate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A client of Responses. It checks the order of events as strictly as the SDKs that build a response from them. */
final class ResponsesView extends ClientView {
    private final List<JsonNode> items = new ArrayList<>();
    private final Set<String> ids = new HashSet<>();
    private final StringBuilder part = new StringBuilder();
    private String responseId;
    private long sequenceNumber;
    private JsonNode open;
    private int contentIndex;
    private boolean partOpen;
    private int annotations;

    @Override
    String finishOf(StopReason reason) {
        if (reason == null) {
            return "completed";
        }
        return switch (reason) {
            case END, STOP_SEQUENCE, TOOL_CALLS, OTHER -> "completed";
            case LENGTH, CONTEXT_FULL -> "max_output_tokens";
            case CONTENT_FILTER, REFUSAL -> "content_filter";
            case PAUSE -> "pause_turn";
            case STOPPED -> "stopped";
        };
    }

    @Override
    void done() {
        throw new AssertionError("Responses has no [DONE]");
    }

    @Override
    void read(String type, JsonNode json) {
        assertThat(json.get("type").asText()).isEqualTo(type);
        assertThat(json.get("sequence_number").asLong()).isEqualTo(sequenceNumber++);
        switch (type) {
            case "response.created" -> {
                assertThat(sequenceNumber).isEqualTo(1);
                responseId = json.at("/response/id").asText();
                assertThat(responseId).matches("resp_.+");
                assertIsResponse(json.get("response"), "in_progress");
            }
            case "response.in_progress" -> {
                assertThat(sequenceNumber).isEqualTo(2);
                assertIsResponse(json.get("response"), "in_progress");
            }
            case "response.output_item.added" -> readAdded(json);
            case "response.output_item.done" -> readDone(json);
            case "response.completed", "response.incomplete" -> readEnd(type, json.get("response"));
            case "error" -> {
                error = json.get("message").asText();
                assertThat(json.at("/error/message").asText()).isEqualTo(error);
                ended = true;
            }
            default -> {
                assertThat(json.get("item_id").asText())
                        .isEqualTo(open.get("id").asText());
                assertThat(json.get("output_index").asInt()).isEqualTo(items.size());
                readInner(type, json);
            }
        }
    }

    private void assertIsResponse(JsonNode response, String status) {
        assertThat(response.get("id").asText()).isEqualTo(responseId);
        assertThat(response.get("object").asText()).isEqualTo("response");
        assertThat(response.get("status").asText()).isEqualTo(status);
        assertThat(response.get("created_at").asLong()).isPositive();
        assertThat(response.get("model").asText()).isNotEmpty();
        for (String key : List.of("tools", "tool_choice", "parallel_tool_calls", "metadata", "text", "error")) {
            assertThat(response.has(key)).as(key).isTrue();
        }
    }

    private void readAdded(JsonNode json) {
        assertThat(open).isNull();
        assertThat(json.get("output_index").asInt()).isEqualTo(items.size());
        open = json.get("item");
        assertThat(ids.add(open.get("id").asText())).isTrue();
        contentIndex = 0;
        if (open.get("type").asText().equals("function_call")) {
            assertThat(open.get("arguments").asText()).isEmpty();
            calls.add(new Call(open.get("call_id").asText(), open.get("name").asText()));
        }
    }

    private void readInner(String type, JsonNode json) {
        switch (type) {
            case "response.content_part.added", "response.reasoning_summary_part.added" -> {
                assertThat(partOpen).isFalse();
                assertThat(indexOfPart(json)).isEqualTo(contentIndex);
                assertThat(textOfPart(json.get("part"))).isEmpty();
                part.setLength(0);
                annotations = 0;
                partOpen = true;
            }
            case "response.web_search_call.in_progress",
                    "response.web_search_call.searching",
                    "response.web_search_call.completed",
                    "response.code_interpreter_call.in_progress",
                    "response.code_interpreter_call.interpreting",
                    "response.code_interpreter_call.completed",
                    "response.code_interpreter_call_code.delta",
                    "response.code_interpreter_call_code.done" ->
                assertThat(type).startsWith("response." + open.get("type").asText());
            case "response.output_text.annotation.added" -> {
                assertThat(partOpen).isTrue();
                assertThat(json.get("annotation_index").asInt()).isEqualTo(annotations++);
                assertThat(json.get("annotation").get("end_index").asInt())
                        .isLessThanOrEqualTo(part.codePointCount(0, part.length()));
                cite(json.get("annotation"), "url");
            }
            case "response.output_text.delta" -> add(text, json);
            case "response.refusal.delta" -> add(refusal, json);
            case "response.reasoning_summary_text.delta" -> add(reasoning, json);
            case "response.function_call_arguments.delta" ->
                calls.get(calls.size() - 1).arguments.append(json.get("delta").asText());
            case "response.output_text.done", "response.reasoning_summary_text.done" ->
                assertThat(json.get("text").asText()).isEqualTo(part.toString());
            case "response.refusal.done" ->
                assertThat(json.get("refusal").asText()).isEqualTo(part.toString());
            case "response.content_part.done", "response.reasoning_summary_part.done" -> {
                assertThat(partOpen).isTrue();
                assertThat(textOfPart(json.get("part"))).isEqualTo(part.toString());
                assertThat(json.get("part").path("annotations")).hasSize(annotations);
                partOpen = false;
                contentIndex++;
            }
            case "response.function_call_arguments.done" ->
                assertThat(json.get("arguments").asText())
                        .isEqualTo(calls.get(calls.size() - 1).arguments.toString());
            default -> throw new AssertionError(type);
        }
    }

    private void add(StringBuilder to, JsonNode json) {
        assertThat(partOpen).isTrue();
        assertThat(indexOfPart(json)).isEqualTo(contentIndex);
        to.append(json.get("delta").asText());
        part.append(json.get("delta").asText());
    }

    private static int indexOfPart(JsonNode json) {
        return json.has("summary_index")
                ? json.get("summary_index").asInt()
                : json.get("content_index").asInt();
    }

    private static String textOfPart(JsonNode part) {
        return part.has("refusal")
                ? part.get("refusal").asText()
                : part.get("text").asText();
    }

    private void readDone(JsonNode json) {
        JsonNode item = json.get("item");
        assertThat(partOpen).isFalse();
        assertThat(item.get("id")).isEqualTo(open.get("id"));
        assertThat(item.get("type")).isEqualTo(open.get("type"));
        assertThat(item.path(open.has("content") ? "content" : "summary")).hasSize(contentIndex);
        items.add(item);
        if (!item.has("call_id") && !item.has("content") && !item.has("summary") && !item.has("result")) {
            use(item);
        }
        open = null;
    }

    private void readEnd(String type, JsonNode response) {
        assertThat(open).isNull();
        String status = type.substring("response.".length());
        assertIsResponse(response, status);
        assertThat(response.get("output")).containsExactlyElementsOf(items);
        String reason = response.at("/incomplete_details/reason").asText("");
        assertThat(reason.isEmpty()).isEqualTo(status.equals("completed"));
        finish = reason.isEmpty() ? status : reason;
        JsonNode usage = response.get("usage");
        if (usage.isObject()) {
            input = usage.get("input_tokens").asLong();
            cached = usage.at("/input_tokens_details/cached_tokens").asLong(-1);
            output = usage.get("output_tokens").asLong();
            assertThat(usage.get("total_tokens").asLong()).isEqualTo(input + output);
        }
        ended = true;
    }
}
