package io.millrace.server.transport;

import io.netty.channel.ChannelConfig;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Limits how many of the waiting connections a listener accepts in one turn of its event loop: each takes some 35 µs, and
 * the streams of other clients wait. If turns are long, it accepts more, so that new clients have their share of a busy
 * event loop.
 */
final class Accepts implements RecvByteBufAllocator {
    static final int A_TURN = 16;
    /** A turn that takes longer than this accepts as many for each such time. */
    private static final long LONG_TURN_NS = TimeUnit.MILLISECONDS.toNanos(8);

    private final RecvByteBufAllocator all =
            new ServerChannelRecvByteBufAllocator().respectMaybeMoreData(false).maxMessagesPerRead(Integer.MAX_VALUE);
    private final LongSupplier clock;

    Accepts(LongSupplier clock) {
        this.clock = clock;
    }

    @Override
    @SuppressWarnings("deprecation") // of the interface
    public Handle newHandle() {
        return new Turn((ExtendedHandle) all.newHandle());
    }

    /** What one listener accepts. Confined to its event loop. */
    private final class Turn extends DelegatingHandle implements ExtendedHandle {
        private final ExtendedHandle its;
        private int left;
        private boolean cut;
        private long sinceNs;

        Turn(ExtendedHandle its) {
            super(its);
            this.its = its;
        }

        @Override
        public void reset(ChannelConfig config) {
            super.reset(config);
            long nowNs = clock.getAsLong();
            left = cut ? (int) Math.min(1 << 20, A_TURN * Math.max(1, (nowNs - sinceNs) / LONG_TURN_NS)) : A_TURN;
            sinceNs = nowNs;
            cut = false;
        }

        @Override
        public boolean continueReading() {
            return mayGoOn() && super.continueReading();
        }

        @Override
        public boolean continueReading(UncheckedBooleanSupplier more) {
            return mayGoOn() && its.continueReading(more);
        }

        private boolean mayGoOn() {
            cut = --left <= 0;
            return !cut;
        }
    }
}
