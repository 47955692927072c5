package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/**
 * The form in which a client sees the call of a function, if it is not a plain function for the client.
 *
 * @param kind the type of the call in the client's dialect
 * @param namespace the group of tools that the function belongs to, null if there is none
 * @param name the client's name of the function
 */
public record CallForm(Kind kind, @Nullable String namespace, String name) {
    /** The type of a call in the client's dialect. Arguments are a JSON object, except for a custom tool. */
    public enum Kind {
        /** A function. */
        FUNCTION,
        /** Chat's legacy {@code function_call}. It has no id, and an answer has at most one. */
        LEGACY_FUNCTION,
        /** A tool that takes one text. It is the string {@code input} of the arguments. */
        CUSTOM,
        /** Responses' {@code local_shell_call}. */
        LOCAL_SHELL,
        /** Responses' {@code shell_call}. */
        SHELL,
        /** Responses' {@code apply_patch_call}. */
        APPLY_PATCH,
        /** Responses' {@code tool_search_call}, if the client runs it. */
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
