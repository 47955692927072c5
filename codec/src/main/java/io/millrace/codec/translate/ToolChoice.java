package io.millrace.codec.translate;

/**
 * Whether the model calls tools.
 *
 * @param name the tool that the model must use if the mode is {@code NAMED} or {@code HOSTED}, otherwise empty
 */
public record ToolChoice(Mode mode, String name) {
    static final ToolChoice AUTO = new ToolChoice(Mode.AUTO, "");
    static final ToolChoice NONE = new ToolChoice(Mode.NONE, "");
    static final ToolChoice REQUIRED = new ToolChoice(Mode.REQUIRED, "");

    /** A choice of the function with this name. */
    static ToolChoice named(String function) {
        return new ToolChoice(Mode.NAMED, function);
    }

    /** A choice of the provider's tool with this type, or with this {@link HostedKind#toolName}. */
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
