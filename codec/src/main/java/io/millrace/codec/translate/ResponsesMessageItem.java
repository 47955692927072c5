package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.List;

/** Writes a message: parts of text and of refusal, one open at a time. */
final class ResponsesMessageItem extends ResponsesItem {
    private final List<ContentPart> content = new ArrayList<>();

    private boolean open;

    ResponsesMessageItem(ResponsesWriter out, String id, int outputIndex) {
        super(out, id, outputIndex);
        added();
    }

    /** A content part, and its text so far. */
    private record ContentPart(boolean refusal, StringBuilder text, int start, List<Part.Citation> citations) {
        void put(JsonText json) {
            json.put("type", refusal ? "refusal" : "output_text").put(refusal ? "refusal" : "text", text.toString());
            if (!refusal) {
                json.array("annotations");
                for (Part.Citation citation : citations) {
                    json.object();
                    putCitation(json, citation);
                    json.endObject();
                }
                json.endArray().array("logprobs").endArray();
            }
        }

        void putCitation(JsonText json, Part.Citation citation) {
            int from = Math.max(0, citation.start() - start);
            json.put("type", "url_citation")
                    .put("start_index", from)
                    .put("end_index", Math.max(from, citation.end() - start))
                    .put("title", citation.title())
                    .put("url", citation.url());
        }
    }

    /** Adds text. {@code start} code points of the answer's text come before it. */
    void text(String chunk, int start) {
        openPart(false, start).append(chunk);
        part("response.output_text.delta").put("delta", chunk).array("logprobs").endArray();
        out.send();
    }

    /** Adds a source of earlier text. */
    void citation(Part.Citation citation) {
        if (open && !last().refusal()) {
            JsonText json = part("response.output_text.annotation.added")
                    .put("annotation_index", last().citations().size())
                    .object("annotation");
            last().putCitation(json, citation);
            json.endObject();
            last().citations().add(citation);
            out.send();
        }
    }

    void refusal(String chunk) {
        openPart(true, 0).append(chunk);
        part("response.refusal.delta").put("delta", chunk);
        out.send();
    }

    @Override
    void close(boolean complete) {
        closePart();
        status = complete ? "completed" : "incomplete";
        done();
    }

    @Override
    void put(JsonText json) {
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

    private StringBuilder openPart(boolean refusal, int start) {
        if (!open || last().refusal() != refusal) {
            closePart();
            open = true;
            content.add(new ContentPart(refusal, new StringBuilder(), start, new ArrayList<>()));
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
        return event(type).put("content_index", content.size() - 1);
    }
}
