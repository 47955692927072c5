package io.millrace.bench.stream;

/**
 * Receives the events of the streams of one lane, on its event loop. Times are {@link System#nanoTime()}. Calls of no
 * interest need not be overridden.
 */
public interface StreamObserver {
    /** A stream was due at {@code scheduledNs}, and this client begins it now. */
    default void onDispatch(long scheduledNs, long nowNs, boolean counts) {}

    /** The first byte of a body was read; its request was handed to the socket at {@code sentNs}. */
    default void onFirstByte(long sentNs, long nowNs) {}

    /** A frame with output was read, the first of its stream. */
    default void onFirstOutput(long scheduledNs, long nowNs) {}

    /** A frame with output was read, {@code gapNs} after the one before it in its stream. */
    default void onGap(long gapNs, long nowNs) {}

    /**
     * A stream has ended.
     *
     * @param details of its output, valid during the call; empty unless its times may count
     */
    void onEnd(StreamSample sample, StreamDetails details);

    /** The event loop ran something that was due this much later. */
    default void onLoopLag(long lagNs) {}

    /** A response with another status than 200 said this. */
    default void onRefusal(int status, String body) {}
}
