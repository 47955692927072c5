package io.millrace.bench.stream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.DecoderException;

/**
 * Reads the bodies of one connection's streams, one after another. The order of calls for a stream is {@link #begin},
 * {@link #onHead}, {@link #read} for each piece, {@link #endBody} if the body ended by its framing, and {@link #close}.
 * Lives on one event loop.
 */
public interface BodyReader {
    /** A stream begins. Its request is about to be sent. */
    void begin(StreamSample stream, ByteBufAllocator alloc);

    /** The head of a response with the status 200 is complete. */
    default void onHead(Response response) {}

    /**
     * Reads a piece of the body.
     *
     * @param in remains with the caller; all of it is read
     * @param readNs when the socket was read
     */
    void read(ByteBuf in, long readNs);

    /** How many output frames the stream has had so far. */
    long outputs();

    /**
     * The body has ended by its own framing.
     *
     * @return {@link Outcome#TRUNCATED} if the answer had not ended before
     */
    Outcome endBody();

    /** Details of the result of {@link #endBody}; empty if there are none. */
    String detail();

    /** Details of a response that is not HTTP; empty for none. */
    default String detailOf(DecoderException malformed) {
        return "";
    }

    /** The gaps, reads and transits of the stream. They are valid until the next stream begins. */
    default StreamDetails details() {
        return StreamDetails.NONE;
    }

    /** The stream is over. This releases all that the reader holds, and may be called again. */
    void close();
}
