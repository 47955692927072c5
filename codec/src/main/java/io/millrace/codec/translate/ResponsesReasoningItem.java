package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import org.jspecify.annotations.Nullable;

/** Writes a reasoning item. Its text is a part of the summary, because SDKs show the summary. */
final class ResponsesReasoningItem extends ResponsesItem {
    private final StringBuilder text = new StringBuilder();

    private @Nullable String encrypted;

    ResponsesReasoningItem(ResponsesWriter out, String id, int outputIndex) {
        super(out, id, outputIndex);
        added();
    }

    void text(String chunk) {
        if (text.isEmpty()) {
            summaryEvent("response.reasoning_summary_part.added");
        }
        text.append(chunk);
        summary("response.reasoning_summary_text.delta").put("delta", chunk);
        out.send();
    }

    /** Sets the seal, which a client sends back with the reasoning. */
    void seal(Seal seal) {
        encrypted = seal.origin() == Dialect.RESPONSES ? seal.value() : seal.encode();
    }

    @Override
    void close(boolean complete) {
        if (!text.isEmpty()) {
            summary("response.reasoning_summary_text.done").put("text", text.toString());
            out.send();
            summaryEvent("response.reasoning_summary_part.done");
        }
        done();
    }

    @Override
    void put(JsonText json) {
        json.put("id", id).put("type", "reasoning").array("summary");
        if (!text.isEmpty()) {
            json.object()
                    .put("type", "summary_text")
                    .put("text", text.toString())
                    .endObject();
        }
        json.endArray();
        json.putKnown("encrypted_content", encrypted);
    }

    private void summaryEvent(String type) {
        summary(type)
                .object("part")
                .put("type", "summary_text")
                .put("text", text.toString())
                .endObject();
        out.send();
    }

    private JsonText summary(String type) {
        return event(type).put("summary_index", 0);
    }
}
