package io.millrace.codec.translate;

import java.util.List;

/** Writes the use of a provider's tool, which is already complete. */
final class ResponsesHostedItem extends ResponsesItem {
    private final Part.HostedUse use;
    private final boolean code;

    ResponsesHostedItem(ResponsesWriter out, String id, int outputIndex, Part.HostedUse use) {
        super(out, id, outputIndex);
        this.use = use;
        code = use.kind() == HostedKind.CODE;
    }

    @Override
    void close(boolean complete) {
        added();
        state("in_progress");
        if (code) {
            begin("response.code_interpreter_call_code.delta").put("delta", use.input());
            out.send();
            begin("response.code_interpreter_call_code.done").put("code", use.input());
            out.send();
        }
        state(code ? "interpreting" : "searching");
        state("completed");
        status = use.failed() ? "failed" : "completed";
        done();
    }

    @Override
    void put(JsonText json) {
        boolean done = !status.equals("in_progress");
        json.put("id", id).put("type", code ? "code_interpreter_call" : "web_search_call");
        json.put("status", status);
        if (code) {
            json.put("code", done ? use.input() : "").put("container_id", "");
            putOutputs(json, done);
        } else {
            putAction(json.object("action"), done);
            json.endObject();
        }
    }

    private void putOutputs(JsonText json, boolean done) {
        json.array("outputs");
        if (done && !use.output().isEmpty()) {
            json.object().put("type", "logs").put("logs", use.output()).endObject();
        }
        json.endArray();
    }

    private void putAction(JsonText json, boolean done) {
        if (use.kind() == HostedKind.WEB_FETCH) {
            json.put("type", "open_page").put("url", use.input());
            return;
        }
        json.put("type", "search").put("query", use.input()).array("queries").element(use.input());
        json.endArray().array("sources");
        for (Part.Source source : done ? use.sources() : List.<Part.Source>of()) {
            json.object().put("type", "url").put("url", source.url()).endObject();
        }
        json.endArray();
    }

    private void state(String state) {
        begin("response." + (code ? "code_interpreter_call." : "web_search_call.") + state);
        out.send();
    }

    private JsonText begin(String type) {
        return out.begin(type).put("output_index", outputIndex).put("item_id", id);
    }
}
