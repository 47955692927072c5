package io.millrace.codec.translate;

/** Writes a function call. */
final class ResponsesCallItem implements ResponsesCall {
    private final ResponsesWriter out;
    private final String id;
    private final int outputIndex;
    private final String callId;
    private final CallForm form;
    private final StringBuilder arguments = new StringBuilder();

    private String status = "in_progress";

    ResponsesCallItem(ResponsesWriter out, String id, int outputIndex, String callId, CallForm form) {
        this.out = out;
        this.id = id;
        this.outputIndex = outputIndex;
        this.callId = callId;
        this.form = form;
        out.itemEvent("response.output_item.added", outputIndex, this);
    }

    @Override
    public void arguments(String chunk) {
        arguments.append(chunk);
        event("response.function_call_arguments.delta").put("delta", chunk);
        out.send();
    }

    @Override
    public void close(boolean complete) {
        event("response.function_call_arguments.done").put("name", form.name()).put("arguments", arguments.toString());
        out.send();
        status = complete && isWhole() ? "completed" : "incomplete";
        out.itemEvent("response.output_item.done", outputIndex, this);
    }

    @Override
    public void put(JsonText json) {
        json.put("id", id)
                .put("type", "function_call")
                .put("status", status)
                .put("arguments", arguments.toString())
                .put("call_id", callId)
                .put("name", form.name());
        if (form.namespace() != null) {
            json.put("namespace", form.namespace());
        }
    }

    private JsonText event(String type) {
        return out.begin(type).put("item_id", id).put("output_index", outputIndex);
    }

    private boolean isWhole() {
        return arguments.isEmpty() || Json.parseObject(arguments.toString()) != null;
    }
}
