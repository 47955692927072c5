package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.codec.dialect.Dialect;
import java.io.IOException;
import java.io.UncheckedIOException;

/** A whole answer as a client sees it. */
final class BodyView {
    private BodyView() {}

    static ClientView of(Dialect dialect, byte[] body) {
        ClientView view = ClientView.of(dialect, "");
        try {
            JsonNode json = ClientView.JSON.readTree(body);
            switch (dialect) {
                case CHAT -> readChat(json, view);
                case RESPONSES -> readResponse(json, view);
                case MESSAGES -> readMessage(json, view);
                case GEMINI -> view.read("", json);
                case UNKNOWN -> throw new IllegalArgumentException("no view of " + dialect);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return view;
    }

    private static void readChat(JsonNode json, ClientView view) {
        JsonNode choice = json.at("/choices/0");
        JsonNode message = choice.get("message");
        view.text.append(message.path("content").asText(""));
        view.refusal.append(
                message.path("refusal").isNull() ? "" : message.path("refusal").asText());
        view.reasoning.append(message.path("reasoning_content").asText(""));
        message.path("annotations").forEach(annotation -> view.cite(annotation.get("url_citation"), "url"));
        for (JsonNode call : message.path("tool_calls")) {
            addCall(
                    view,
                    call.get("id"),
                    call.at("/function/name"),
                    call.at("/function/arguments").textValue());
        }
        view.finish = choice.get("finish_reason").textValue();
        JsonNode usage = json.path("usage");
        if (usage.isObject()) {
            view.input = usage.get("prompt_tokens").asLong();
            view.cached = usage.at("/prompt_tokens_details/cached_tokens").asLong(-1);
            view.output = usage.get("completion_tokens").asLong();
        }
    }

    private static void readResponse(JsonNode json, ClientView view) {
        for (JsonNode item : json.get("output")) {
            switch (item.get("type").textValue()) {
                case "message" -> {
                    for (JsonNode part : item.get("content")) {
                        view.text.append(part.path("text").asText(""));
                        part.path("annotations").forEach(annotation -> view.cite(annotation, "url"));
                        view.refusal.append(part.path("refusal").asText(""));
                    }
                }
                case "reasoning" ->
                    item.get("summary")
                            .forEach(part ->
                                    view.reasoning.append(part.get("text").textValue()));
                case "web_search_call", "code_interpreter_call" -> view.use(item);
                default ->
                    addCall(
                            view,
                            item.get("call_id"),
                            item.get("name"),
                            item.get("arguments").textValue());
            }
        }
        JsonNode reason = json.at("/incomplete_details/reason");
        view.finish =
                reason.isTextual() ? reason.textValue() : json.get("status").textValue();
        JsonNode usage = json.get("usage");
        if (usage.isObject()) {
            view.input = usage.get("input_tokens").asLong();
            view.cached = usage.at("/input_tokens_details/cached_tokens").asLong(-1);
            view.output = usage.get("output_tokens").asLong();
        }
    }

    private static void readMessage(JsonNode json, ClientView view) {
        JsonNode asked = null;
        for (JsonNode block : json.get("content")) {
            String type = block.get("type").textValue();
            block.path("citations")
                    .forEach(citation -> view.citations.add(citation.get("url").textValue()));
            if (type.endsWith("_tool_result")) {
                view.use(asked, block);
            }
            asked = block;
            view.text.append(block.path("text").asText(""));
            view.reasoning.append(block.path("thinking").asText(""));
            if (type.equals("tool_use")) {
                addCall(
                        view,
                        block.get("id"),
                        block.get("name"),
                        block.get("input").toString());
            }
        }
        view.finish = json.get("stop_reason").textValue();
        JsonNode usage = json.get("usage");
        view.cached = usage.path("cache_read_input_tokens").asLong(-1);
        view.input = usage.path("input_tokens").asLong()
                + Math.max(0, view.cached)
                + usage.path("cache_creation_input_tokens").asLong();
        view.output = usage.path("output_tokens").asLong();
    }

    private static void addCall(ClientView view, JsonNode id, JsonNode name, String arguments) {
        ClientView.Call call = new ClientView.Call(id.textValue(), name.textValue());
        call.arguments.append(arguments);
        view.calls.add(call);
    }
}
