package io.millrace.codec.translate;

/** Writes a whole answer of Gemini. */
final class GeminiAnswerWriter extends Answer {
    private final ModelRequest request;

    GeminiAnswerWriter(ModelRequest request) {
        this.request = request;
    }

    @Override
    public byte[] body() {
        JsonText json = new JsonText().object();
        json.array("candidates").object().object("content").array("parts");
        String garbledCall = null;
        Grounding grounding = new Grounding();
        for (Part part : parts()) {
            if (part instanceof Part.Text text) {
                GeminiShapes.putText(json, text.text());
            } else if (part instanceof Part.Media media) {
                GeminiShapes.putMedia(json, media);
            } else if (part instanceof Part.HostedUse use) {
                if (!grounding.add(use)) {
                    GeminiShapes.putCode(json, use);
                }
            } else if (part instanceof Part.Reasoning reasoning) {
                putReasoning(json, reasoning);
            } else if (part instanceof Part.ToolCall call && !GeminiShapes.putCall(json, named(call))) {
                garbledCall = call.name();
            }
        }
        if (!refusal().isEmpty()) {
            GeminiShapes.putText(json, refusal());
        }
        json.endArray().put("role", "model").endObject();
        GeminiShapes.putFinish(json, stopReason(), garbledCall);
        json.put("index", 0);
        citations().forEach(grounding::add);
        grounding.put(json, allText());
        json.endObject().endArray();
        GeminiShapes.putUsage(json, usage());
        json.put("modelVersion", model() == null ? request.model() : model());
        json.putKnown("responseId", id());
        return json.endObject().bytes();
    }

    private Part.ToolCall named(Part.ToolCall call) {
        String name = request.form(call.name()).name();
        return new Part.ToolCall(call.id(), name, call.arguments(), call.seal());
    }

    private static void putReasoning(JsonText json, Part.Reasoning reasoning) {
        if (!reasoning.text().isEmpty()) {
            GeminiShapes.putThought(json, reasoning.text());
        }
        if (reasoning.seal() != null) {
            GeminiShapes.putSeal(json, reasoning.seal());
        }
    }
}
