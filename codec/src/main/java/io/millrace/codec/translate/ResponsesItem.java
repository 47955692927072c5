package io.millrace.codec.translate;

/** An output item of a Responses answer that is being written. */
interface ResponsesItem {
    /**
     * Writes how the item ends.
     *
     * @param complete false if the answer was cut in this item
     */
    void close(boolean complete);

    /** Puts the item as it is now into an object that is open. */
    void put(JsonText json);
}
