package io.millrace.server.listen;

import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandler;
import io.netty.handler.codec.LineBasedFrameDecoder;
import io.netty.handler.codec.string.StringDecoder;
import java.nio.charset.StandardCharsets;

/**
 * The lines that two processes send each other in a take-over:
 *
 * <pre>
 * new: millrace takeover 1
 * old: sockets 2
 * old: 127.0.0.1:8080          the address of each, as the old one's configuration has it
 * old: systemd:admin
 * new: ready
 * old: (the two descriptors, in this order)
 * new: go                      it serves
 * old: gone                    the control socket's path is free; the old one accepts no more, and drains
 * </pre>
 *
 * If the connection ends before {@code go}, the old process continues as before.
 */
final class ControlLines {
    static final String HELLO = "millrace takeover 1";
    static final String SOCKETS = "sockets ";
    static final String READY = "ready";
    static final String GO = "go";
    static final String GONE = "gone";
    /** How long each side may let the other wait, except for the start of the new process. */
    static final int ANSWER_S = 10;
    /** How long the new process may take to start. */
    static final int START_S = 120;

    private static final int MAX_LINE = 4096;

    private ControlLines() {}

    /** Handlers that make strings of what is read, line by line. */
    static ChannelHandler[] decoders() {
        return new ChannelHandler[] {
            new LineBasedFrameDecoder(MAX_LINE, true, true), new StringDecoder(StandardCharsets.UTF_8)
        };
    }

    /** Sends one line. */
    static ChannelFuture say(Channel channel, String line) {
        return channel.writeAndFlush(ByteBufUtil.writeUtf8(channel.alloc(), line + "\n"));
    }
}
