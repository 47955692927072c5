package io.millrace.server.config;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How the relay chooses one of an upstream's origins.
 *
 * @param kind by load, or by what requests have in common
 * @param header lower-case name of the header whose value chooses, for {@link Kind#HEADER}; else null
 * @param prefixBytes of the prompt that choose, for {@link Kind#PROMPT_PREFIX}; else 0
 */
public record Balance(Kind kind, @Nullable String header, int prefixBytes) {
    /** The better of two at random. */
    public static final Balance P2C = new Balance(Kind.P2C, null, 0);

    /** The basis of the choice. */
    public enum Kind {
        /** The better of two random origins, by their moving time to first token and their requests in progress. */
        P2C,
        /** The same value of a header goes to the same origin. */
        HEADER,
        /** Prompts with the same beginning go to the same origin, whose prefix cache has that beginning. */
        PROMPT_PREFIX
    }

    public Balance {
        Objects.requireNonNull(kind, "kind");
        if (kind == Kind.HEADER) {
            Checks.headerName("header", header);
        }
        if (kind == Kind.PROMPT_PREFIX) {
            Checks.range("promptPrefix", prefixBytes, 1, 1 << 20);
        }
    }

    /** By the value of a header, whose name is in lower case. */
    public static Balance header(String name) {
        return new Balance(Kind.HEADER, name, 0);
    }

    /** By the first bytes of the prompt. */
    public static Balance promptPrefix(int bytes) {
        return new Balance(Kind.PROMPT_PREFIX, null, bytes);
    }
}
