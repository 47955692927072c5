package io.millrace.bench.stream;

import org.jspecify.annotations.Nullable;

/**
 * One stream, from the moment at which it is due to its end. The engine fills it in on one event loop. It does not
 * change after the engine has reported its end. Times are {@link System#nanoTime()}, 0 for what did not happen.
 */
public final class StreamSample {
    private final long index;
    private final long scheduledNs;
    private final boolean measured;
    private final Behaviour behaviour;
    private final int turn;
    private final boolean toolTurn;
    private final long promptWords;
    final @Nullable Conversation conversation;
    final @Nullable StringBuilder answer;

    @SuppressWarnings("NullAway.Init")
    Outcome outcome;

    String detail = "";
    long connectBeganNs;
    long connectNs = -1;
    boolean retried;
    /** When it began to wait for a place on a connection of HTTP/2; 0 if it did not. */
    long waitsSinceNs;

    long sentNs;
    long firstByteNs;
    long firstFrameNs;
    long firstReasoningNs;
    long firstContentNs;
    long firstOutputNs;
    long lastOutputNs;
    long terminalNs;
    long endNs;
    long longestGapNs;
    long stalls;
    long frames;
    long outputs;
    long reads;
    long bytes;
    int status;
    long inputTokens = -1;
    long outputTokens = -1;
    boolean stamped;

    StreamSample(long index, long scheduledNs, boolean measured, Behaviour behaviour) {
        this(index, scheduledNs, measured, behaviour, null);
    }

    /** @param conversation whose current turn it is; null if it is for itself */
    StreamSample(
            long index, long scheduledNs, boolean measured, Behaviour behaviour, @Nullable Conversation conversation) {
        this.index = index;
        this.scheduledNs = scheduledNs;
        this.measured = measured;
        this.behaviour = behaviour;
        this.conversation = conversation;
        turn = conversation == null ? -1 : conversation.turn();
        toolTurn = conversation != null && conversation.isToolTurn();
        promptWords = conversation == null ? -1 : conversation.promptWords();
        answer = conversation == null ? null : new StringBuilder();
    }

    /** Whether its times count: its client is plain, and it was due in the measured part. */
    public boolean counts() {
        return measured && behaviour.isPlain();
    }

    /** Output tokens as the provider reports them, otherwise the number of output frames. */
    public long tokens() {
        return outputTokens >= 0 ? outputTokens : outputs;
    }

    /**
     * Nanoseconds per output token after the first: the time from the first output to the last, divided by their
     * number; NaN if undefined.
     */
    public double tpotNs() {
        return tokens() < 2 || outputs < 2 ? Double.NaN : (double) (lastOutputNs - firstOutputNs) / (tokens() - 1);
    }

    /** Its turn in its session, from 0; -1 if it is of no session. */
    public int turn() {
        return turn;
    }

    /** Whether it sent the result of a tool. */
    public boolean isToolTurn() {
        return toolTurn;
    }

    /** The tokens of its prompt as the provider reports them, else its words; -1 if neither is known. */
    public long promptTokens() {
        return inputTokens > 0 ? inputTokens : promptWords;
    }

    /** Its number in the run, from 0; that of its session if it is of one. */
    public long index() {
        return index;
    }

    /** When it was due. */
    public long scheduledNs() {
        return scheduledNs;
    }

    /** Whether it was due in the measured part of the run. */
    public boolean measured() {
        return measured;
    }

    /** The behaviour of its client. */
    public Behaviour behaviour() {
        return behaviour;
    }

    /** How it ended; null until then. */
    public Outcome outcome() {
        return outcome;
    }

    /** Details of the outcome, such as a status; empty if there are none. */
    public String detail() {
        return detail;
    }

    /** How long its connection took, including TLS; -1 if it used an open connection. */
    public long connectNs() {
        return connectNs;
    }

    /** When its request was written to the socket. */
    public long sentNs() {
        return sentNs;
    }

    /** The time of the read that brought the first byte of the body. */
    public long firstByteNs() {
        return firstByteNs;
    }

    /** The time of the read that completed the first frame. */
    public long firstFrameNs() {
        return firstFrameNs;
    }

    /** The time of the first output that is reasoning. */
    public long firstReasoningNs() {
        return firstReasoningNs;
    }

    /** The time of the first output that is not reasoning. */
    public long firstContentNs() {
        return firstContentNs;
    }

    /** The time of the first output of either kind. */
    public long firstOutputNs() {
        return firstOutputNs;
    }

    /** The time of the last output. */
    public long lastOutputNs() {
        return lastOutputNs;
    }

    /** The time of the frame that ended the answer, or of another end of the stream. */
    public long endNs() {
        return endNs;
    }

    /** The longest gap between two outputs. */
    public long longestGapNs() {
        return longestGapNs;
    }

    /** The number of gaps over the stall threshold. */
    public long stalls() {
        return stalls;
    }

    /** The number of frames of every kind. */
    public long frames() {
        return frames;
    }

    /** The number of frames with output. */
    public long outputs() {
        return outputs;
    }

    /** The number of reads that brought output. */
    public long reads() {
        return reads;
    }

    /** The number of bytes of the body. */
    public long bytes() {
        return bytes;
    }

    /** The status of the response; 0 if none came. */
    public int status() {
        return status;
    }

    /** Tokens of the prompt as the provider reports them; -1 if it does not. */
    public long inputTokens() {
        return inputTokens;
    }

    /** Tokens of the answer as the provider reports them; -1 if it does not. */
    public long outputTokens() {
        return outputTokens;
    }

    /** Whether its output had the mock's stamps. */
    public boolean stamped() {
        return stamped;
    }
}
