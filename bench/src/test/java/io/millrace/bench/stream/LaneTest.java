package io.millrace.bench.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("sockets")
class LaneTest {
    private static final int STREAMS = 40;

    /** A channel for which the process has no descriptor. */
    public static final class NoChannel extends LocalChannel {
        public NoChannel() {
            throw new ChannelException("newSocketStream(..) failed with error(-24): Too many open files");
        }
    }

    /** Records the reported events and their threads. */
    private static final class Told implements StreamObserver {
        private final EventLoop loop;
        private final List<String> ends = new ArrayList<>();
        private boolean elsewhere;

        private Told(EventLoop loop) {
            this.loop = loop;
        }

        @Override
        public void onDispatch(long scheduledNs, long nowNs, boolean counts) {}

        @Override
        public void onFirstOutput(long scheduledNs, long nowNs) {}

        @Override
        public void onGap(long gapNs, long nowNs) {}

        @Override
        public void onEnd(StreamSample sample, StreamDetails details) {
            elsewhere |= !loop.inEventLoop();
            ends.add(sample.outcome().label() + ": " + sample.detail());
        }

        @Override
        public void onLoopLag(long lagNs) {}

        @Override
        public void onRefusal(int status, String body) {}
    }

    @Test
    void endsWhereNoConnectionCanBeMade() throws Exception {
        assertThatItEnds(NoChannel.class, new Descriptors(Long.MAX_VALUE));
    }

    @Test
    void leavesTheProcessDescriptorsOfItsOwn() throws Exception {
        assertThatItEnds(NioSocketChannel.class, new Descriptors(0));
    }

    private static void assertThatItEnds(Class<? extends Channel> channels, Descriptors descriptors) throws Exception {
        var group = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        try {
            EventLoop loop = group.next();
            var told = new Told(loop);
            long nowNs = System.nanoTime();
            var shape = LoadShape.closed(4).with(load -> {
                load.requests = STREAMS;
                load.drainNs = TimeUnit.MINUTES.toNanos(1);
            });
            var feed = new ClosedFeed(shape, nowNs, new AtomicLong(), new AtomicLong(), 0, 1);
            var lane = new Lane(plan(shape), feed, nowNs, 0, loop, channels, descriptors, told);
            loop.execute(lane::start);

            assertThat(lane.done().await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(told.ends).hasSize(STREAMS).containsOnly("connect: no descriptor left");
            assertThat(told.elsewhere).isFalse();
        } finally {
            group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    private static StreamPlan plan(LoadShape shape) {
        var endpoint = Endpoint.of("http://127.0.0.1:9/v1", null, "m");
        return new StreamPlan(
                RequestTemplate.of(endpoint, "m").build(),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 9),
                null,
                Prompts.fixed("Hello"),
                shape,
                Clients.of(Behaviours.NONE, new StreamLimits(1_000, Long.MAX_VALUE, Long.MAX_VALUE, Long.MAX_VALUE)),
                1);
    }
}
