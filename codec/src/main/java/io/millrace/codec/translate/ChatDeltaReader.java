package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.HashMap;
import java.util.Map;

/** Reads Chat Completions chunks and answers, of OpenAI and its many compatibles. */
final class ChatDeltaReader extends FrameReader {
    /** The upstream's index of a call, and the call that has it now. */
    private final Map<Integer, Call> calls = new HashMap<>();

    private int callCount;
    private String reasoningField;
    private boolean stopped;

    /** A call: ours counts from 0, and it begins once its name is known. */
    private static final class Call {
        private int index = -1;
        private String id = "";
        private String arguments = "";
    }

    @Override
    void read(ObjectNode json, DeltaSink out) {
        if (has(json, "error")) {
            out.error(UpstreamErrors.of(json));
            return;
        }
        for (JsonNode choice : json.path("choices")) {
            if (choice.path("index").asInt(0) == 0) {
                readHead(json, out);
                JsonNode text = choice.path("text");
                out.text(text.isTextual() ? text.textValue() : "");
                readMessage(choice.path("delta"), out);
                readFinish(choice, out);
            }
        }
        readUsage(json, out);
    }

    @Override
    void done(DeltaSink out) {
        out.end();
    }

    @Override
    public void finish(DeltaSink out) {
        if (stopped) {
            out.end();
        }
    }

    @Override
    void readAnswer(ObjectNode json, DeltaSink out) {
        JsonNode choice = json.path("choices").path(0);
        if (has(json, "error")) {
            out.error(UpstreamErrors.of(json));
        } else if (!choice.isObject()) {
            out.error(AnswerGrammar.garbled("it has no choices"));
        } else {
            readHead(json, out);
            readMessage(choice.path("message"), out);
            readFinish(choice, out);
            readUsage(json, out);
            out.end();
        }
    }

    private static void readHead(ObjectNode json, DeltaSink out) {
        long created = Json.count(json, "created");
        out.start(emptyToNull(Json.text(json, "id")), emptyToNull(Json.text(json, "model")), created);
    }

    private static String emptyToNull(String text) {
        return text.isEmpty() ? null : text;
    }

    // {"role": "assistant", "content": "..", "reasoning_content": "..", "refusal": "..", "tool_calls": [..]}
    private void readMessage(JsonNode message, DeltaSink out) {
        for (String field : ChatShapes.REASONING_FIELDS) {
            if (message.path(field).isTextual()
                    && !message.path(field).textValue().isEmpty()) {
                readReasoning(field, message.path(field).textValue(), out);
                break;
            }
        }
        readContent(message.path("content"), out);
        String refusal = Json.text(message, "refusal");
        if (!refusal.isEmpty()) {
            endReasoning(out);
            out.refusal(refusal);
        }
        int position = 0;
        for (JsonNode call : message.path("tool_calls")) {
            endReasoning(out);
            readCall(call, position++, out);
        }
    }

    private void readReasoning(String field, String text, DeltaSink out) {
        reasoningField = field;
        out.reasoning(text);
    }

    private void endReasoning(DeltaSink out) {
        if (reasoningField != null) {
            out.reasoningEnd(new Seal(Dialect.CHAT, reasoningField, ""));
            reasoningField = null;
        }
    }

    /** A string, or as Mistral has it {@code [{"type": "thinking", "thinking": [{"text": ".."}]}, {"text": ".."}]}. */
    private void readContent(JsonNode content, DeltaSink out) {
        if (content.isTextual() && !content.textValue().isEmpty()) {
            endReasoning(out);
            out.text(content.textValue());
        }
        if (content.isArray()) {
            for (JsonNode part : content) {
                JsonNode thinking = part.path("thinking");
                thinking.forEach(piece -> out.reasoning(Json.text(piece, "text")));
                out.reasoning(thinking.asText(""));
                out.text(Json.text(part, "text"));
            }
        }
    }

    /** Some servers begin at 1, give no index, or give each whole call the index 0 and an id of its own. */
    private void readCall(JsonNode fragment, int position, DeltaSink out) {
        String id = Json.text(fragment, "id");
        int upstreamIndex = fragment.path("index").asInt(position);
        Call call = calls.get(upstreamIndex);
        if (call == null || (!id.isEmpty() && !call.id.isEmpty() && !call.id.equals(id))) {
            call = new Call();
            calls.put(upstreamIndex, call);
        }
        if (call.id.isEmpty()) {
            call.id = id;
        }
        JsonNode function = fragment.path("function");
        String name = Json.text(function, "name");
        JsonNode arguments = function.path("arguments");
        String more = arguments.isObject() ? arguments.toString() : arguments.asText("");
        if (call.index < 0 && name.isEmpty()) {
            call.arguments += more;
            return;
        }
        if (call.index < 0) {
            call.index = callCount++;
            call.id = call.id.isEmpty() ? CallIds.fresh() : call.id;
            out.toolCall(call.index, call.id, name, null);
            out.arguments(call.index, call.arguments);
        }
        out.arguments(call.index, more);
    }

    private void readFinish(JsonNode choice, DeltaSink out) {
        String reason = choice.path("finish_reason").asText("");
        if (reason.isEmpty() || !choice.path("finish_reason").isTextual()) {
            return;
        }
        endReasoning(out);
        if (reason.equals("error") || reason.equals("abort") || reason.equals("insufficient_system_resource")) {
            out.error(new ModelError(502, reason, "the upstream ended its answer: " + reason));
            return;
        }
        stopped = true;
        out.stop(
                switch (reason) {
                    case "stop" -> StopReason.END;
                    case "length" -> StopReason.LENGTH;
                    case "model_length" -> StopReason.CONTEXT_FULL;
                    case "tool_calls", "function_call" -> StopReason.TOOL_CALLS;
                    case "content_filter" -> StopReason.CONTENT_FILTER;
                    default -> StopReason.OTHER;
                },
                null);
    }

    private static void readUsage(ObjectNode json, DeltaSink out) {
        JsonNode usage = json.path("usage");
        JsonNode told = usage.isObject() ? usage : json.path("x_groq").path("usage");
        if (!told.isObject()) {
            return;
        }
        long input = Json.count(told, "prompt_tokens");
        long answer = Json.count(told, "completion_tokens");
        long reasoning = Json.count(told.path("completion_tokens_details"), "reasoning_tokens");
        long cached = Json.count(told.path("prompt_tokens_details"), "cached_tokens");
        long hit = Json.count(told, "prompt_cache_hit_tokens");
        // xAI leaves reasoning out of the answer's tokens, which shows in the total only.
        boolean apart = reasoning > 0 && input >= 0 && Json.count(told, "total_tokens") == input + answer + reasoning;
        out.usage(
                new TokenCounts(input, cached < 0 ? hit : cached, -1, apart ? answer + reasoning : answer, reasoning));
    }
}
