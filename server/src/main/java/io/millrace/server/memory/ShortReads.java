package io.millrace.server.memory;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.UncheckedBooleanSupplier;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Limits the length of one read. A read is short if memory is short, because the bytes must be held. It is even shorter
 * if very many connections have much to read, because a new connection waits for all of them.
 */
final class ShortReads implements RecvByteBufAllocator {
    private static final int SHORT_BYTES = 2 * 1024;
    /** The length from which a read shares the turn's bytes with the other long reads. */
    private static final int SHARED_FROM = 4 * 1024;
    /**
     * The bytes that all long reads of one turn of the event loop may take together. Later reads of the same turn are
     * short.
     */
    private static final int TURN_BYTES = 4 << 20;

    private final RecvByteBufAllocator reads;

    ShortReads(RecvByteBufAllocator reads) {
        this.reads = reads;
    }

    @Override
    @SuppressWarnings("deprecation")
    public RecvByteBufAllocator.Handle newHandle() {
        return new ShortHandle((ExtendedHandle) reads.newHandle());
    }

    /** The long reads of a turn of an event loop. Confined to that event loop. */
    static final class Turn implements Runnable {
        private final Executor loop;
        private int longReads;
        private long bytes;
        private int most = Integer.MAX_VALUE;

        Turn(Executor loop) {
            this.loop = loop;
        }

        /** The longest next read of this turn. */
        int most() {
            return bytes < TURN_BYTES ? most : SHORT_BYTES;
        }

        void onLongRead(int size) {
            bytes += size;
            if (longReads++ == 0) {
                loop.execute(this);
            }
        }

        /** Ends the turn. The next one is expected to have about as many long reads. */
        @Override
        public void run() {
            most = Math.max(SHARED_FROM, TURN_BYTES / longReads);
            longReads = 0;
            bytes = 0;
        }
    }

    /** Created on the event loop that uses it. */
    private static final class ShortHandle extends DelegatingHandle implements ExtendedHandle {
        private final ExtendedHandle handle;
        private final @Nullable LoopMemory memory = LoopMemory.current();

        ShortHandle(ExtendedHandle handle) {
            super(handle);
            this.handle = handle;
        }

        @Override
        public ByteBuf allocate(ByteBufAllocator alloc) {
            int bytes = guess();
            if (bytes >= SHARED_FROM && memory != null) {
                memory.turn().onLongRead(bytes);
            }
            return alloc.ioBuffer(bytes);
        }

        @Override
        public int guess() {
            int guess = handle.guess();
            if (guess <= SHORT_BYTES || memory == null) {
                return guess;
            }
            return memory.isTight()
                    ? SHORT_BYTES
                    : Math.min(guess, memory.turn().most());
        }

        @Override
        public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
            return handle.continueReading(maybeMoreData);
        }
    }
}
