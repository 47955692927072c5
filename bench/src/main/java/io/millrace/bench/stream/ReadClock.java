package io.millrace.bench.stream;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/** Takes the time of every read of the socket. It is the first handler of the pipeline, before TLS. */
final class ReadClock extends ChannelInboundHandlerAdapter {
    private long nowNs;

    /** The time of the last read. */
    long nowNs() {
        return nowNs;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        nowNs = System.nanoTime();
        ctx.fireChannelRead(message);
    }
}
