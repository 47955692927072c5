package io.millrace.codec.translate;

/** Writes the call of a custom tool. Its text is written as it comes. */
final class ResponsesCustomItem extends ResponsesCall {
    private final CallForm form;
    private final CustomInput input = new CustomInput();

    ResponsesCustomItem(ResponsesWriter out, String id, int outputIndex, String callId, CallForm form) {
        super(out, id, outputIndex, callId);
        this.form = form;
        added();
    }

    @Override
    void arguments(String chunk) {
        delta(input.add(chunk));
    }

    @Override
    void close(boolean complete) {
        delta(input.end());
        event("response.custom_tool_call_input.done").put("input", input.text());
        out.send();
        status = complete && input.isWhole() ? "completed" : "incomplete";
        done();
    }

    @Override
    void put(JsonText json) {
        json.put("id", id)
                .put("type", "custom_tool_call")
                .put("status", status)
                .put("call_id", callId)
                .put("name", form.name())
                .put("input", input.text());
        json.putKnown("namespace", form.namespace());
    }

    private void delta(String text) {
        if (!text.isEmpty()) {
            event("response.custom_tool_call_input.delta").put("delta", text);
            out.send();
        }
    }
}
