package io.millrace.server.mock;

import java.util.ArrayList;
import java.util.List;

/**
 * One call in an answer.
 *
 * @param fragments the pieces of its arguments, as a model streams them: a JSON object, or the text of a custom tool
 */
record ToolCall(Tool tool, List<String> fragments) {
    private static final int FRAGMENT = 9;

    static ToolCall of(Tool tool, String arguments) {
        var fragments = new ArrayList<String>();
        for (int from = 0; from < arguments.length(); from += FRAGMENT) {
            fragments.add(arguments.substring(from, Math.min(arguments.length(), from + FRAGMENT)));
        }
        return new ToolCall(tool, List.copyOf(fragments));
    }

    String name() {
        return tool.name();
    }

    String arguments() {
        return String.join("", fragments);
    }

    /** The arguments, escaped for a JSON string. */
    String escaped() {
        return Answer.escape(arguments());
    }
}
