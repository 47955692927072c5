package io.millrace.server.cases;

import com.fasterxml.jackson.databind.JsonNode;

/** A client of {@code /chat}: a text, or events of text. */
final class PlainAnswer extends ClientAnswer {
    @Override
    boolean isBareText() {
        return status == 200 && !body.startsWith("{");
    }

    @Override
    void onEvent(String name, String data) {
        switch (name) {
            case "error" -> error = data;
            case "stop" -> {
                stop = json(data).path("reason").textValue();
                ended = true;
            }
            case "usage" -> readUsage(json(data));
            case "delta" -> text.append(json(data).path("text").asText());
            default -> {
                if (data.equals("[DONE]")) {
                    ended = true;
                } else {
                    text.append(data);
                }
            }
        }
    }

    @Override
    void onStreamEnd() {
        if (!ended && error == null) {
            faults.add("neither an end nor an error");
        }
    }

    @Override
    void onWhole(JsonNode json) {
        text.append(json.path("text").asText(""));
        stop = json.path("reason").textValue();
        readUsage(json.path("usage"));
    }

    private void readUsage(JsonNode told) {
        usage("input", told.path("input_tokens"));
        usage("output", told.path("output_tokens"));
        usage("cached", told.path("cached_input_tokens"));
        usage("reasoning", told.path("reasoning_tokens"));
    }

    @Override
    JsonNode next(JsonNode before, JsonNode result) {
        throw new UnsupportedOperationException("no case goes on in /chat");
    }
}
