package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.server.test.RawClient;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The answer that a client gets through a dialect's SDK, and its faults. It uses none of the tested code. */
abstract class ClientAnswer {
    /** A call of a tool; the arguments as they came. */
    record Call(String id, String name, String arguments) {
        /** The arguments as JSON, or null where they are none. */
        JsonNode parsed() {
            return Json.readOrNull(arguments);
        }
    }

    final StringBuilder text = new StringBuilder();
    final StringBuilder reasoning = new StringBuilder();
    final List<Call> calls = new ArrayList<>();
    final Map<String, Long> usage = new LinkedHashMap<>();
    final List<String> faults = new ArrayList<>();
    int status;
    boolean isStream;
    String body;
    String stop;
    String error;
    boolean ended;

    /** Reads an answer to a client of {@code dialect}. */
    static ClientAnswer of(String dialect, RawClient.Response response) {
        ClientAnswer answer = in(dialect);
        answer.read(response);
        return answer;
    }

    /** Reads what an SDK handed on: a whole answer or the chunks of one; less where it threw {@code error}. */
    static ClientAnswer ofSdk(String dialect, List<JsonNode> parts, String error) {
        ClientAnswer answer = in(dialect);
        answer.error = error;
        answer.body = parts.toString();
        boolean cut = !parts.isEmpty() && parts.get(0).path("object").asText().equals("chat.completion.chunk");
        for (JsonNode part : parts) {
            if (cut) {
                answer.onEvent("message", part.toString());
            } else {
                answer.onWhole(part);
            }
        }
        if (cut) {
            answer.onStreamEnd();
        }
        // Of the end, an SDK shows only that it does not throw; Gemini's has a sign of its own.
        answer.ended |= !dialect.equals("gemini") && error == null && !parts.isEmpty();
        return answer;
    }

    private static ClientAnswer in(String dialect) {
        return switch (dialect) {
            case "chat" -> new ChatAnswer();
            case "messages" -> new MessagesAnswer();
            case "responses" -> new ResponsesAnswer();
            case "gemini" -> new GeminiAnswer();
            case "plain" -> new PlainAnswer();
            default -> throw new IllegalArgumentException("dialect: " + dialect);
        };
    }

    /** One event of a stream. */
    abstract void onEvent(String name, String data);

    /** The stream is over. */
    abstract void onStreamEnd();

    /** An answer in one piece that is no error. */
    abstract void onWhole(JsonNode json);

    /** The next request of the conversation: this answer added to {@code before}, with {@code result} for each call. */
    abstract JsonNode next(JsonNode before, JsonNode result);

    String text() {
        return wellFormed(text);
    }

    String reasoning() {
        return wellFormed(reasoning);
    }

    /** The calls, their arguments as strings of UTF-16 hold them. */
    List<Call> calls() {
        return calls.stream()
                .map(call -> new Call(call.id(), call.name(), wellFormed(call.arguments())))
                .toList();
    }

    private void read(RawClient.Response response) {
        status = response.status();
        body = response.text();
        String type = response.header("content-type");
        isStream = type != null && type.startsWith("text/event-stream");
        boolean clean = response.end() == RawClient.End.COMPLETE || response.end() == RawClient.End.CLOSED;
        if (!clean) {
            faults.add("the body broke off");
        }
        if (isStream) {
            EventLines.read(body, this::onEvent);
            onStreamEnd();
        } else {
            readWhole();
        }
    }

    private void readWhole() {
        if (isBareText()) {
            text.append(body);
            ended = true;
            return;
        }
        JsonNode json = Json.readOrNull(body);
        if (json == null) {
            error = body.isEmpty() ? "status " + status : body;
            return;
        }
        if (json.isArray()) {
            json = json.path(0);
        }
        if (status >= 400
                || isTold(json.path("error"))
                || json.path("type").asText().equals("error")) {
            error = isTold(json.path("error")) ? Json.text(json.get("error")) : body;
            return;
        }
        ended = true;
        onWhole(json);
    }

    /** Whether a body that is no JSON is the answer itself. */
    boolean isBareText() {
        return false;
    }

    /** The event's data as JSON; a fault and an empty object where it is none. */
    final JsonNode json(String data) {
        JsonNode json = Json.readOrNull(data);
        if (json == null || !json.isObject()) {
            faults.add("an event is not JSON: " + data);
            return Json.MAPPER.createObjectNode();
        }
        return json;
    }

    final void usage(String name, JsonNode count) {
        if (count.isNumber()) {
            usage.put(name, count.asLong());
        }
    }

    /** A value that SDKs take for one: neither missing, null, false, zero nor empty. */
    static boolean isTold(JsonNode json) {
        if (json.isContainerNode()) {
            return !json.isEmpty();
        }
        return json.isTextual() ? !json.asText().isEmpty() : json.asBoolean();
    }

    static ObjectNode copy(JsonNode json) {
        return ((ObjectNode) json).deepCopy();
    }

    /** Halves of characters that found no other half are replaced, as when a string is encoded. */
    private static String wellFormed(CharSequence text) {
        return new String(text.toString().getBytes(StandardCharsets.UTF_16LE), StandardCharsets.UTF_16LE);
    }
}
