package io.millrace.server.memory;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelConfig;
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

    private final int least;
    private final int first;
    private final int most;

    ShortReads(int least, int first, int most) {
        this.least = least;
        this.first = first;
        this.most = most;
    }

    @Override
    @SuppressWarnings("deprecation")
    public RecvByteBufAllocator.Handle newHandle() {
        return new OneRead(first, least, most);
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

    /**
     * One read for each event of a socket, of a length that follows what came: much longer at once if a read was filled,
     * half if it was twice at most half full. Created on the event loop that uses it.
     */
    private static final class OneRead implements ExtendedHandle {
        private static final int GROWTH = 16;

        private final int least;
        private final int most;
        private final @Nullable LoopMemory memory = LoopMemory.current();
        private int next;
        private int attempted;
        private int read;
        private boolean wasSmall;

        OneRead(int first, int least, int most) {
            next = first;
            this.least = least;
            this.most = most;
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
            if (next <= SHORT_BYTES || memory == null) {
                return next;
            }
            return memory.isTight() ? SHORT_BYTES : Math.min(next, memory.turn().most());
        }

        @Override
        public void reset(ChannelConfig config) {
            read = 0;
        }

        @Override
        public void incMessagesRead(int messages) {
            // Nothing to do: there is one.
        }

        @Override
        public void attemptedBytesRead(int bytes) {
            attempted = bytes;
        }

        @Override
        public int attemptedBytesRead() {
            return attempted;
        }

        @Override
        public void lastBytesRead(int bytes) {
            read = bytes;
        }

        @Override
        public int lastBytesRead() {
            return read;
        }

        @Override
        public boolean continueReading() {
            return false;
        }

        @Override
        public boolean continueReading(UncheckedBooleanSupplier maybeMoreData) {
            return false;
        }

        @Override
        public void readComplete() {
            if (read >= next) {
                next = Math.min(next * GROWTH, most);
                wasSmall = false;
            } else if (read <= next / 2) {
                next = wasSmall ? Math.max(next / 2, least) : next;
                wasSmall = !wasSmall;
            }
        }
    }
}
