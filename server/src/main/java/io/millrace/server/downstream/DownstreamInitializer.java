package io.millrace.server.downstream;

import io.millrace.server.config.Limits;
import io.millrace.server.config.Timeouts;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.transport.Transport;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.WriteBufferWaterMark;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The pipeline of a client's connection:
 *
 * <ol>
 *   <li>{@link RequestDecoder}: bytes to request heads and bodies, strict, one request at a time
 *   <li>{@link ResponseEncoder}: plain responses to bytes; streams, with their heads, pass it by
 *   <li>{@link Http1Connection}: the gate, and the exchange in progress
 * </ol>
 *
 * <p>A client over the limit gets a pipeline that only refuses.
 */
public final class DownstreamInitializer extends ChannelInitializer<Channel> {
    private final Transport transport;
    private final RequestHandler handler;
    private final Admission admission;
    private final Function<Channel, Sweeper> sweepers;
    private final Function<Channel, LoopMemory> memories;
    private final Supplier<Limits> limits;
    private final Supplier<Timeouts> timeouts;

    /** Limits and timeouts are asked for at each new connection, so that a reload reaches the next one. */
    public DownstreamInitializer(
            Transport transport,
            RequestHandler handler,
            Admission admission,
            Function<Channel, Sweeper> sweepers,
            Function<Channel, LoopMemory> memories,
            Supplier<Limits> limits,
            Supplier<Timeouts> timeouts) {
        this.transport = transport;
        this.handler = handler;
        this.admission = admission;
        this.sweepers = sweepers;
        this.memories = memories;
        this.limits = limits;
        this.timeouts = timeouts;
    }

    @Override
    protected void initChannel(Channel channel) {
        if (!admission.admits()) {
            channel.pipeline().addLast(new Admission.Refuse());
            return;
        }
        Limits current = limits.get();
        Timeouts times = timeouts.get();
        transport.allowStall(channel, times.writeStall());
        channel.config()
                .setWriteBufferWaterMark(new WriteBufferWaterMark(current.lowWatermark(), current.highWatermark()));
        var connection =
                new Http1Connection(channel, handler, sweepers.apply(channel), memories.apply(channel), current, times);
        connection.open();
    }
}
