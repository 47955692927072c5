package io.millrace.bench.stream;

/** Receives the events of the streams of one lane, on its event loop. Times are {@link System#nanoTime()}. */
public interface StreamObserver {
    /** The lane begins; what is due from {@code measuredFromNs} on is measured. */
    default void onStart(long measuredFromNs) {}

    /** This client begins a stream that was due at {@code scheduledNs}. */
    default void onDispatch(long scheduledNs, long nowNs, boolean counts) {}

    /** A stream of HTTP/2 has a place on a connection. It waited so long because all had as many as the server allows. */
    default void onPlace(long waitNs, boolean counts) {}

    /** The first byte of a body was read. Its request was written at {@code sentNs}. */
    default void onFirstByte(long sentNs, long nowNs) {}

    /** The first output frame of a stream was read. */
    default void onFirstOutput(long scheduledNs, long nowNs) {}

    /** An output frame was read, {@code gapNs} after the one before it in its stream. */
    default void onGap(long gapNs, long nowNs) {}

    /**
     * A stream has ended.
     *
     * @param details of its output, valid during the call; empty unless the stream's times may count
     */
    void onEnd(StreamSample sample, StreamDetails details);

    /**
     * A session has ended.
     *
     * @param measured whether its last turn was due in the measured part
     * @param whole whether all its turns came to their end
     */
    default void onSessionEnd(boolean measured, boolean whole) {}

    /** The event loop ran a task this much later than it was due. */
    default void onLoopLag(long lagNs) {}

    /** A response had a status other than 200 and this body. */
    default void onRefusal(int status, String body) {}
}
