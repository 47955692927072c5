package io.millrace.codec.translate;

/** An output item of a Responses answer that is being written. */
abstract class ResponsesItem {
    final ResponsesWriter out;
    final String id;
    final int outputIndex;

    String status = "in_progress";

    ResponsesItem(ResponsesWriter out, String id, int outputIndex) {
        this.out = out;
        this.id = id;
        this.outputIndex = outputIndex;
    }

    /**
     * Writes the end of the item.
     *
     * @param complete false if the answer was cut in this item
     */
    abstract void close(boolean complete);

    /** Puts the current state of the item into an open object. */
    abstract void put(JsonText json);

    /** Writes the event that the item has begun. */
    final void added() {
        out.itemEvent("response.output_item.added", outputIndex, this);
    }

    /** Writes the event that the item is complete. */
    final void done() {
        out.itemEvent("response.output_item.done", outputIndex, this);
    }

    /** Begins an event of this item. */
    final JsonText event(String type) {
        return out.begin(type).put("item_id", id).put("output_index", outputIndex);
    }
}
