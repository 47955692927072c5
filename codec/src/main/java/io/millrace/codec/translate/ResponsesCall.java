package io.millrace.codec.translate;

/** A call that is being written, as an item of the client's type for the tool. */
abstract class ResponsesCall extends ResponsesItem {
    final String callId;

    ResponsesCall(ResponsesWriter out, String id, int outputIndex, String callId) {
        super(out, id, outputIndex);
        this.callId = callId;
    }

    /** Adds JSON text of the arguments. */
    abstract void arguments(String chunk);

    /** Begins the item of a call. */
    static ResponsesCall of(ResponsesWriter out, String itemId, int outputIndex, String callId, CallForm form) {
        return switch (form.kind()) {
            case FUNCTION, LEGACY_FUNCTION -> new ResponsesCallItem(out, itemId, outputIndex, callId, form);
            case CUSTOM -> new ResponsesCustomItem(out, itemId, outputIndex, callId, form);
            case LOCAL_SHELL, SHELL, APPLY_PATCH, TOOL_SEARCH, COMPUTER ->
                new ResponsesActionItem(out, itemId, outputIndex, callId, form.kind());
        };
    }
}
