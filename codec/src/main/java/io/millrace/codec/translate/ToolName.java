package io.millrace.codec.translate;

import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Names of functions that every dialect accepts: at most {@value #MOST} letters, digits, {@code _} and {@code -}. */
final class ToolName {
    private static final int MOST = 64;
    private static final int HASH = 8;

    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_-]{1," + MOST + "}");
    private static final Pattern OTHERS = Pattern.compile("[^A-Za-z0-9_-]");

    /** OpenAI's namespace for functions without another namespace. */
    private static final String NO_NAMESPACE = "functions";

    private ToolName() {}

    /**
     * The name itself if every dialect accepts it. Otherwise another name, which is always the same for this name and
     * differs for others.
     */
    static String of(String name) {
        if (PLAIN.matcher(name).matches()) {
            return name;
        }
        String plain = OTHERS.matcher(name).replaceAll("_");
        int kept = Math.min(plain.length(), MOST - HASH - 1);
        return plain.substring(0, kept) + "_" + Shortened.hash(name).substring(0, HASH);
    }

    /** The name of a tool in a namespace, which is null or empty if there is none. */
    static String of(@Nullable String namespace, String name) {
        String group = group(namespace);
        return of(group == null ? name : group + (group.endsWith("_") ? "" : "__") + name);
    }

    /** The form of a function, null if the client knows the function by {@link #of its name}. */
    static @Nullable CallForm form(@Nullable String namespace, String name) {
        String group = group(namespace);
        return group != null || !of(name).equals(name) ? new CallForm(CallForm.Kind.FUNCTION, group, name) : null;
    }

    /** The namespace; null if it is missing, empty or OpenAI's default. */
    static @Nullable String group(@Nullable String namespace) {
        boolean none = namespace == null || namespace.isEmpty() || namespace.equals(NO_NAMESPACE);
        return none ? null : namespace;
    }
}
