package io.millrace.bench.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.DecoderException;

/**
 * Reads the bodies of one connection's streams, one after another. The order of calls for a stream is {@link #begin},
 * {@link #onHead}, {@link #read} for each piece, {@link #endBody} if the body came to its end, and {@link #close}. Lives on one
 * event loop.
 */
public interface BodyReader {
    /** A stream begins: its request is about to be sent. */
    void begin(StreamSample stream, ByteBufAllocator alloc);

    /** The head of a response with the status 200 is complete. */
    default void onHead(ResponseReader response) {}

    /**
     * Reads on.
     *
     * @param in remains with the caller; all of it is read
     * @param readNs when the socket was read
     */
    void read(ByteBuf in, long readNs);

    /** Output frames of the stream so far. */
    long outputs();

    /**
     * The body has ended by its own framing.
     *
     * @return {@link Outcome#TRUNCATED} if the answer had not ended before
     */
    Outcome endBody();

    /** More on what {@link #endBody} returned; empty if there is none. */
    String detail();

    /** What to tell of a response that is no HTTP; empty for nothing. */
    default String detailOf(DecoderException malformed) {
        return "";
    }

    /** What the stream brought many of; valid until the next begins. */
    default StreamDetails details() {
        return StreamDetails.NONE;
    }

    /** The stream is over, however it ended; what it held is released. May be called again. */
    void close();
}
