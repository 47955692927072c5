package io.millrace.codec.translate;

/**
 * Whether the model calls tools.
 *
 * @param name the tool that must be used if the mode is {@code NAMED} or {@code HOSTED}, else null
 */
public record ToolChoice(Mode mode, String name) {
    /** The ways to choose. */
    public enum Mode {
        /** The model decides. */
        AUTO,
        /** It calls none. */
        NONE,
        /** It calls at least one. */
        REQUIRED,
        /** It calls the function that is named. */
        NAMED,
        /** It uses the tool of its provider that is named. */
        HOSTED
    }
}
