package io.millrace.server.warmup;

import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/** A client that asks for streams over one connection at a time. Not thread-safe. */
interface StreamClient extends AutoCloseable {
    int SLOW_BUFFER_BYTES = 4 * 1024;
    long SLOW_PAUSE_NS = 50_000;
    long BEFORE_ANSWER_NS = 200_000;

    /** Sends a request whose answer is not yet read. */
    void ask(byte[] request) throws IOException;

    /** Reads what was asked for to its end, with a pause before each read. */
    void readAnswer(long pauseNs) throws IOException;

    /** Reads the first bytes of an answer. */
    void readBegin() throws IOException;

    /** Leaves the stream that was asked for last. */
    void cancel() throws IOException;

    /** Opens a connection whose client can take few bytes at once. */
    void connectSlowly() throws IOException;

    /** Ends the connection; the next stream has another one. */
    @Override
    void close() throws IOException;

    /**
     * Reads a stream to its end.
     *
     * @throws IOException if there is none
     */
    default void read(byte[] request) throws IOException {
        ask(request);
        readAnswer(0);
    }

    /** As {@link #read}, but over a connection of its own and so slowly that the relay must wait. */
    default void readSlowly(byte[] request) throws IOException {
        close();
        connectSlowly();
        ask(request);
        readAnswer(SLOW_PAUSE_NS);
        close();
    }

    /** Leaves a stream at its first bytes. */
    default void leave(byte[] request) throws IOException {
        ask(request);
        readBegin();
        cancel();
    }

    /** Leaves before an answer, and ends the connection. */
    default void leaveAtOnce(byte[] request) throws IOException {
        ask(request);
        LockSupport.parkNanos(BEFORE_ANSWER_NS);
        close();
    }
}
