package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;

/** A client of Gemini: chunks of a stream and whole answers have one shape. */
final class GeminiAnswer extends ClientAnswer {
    @Override
    void onEvent(String name, String data) {
        onWhole(json(data));
    }

    @Override
    void onStreamEnd() {
        if (!ended && error == null) {
            faults.add("no finishReason");
        }
    }

    @Override
    void onWhole(JsonNode chunk) {
        if (isTold(chunk.path("error"))) {
            error = Json.text(chunk.get("error"));
            return;
        }
        for (JsonNode candidate : chunk.path("candidates")) {
            candidate.path("content").path("parts").forEach(this::readPart);
            if (isTold(candidate.path("finishReason"))) {
                stop = candidate.get("finishReason").asText();
            }
        }
        ended = stop != null;
        JsonNode told = chunk.path("usageMetadata");
        if (told.isObject()) {
            usage("input", told.path("promptTokenCount"));
            usage.put(
                    "output",
                    told.path("candidatesTokenCount").asLong(0)
                            + told.path("thoughtsTokenCount").asLong(0));
            usage("cached", told.path("cachedContentTokenCount"));
            usage("reasoning", told.path("thoughtsTokenCount"));
        }
    }

    private void readPart(JsonNode part) {
        JsonNode call = part.path("functionCall");
        if (call.isObject()) {
            calls.add(new Call(call.path("id").asText(""), call.path("name").asText(), Json.text(call.path("args"))));
        } else {
            (part.path("thought").asBoolean() ? reasoning : text)
                    .append(part.path("text").asText(""));
        }
    }

    @Override
    JsonNode next(JsonNode before, JsonNode result) {
        throw new UnsupportedOperationException("no case goes on in Gemini");
    }
}
