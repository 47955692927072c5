package io.millrace.bench.stream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;

/** How requests and responses are framed on a channel: by a version of HTTP. Lives on the channel's event loop. */
interface Framing extends Response {
    /** Receives bytes of the body. */
    @FunctionalInterface
    interface Body {
        /** Reads all readable bytes of {@code bytes}, which remains with the caller. */
        void onBytes(ByteBuf bytes);
    }

    /** Prepares for the next response. */
    void reset();

    /** Sends a request that a {@link RequestTemplate} made. Ownership of it is transferred. */
    void send(Channel channel, ByteBuf request);

    /**
     * Reads a message of the channel until the end of the message or of the response.
     *
     * @param message remains with the caller
     * @throws io.netty.handler.codec.DecoderException if it is no response
     */
    void read(Object message);

    /** Whether the body has ended by its own framing. */
    boolean ended();

    /** Whether the end of the channel ends the body. */
    boolean endsAtClose();

    /** Whether the channel can have another request. */
    boolean keepAlive();
}
