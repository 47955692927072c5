package io.millrace.codec.translate;

/** Writes the call of a custom tool: its text as it comes. */
final class ResponsesCustomItem implements ResponsesCall {
    private final ResponsesWriter out;
    private final String id;
    private final int outputIndex;
    private final String callId;
    private final CallForm form;
    private final CustomInput input = new CustomInput();

    private String status = "in_progress";

    ResponsesCustomItem(ResponsesWriter out, String id, int outputIndex, String callId, CallForm form) {
        this.out = out;
        this.id = id;
        this.outputIndex = outputIndex;
        this.callId = callId;
        this.form = form;
        out.itemEvent("response.output_item.added", outputIndex, this);
    }

    @Override
    public void arguments(String chunk) {
        delta(input.add(chunk));
    }

    @Override
    public void close(boolean complete) {
        delta(input.end());
        event("response.custom_tool_call_input.done").put("input", input.text());
        out.send();
        status = complete && input.isWhole() ? "completed" : "incomplete";
        out.itemEvent("response.output_item.done", outputIndex, this);
    }

    @Override
    public void put(JsonText json) {
        json.put("id", id)
                .put("type", "custom_tool_call")
                .put("status", status)
                .put("call_id", callId)
                .put("name", form.name())
                .put("input", input.text());
        if (form.namespace() != null) {
            json.put("namespace", form.namespace());
        }
    }

    private void delta(String text) {
        if (!text.isEmpty()) {
            event("response.custom_tool_call_input.delta").put("delta", text);
            out.send();
        }
    }

    private JsonText event(String type) {
        return out.begin(type).put("item_id", id).put("output_index", outputIndex);
    }
}
