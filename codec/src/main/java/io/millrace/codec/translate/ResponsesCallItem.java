package io.millrace.codec.translate;

/** Writes a function call. */
final class ResponsesCallItem extends ResponsesCall {
    private final CallForm form;
    private final StringBuilder arguments = new StringBuilder();

    ResponsesCallItem(ResponsesWriter out, String id, int outputIndex, String callId, CallForm form) {
        super(out, id, outputIndex, callId);
        this.form = form;
        added();
    }

    @Override
    void arguments(String chunk) {
        arguments.append(chunk);
        event("response.function_call_arguments.delta").put("delta", chunk);
        out.send();
    }

    @Override
    void close(boolean complete) {
        event("response.function_call_arguments.done").put("name", form.name()).put("arguments", arguments.toString());
        out.send();
        status = complete && isWhole() ? "completed" : "incomplete";
        done();
    }

    @Override
    void put(JsonText json) {
        json.put("id", id)
                .put("type", "function_call")
                .put("status", status)
                .put("arguments", arguments.toString())
                .put("call_id", callId)
                .put("name", form.name());
        json.putKnown("namespace", form.namespace());
    }

    private boolean isWhole() {
        return arguments.isEmpty() || Json.parseObject(arguments.toString()) != null;
    }
}
