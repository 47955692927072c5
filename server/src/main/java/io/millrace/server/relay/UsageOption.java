package io.millrace.server.relay;

import org.jspecify.annotations.Nullable;

/** The place of a Chat request's usage option, {@code stream_options.include_usage}, or the place where it could be. */
final class UsageOption {
    private static final String INCLUDE_USAGE = "\"include_usage\":true";

    private RequestFields.@Nullable Usage usage;
    private boolean open;
    private int optionsStart;
    private boolean optionsEmpty;
    private boolean found;
    private RequestFields.@Nullable Usage foundUsage;

    /** The result; null if usage cannot be asked for. */
    RequestFields.@Nullable Usage usage() {
        return usage;
    }

    /** Whether the options are being read. */
    boolean isOpen() {
        return open;
    }

    /** The body is an object. Its first field would begin at {@code inside}. */
    void onBody(int inside) {
        usage = new RequestFields.Usage(false, inside, inside, "\"stream_options\":{" + INCLUDE_USAGE + "},");
    }

    /** The options are null, at {@code [start, end)}. */
    void onNull(int start, int end) {
        usage = new RequestFields.Usage(false, start, end, "{" + INCLUDE_USAGE + "}");
    }

    /** The options are not an object. */
    void onOther() {
        usage = null;
    }

    /** The options are an object. Its first field would begin at {@code inside}. */
    void onOptions(int inside) {
        open = true;
        optionsStart = inside;
        optionsEmpty = true;
        found = false;
        foundUsage = null;
    }

    /** The options have a field. */
    void onField() {
        optionsEmpty = false;
    }

    /**
     * {@code include_usage} is a value at {@code [start, end)}; {@code asked} is null if it is neither true nor false.
     */
    void onIncludeUsage(@Nullable Boolean asked, int start, int end) {
        found = true;
        foundUsage = asked == null ? null : new RequestFields.Usage(asked, start, end, "true");
    }

    /** The options end. */
    void onEnd() {
        open = false;
        String addition = INCLUDE_USAGE + (optionsEmpty ? "" : ",");
        usage = found ? foundUsage : new RequestFields.Usage(false, optionsStart, optionsStart, addition);
    }
}
