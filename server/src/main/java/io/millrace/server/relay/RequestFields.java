package io.millrace.server.relay;

/**
 * The top-level fields of a request body that a relay looks at. Of a field that is there twice the last counts, as it does
 * for the servers behind.
 *
 * @param model the value of {@code model}, or null
 * @param modelStart index of the opening quote of that value, from the start of the body
 * @param modelEnd index behind its closing quote
 * @param stream whether {@code stream} is true
 * @param choices how many answers are asked for in one stream ({@code n}), at least 1
 * @param usage what asks a Chat server for usage in this request, or null if nothing can
 * @param invalid what is wrong with the JSON, or null
 */
record RequestFields(
        String model, int modelStart, int modelEnd, boolean stream, int choices, Usage usage, String invalid) {
    static final RequestFields NONE = new RequestFields(null, -1, -1, false, 1, null, null);

    /**
     * How a request asks for usage, or how it is made to: the bytes {@code [start, end)} of its body give way to
     * {@code text}.
     *
     * @param asked whether it asks already, so that nothing need be done
     */
    record Usage(boolean asked, int start, int end, String text) {}

    /** Whether this is what the request says, rather than what is taken where nothing is known. */
    boolean isRead() {
        return invalid == null && (model != null || usage != null);
    }

    /** Of a dialect that names the model in the path. */
    static RequestFields ofPath(String model, boolean stream) {
        return new RequestFields(model, -1, -1, stream, 1, null, null);
    }
}
