package io.millrace.codec.translate;

import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The names of the tools that a request offers. They show the end of a name that comes in pieces. */
final class ToolNames {
    /** Sorted, so that all names with the same beginning are neighbours. */
    private final NavigableSet<String> names;

    /** @param names the names; if there are none, no name is known */
    ToolNames(Set<String> names) {
        this.names = new TreeSet<>(names);
    }

    /** Whether this can be the name of a tool. */
    boolean mayBe(String name) {
        return names.isEmpty() || names.contains(name);
    }

    /** The name with its next piece; the name itself if the piece does not continue it. */
    String joined(String name, String more) {
        boolean again = name.isEmpty() || more.startsWith(name);
        return again || !isJoinable(name, more) ? more : name + more;
    }

    /** Whether the piece continues the name or repeats it. */
    boolean isJoinable(String name, String more) {
        return more.startsWith(name) || begins(names.ceiling(name + more), name + more);
    }

    /** Whether the name is complete: it is not the beginning of another tool's name. */
    boolean isComplete(String name) {
        return !begins(names.higher(name), name);
    }

    private static boolean begins(@Nullable String tool, String name) {
        return tool != null && tool.startsWith(name);
    }
}
