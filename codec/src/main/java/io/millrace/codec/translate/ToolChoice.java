package io.millrace.codec.translate;

/**
 * Whether the model calls tools.
 *
 * @param name the tool that the model must use if the mode is {@code NAMED} or {@code HOSTED}, else empty
 */
public record ToolChoice(Mode mode, String name) {
    static final ToolChoice AUTO = new ToolChoice(Mode.AUTO, "");
    static final ToolChoice NONE = new ToolChoice(Mode.NONE, "");
    static final ToolChoice REQUIRED = new ToolChoice(Mode.REQUIRED, "");

    /** The function of this name. */
    static ToolChoice named(String function) {
        return new ToolChoice(Mode.NAMED, function);
    }

    /** The tool of this type, or of this {@link HostedKind#toolName}, that its provider runs. */
    static ToolChoice hosted(String type) {
        return new ToolChoice(Mode.HOSTED, type);
    }

    /** The ways to choose. */
    public enum Mode {
        /** The model decides. */
        AUTO,
        /** The model calls no tool. */
        NONE,
        /** The model calls at least one tool. */
        REQUIRED,
        /** The model calls the named function. */
        NAMED,
        /** The model uses the named tool, which its provider runs. */
        HOSTED
    }
}
