package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.List;

/** Writes a message: parts of text and of refusal, one open at a time. */
final class ResponsesMessageItem implements ResponsesItem {
    private final ResponsesWriter out;
    private final String id;
    private final int outputIndex;
    private final List<ContentPart> content = new ArrayList<>();

    private String status = "in_progress";
    private boolean open;

    ResponsesMessageItem(ResponsesWriter out, String id, int outputIndex) {
        this.out = out;
        this.id = id;
        this.outputIndex = outputIndex;
        out.itemEvent("response.output_item.added", outputIndex, this);
    }

    /** A content part, and its text so far. */
    private record ContentPart(boolean refusal, StringBuilder text) {
        void put(JsonText json) {
            json.put("type", refusal ? "refusal" : "output_text").put(refusal ? "refusal" : "text", text.toString());
            if (!refusal) {
                json.array("annotations").endArray().array("logprobs").endArray();
            }
        }
    }

    void text(String chunk) {
        openPart(false).append(chunk);
        part("response.output_text.delta").put("delta", chunk).array("logprobs").endArray();
        out.send();
    }

    void refusal(String chunk) {
        openPart(true).append(chunk);
        part("response.refusal.delta").put("delta", chunk);
        out.send();
    }

    @Override
    public void close(boolean complete) {
        closePart();
        status = complete ? "completed" : "incomplete";
        out.itemEvent("response.output_item.done", outputIndex, this);
    }

    @Override
    public void put(JsonText json) {
        json.put("id", id)
                .put("type", "message")
                .put("status", status)
                .put("role", "assistant")
                .array("content");
        for (ContentPart part : content.subList(0, open ? content.size() - 1 : content.size())) {
            json.object();
            part.put(json);
            json.endObject();
        }
        json.endArray();
    }

    private ContentPart last() {
        return content.get(content.size() - 1);
    }

    private StringBuilder openPart(boolean refusal) {
        if (!open || last().refusal() != refusal) {
            closePart();
            open = true;
            content.add(new ContentPart(refusal, new StringBuilder()));
            partEvent("response.content_part.added");
        }
        return last().text();
    }

    private void closePart() {
        if (!open) {
            return;
        }
        String text = last().text().toString();
        if (last().refusal()) {
            part("response.refusal.done").put("refusal", text);
        } else {
            part("response.output_text.done")
                    .put("text", text)
                    .array("logprobs")
                    .endArray();
        }
        out.send();
        partEvent("response.content_part.done");
        open = false;
    }

    private void partEvent(String type) {
        JsonText json = part(type).object("part");
        last().put(json);
        json.endObject();
        out.send();
    }

    private JsonText part(String type) {
        return out.begin(type)
                .put("item_id", id)
                .put("output_index", outputIndex)
                .put("content_index", content.size() - 1);
    }
}
