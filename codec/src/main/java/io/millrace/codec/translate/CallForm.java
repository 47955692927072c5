package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/**
 * How a client sees the call of a function, if that is not a plain function to it.
 *
 * @param kind the kind of the call
 * @param namespace the group of tools that the function belongs to, null if it belongs to none
 * @param name the client's name of the function
 */
public record CallForm(Kind kind, @Nullable String namespace, String name) {
    /** The kind of call that the client expects. Arguments are a JSON object, except for a custom tool. */
    public enum Kind {
        /** A function. */
        FUNCTION,
        /** Chat's legacy {@code function_call}. It has no id, and an answer has one at most. */
        LEGACY_FUNCTION,
        /** A tool that takes one text: the string {@code input} of the arguments. */
        CUSTOM,
        /** Responses' {@code local_shell_call}. */
        LOCAL_SHELL,
        /** Responses' {@code shell_call}. */
        SHELL,
        /** Responses' {@code apply_patch_call}. */
        APPLY_PATCH,
        /** Responses' {@code tool_search_call} that the client runs. */
        TOOL_SEARCH,
        /** Responses' {@code computer_call}. */
        COMPUTER
    }

    /** The only field of a custom tool's arguments. */
    static final String INPUT = "input";

    /** A custom tool's text as the arguments of a function. */
    static String customArguments(String input) {
        return Json.object().put(INPUT, input).toString();
    }
}
