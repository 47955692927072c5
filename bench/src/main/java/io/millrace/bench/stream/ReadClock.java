package io.millrace.bench.stream;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** Stands first in a pipeline, before TLS: takes the time of every read of the socket. */
final class ReadClock extends ChannelInboundHandlerAdapter {
    private long nowNs;

    /** Of the last read. */
    long nowNs() {
        return nowNs;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        nowNs = System.nanoTime();
        ctx.fireChannelRead(message);
    }
}
