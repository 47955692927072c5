package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/**
 * How a client is told of a call of a function that is not a plain function to it.
 *
 * @param kind the kind of the call
 * @param namespace the group of tools that this one belongs to, null if to none
 * @param name what the client calls it
 */
public record CallForm(Kind kind, @Nullable String namespace, String name) {
    /** The kind of call that the client expects. Arguments are a JSON object, except for a custom tool. */
    public enum Kind {
        /** A function. */
        FUNCTION,
        /** Chat's legacy {@code function_call}, which has no id, and of which there is one at most. */
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

    /** The field of a custom tool's arguments. */
    static final String INPUT = "input";

    /** A custom tool's text as the arguments of a function. */
    static String customArguments(String input) {
        return Json.object().put(INPUT, input).toString();
    }
}
