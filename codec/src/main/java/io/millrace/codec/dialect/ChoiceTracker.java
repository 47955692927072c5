package io.millrace.codec.dialect;

/** Tracks the choices of an answer that were seen, and those that have their finish reason. */
final class ChoiceTracker {
    private static final int MAX_INDEX = Long.SIZE - 1;

    private long seen;
    private long finished;

    /**
     * Notes a choice. Indices from 63 on count as one choice. Output without a finish reason cancels an earlier finish
     * reason.
     */
    void add(long index, boolean hasFinishReason, boolean output) {
        long bit = 1L << (index < 0 ? 0 : Math.min(index, MAX_INDEX));
        seen |= bit;
        if (hasFinishReason) {
            finished |= bit;
        } else if (output) {
            finished &= ~bit;
        }
    }

    /** How many choices were seen. */
    int count() {
        return Long.bitCount(seen);
    }

    /** How many choices are tracked separately. */
    static int limit() {
        return Long.SIZE;
    }

    /** Whether the choice was seen. */
    boolean isSeen(int index) {
        return (seen & 1L << index) != 0;
    }

    /** Whether the choice has its finish reason. */
    boolean isFinished(int index) {
        return (finished & 1L << index) != 0;
    }

    /** Whether there is a choice, and each has its finish reason. */
    boolean allFinished() {
        return seen != 0 && seen == finished;
    }
}
