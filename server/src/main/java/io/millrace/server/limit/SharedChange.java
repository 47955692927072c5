package io.millrace.server.limit;

/**
 * What the store is to be told of one limit of one client, and what becomes of its answer. Confined to the store's event
 * loop.
 *
 * @param key the name of the limit and of its client, the same on all nodes
 * @param kind what the numbers are
 * @param delta what was used since the change before this one; negative if something was given back
 * @param floor what the store had before, as far as this node knows. It counts if the store has lost the key
 * @param span of a bucket: for how long {@code delta} has been used, in nanoseconds. Of a budget: for how long the store
 *     must keep it, in milliseconds
 * @param answer for the store's answer
 */
public record SharedChange(String key, Kind kind, long delta, long floor, long span, Answer answer) {
    /** What a limit counts. */
    public enum Kind {
        /** Nanoseconds until the bucket is full; below zero since then. */
        BUCKET,
        /** Tokens used in a day or a month. */
        BUDGET
    }

    /** Gets the store's answer. */
    public interface Answer {
        /** The store has this in all, and had it at {@code atNs}. */
        void total(long total, long atNs);

        /** The store has not taken the change, which is to be told again. */
        void refused();
    }
}
