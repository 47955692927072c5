package io.millrace.server.memory;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;

/** Reads as another would, but little at once where memory is short: what is read must be held. */
public final class ShortReads implements RecvByteBufAllocator {
    private static final int SHORT_BYTES = 2048;

    private final RecvByteBufAllocator reads;

    public ShortReads(RecvByteBufAllocator reads) {
        this.reads = reads;
    }

    @Override
    @SuppressWarnings("deprecation")
    public RecvByteBufAllocator.Handle newHandle() {
        return new ShortHandle((ExtendedHandle) reads.newHandle());
    }

    /** Made on the event loop that it is used on. */
    private static final class ShortHandle extends DelegatingHandle implements ExtendedHandle {
        private final ExtendedHandle handle;
        private final LoopMemory memory = LoopMemory.current();

        ShortHandle(ExtendedHandle handle) {
            super(handle);
            this.handle = handle;
        }

        @Override
        public ByteBuf allocate(ByteBufAllocator alloc) {
            return alloc.ioBuffer(guess());
        }

        @Override
        public int guess() {
            int guess = handle.guess();
            return guess > SHORT_BYTES && memory != null && memory.isTight() ? SHORT_BYTES : guess;
        }

        @Override
        public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
            return handle.continueReading(maybeMoreData);
        }
    }
}
