package io.millrace.server.memory;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * A few short buffers that one event loop uses again and again. The one that came back last is taken first, so its memory
 * is still in the processor's cache. Netty's pool hands buffers out in the order in which they came back: among hundreds,
 * the next one is always cold. Confined to its event loop.
 */
public final class WarmBuffers {
    /** The capacity of each, in bytes. */
    public static final int BYTES = 2 * 1024;
    /** One for what is read, one for what is sent, and one for its encrypted form. */
    private static final int MOST = 3;
    /** For threads that are no event loop of a relay. */
    private static final WarmBuffers NONE = new WarmBuffers(0);

    private final @Nullable ByteBuf[] kept;
    private int most;
    private int count;

    WarmBuffers() {
        this(MOST);
    }

    private WarmBuffers(int most) {
        this.most = most;
        kept = new ByteBuf[most];
    }

    /** Those of the running event loop. Other threads get some that keep nothing. */
    public static WarmBuffers current() {
        LoopMemory memory = LoopMemory.current();
        return memory == null ? NONE : memory.buffers();
    }

    /** An empty direct buffer with room for {@code bytes}. A longer one than {@link #BYTES} is from {@code alloc}. */
    public ByteBuf take(ByteBufAllocator alloc, int bytes) {
        if (bytes > BYTES) {
            return alloc.directBuffer(bytes);
        }
        ByteBuf last = count > 0 ? kept[count - 1] : null;
        if (last == null) {
            return alloc.directBuffer(BYTES);
        }
        kept[--count] = null;
        return last.clear();
    }

    /** Releases {@code buffer}. Keeps it if it has the length of those and nobody else holds it. */
    public void giveBack(ByteBuf buffer) {
        // A slice cannot grow, and keeps the buffer of which it is a part.
        boolean whole = buffer.capacity() == BYTES && buffer.maxCapacity() == Integer.MAX_VALUE;
        if (whole && count < most && buffer.refCnt() == 1) {
            kept[count++] = buffer;
        } else {
            buffer.release();
        }
    }

    /** Releases those that are kept, and keeps none any more. */
    void close() {
        most = 0;
        while (count > 0) {
            ByteBuf last = kept[--count];
            if (last != null) {
                last.release();
            }
        }
    }
}
