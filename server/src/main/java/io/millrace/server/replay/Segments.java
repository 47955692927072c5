package io.millrace.server.replay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the newest bytes of a body in pooled buffers of 2 KiB to 16 KiB. Written bytes do not change, so other threads
 * may read slices of them. Must be closed. Confined to one thread.
 */
final class Segments {
    private static final byte CR = '\r';
    private static final byte LF = '\n';
    private static final int FIRST = 2 * 1024;
    private static final int LARGEST = 16 * 1024;

    private final ByteBufAllocator alloc;
    private final ReplayMemory memory;
    private final List<Segment> segments = new ArrayList<>();
    /** The newest segment's bytes; null if there is none. */
    private @Nullable ByteBuf last;

    private int nextSize = FIRST;
    private long oldest;
    private long tail;

    private record Segment(long start, ByteBuf bytes) {
        long end() {
            return start + bytes.writerIndex();
        }
    }

    /** Empty segments. The first byte that is appended has the offset {@code start}. */
    Segments(ByteBufAllocator alloc, ReplayMemory memory, long start) {
        this.alloc = alloc;
        this.memory = memory;
        oldest = start;
        tail = start;
    }

    /** The offset of the first byte that is kept. */
    long oldest() {
        return oldest;
    }

    /** The offset behind the last byte. */
    long tail() {
        return tail;
    }

    /**
     * Appends a copy of {@code [start, end)} of {@code from}.
     *
     * @return false if there was not enough memory; the content is then incomplete and must not be used
     */
    boolean append(ByteBuf from, int start, int end) {
        ByteBuf to = last;
        if (to == null || to.writableBytes() < end - start) {
            return appendAcross(from, start, end);
        }
        copy(from, start, end - start, to);
        tail += end - start;
        return true;
    }

    private boolean appendAcross(ByteBuf from, int start, int end) {
        int at = start;
        while (at < end) {
            ByteBuf to = last != null && last.isWritable() ? last : next();
            if (to == null) {
                return false;
            }
            int length = Math.min(end - at, to.writableBytes());
            copy(from, at, length, to);
            at += length;
            tail += length;
        }
        return true;
    }

    /**
     * Copies without garbage. If Netty may not use Unsafe, its own copy between direct buffers makes two views. This
     * copy uses the view that {@code from} has already. A read-only buffer may be shared by event loops, so its view is
     * not used.
     */
    private static void copy(ByteBuf from, int at, int length, ByteBuf to) {
        if (from.isDirect() && from.nioBufferCount() == 1 && !from.isReadOnly()) {
            to.writeBytes(from.internalNioBuffer(at, length));
        } else {
            to.writeBytes(from, at, length);
        }
    }

    /** Adds a segment. Returns null if there is no memory for it, because the stream itself must not fail then. */
    private @Nullable ByteBuf next() {
        if (!memory.take(nextSize)) {
            return null;
        }
        try {
            ByteBuf next = alloc.directBuffer(nextSize, nextSize);
            segments.add(new Segment(tail, next));
            last = next;
            nextSize = Math.min(2 * nextSize, LARGEST);
            return next;
        } catch (OutOfMemoryError e) {
            memory.giveBack(nextSize);
            return null;
        }
    }

    /**
     * A retained slice that begins at {@code from}, an offset of a byte that is kept.
     *
     * @param max the greatest length of the slice; it may be shorter, because it ends with its segment
     */
    ByteBuf slice(long from, int max) {
        Segment segment = segments.get(indexOf(from));
        int index = (int) (from - segment.start());
        return segment.bytes()
                .retainedSlice(index, Math.min(max, segment.bytes().writerIndex() - index));
    }

    /** Appends a copy of {@code length} bytes from the offset {@code from} on to {@code to}. */
    void copy(long from, int length, ByteBuf to) {
        int left = length;
        for (int i = indexOf(from); left > 0; i++) {
            Segment segment = segments.get(i);
            int index = (int) (from + length - left - segment.start());
            int bytes = Math.min(left, segment.bytes().writerIndex() - index);
            to.writeBytes(segment.bytes(), index, bytes);
            left -= bytes;
        }
    }

    /** Whether a blank line ends at {@code offset}, which must be greater than {@link #oldest}. */
    boolean endsInBlankLine(long offset) {
        long at = offset - 1;
        byte last = byteAt(at--);
        if (last == LF && byteAt(at) == CR) {
            at--;
        }
        byte before = byteAt(at);
        return (last == LF || last == CR) && (before == LF || before == CR);
    }

    /** The byte at this offset; 0 if it is not kept. */
    private byte byteAt(long offset) {
        if (offset < oldest) {
            return 0;
        }
        Segment segment = segments.get(indexOf(offset));
        return segment.bytes().getByte((int) (offset - segment.start()));
    }

    /**
     * Drops the oldest segments until at most {@code most} bytes or one segment are left.
     *
     * @param needed how many of the newest bytes must not be dropped
     */
    void keepAtMost(long most, long needed) {
        int dropped = 0;
        while (tail - oldest > most
                && dropped < segments.size() - 1
                && tail - segments.get(dropped + 1).start() >= needed) {
            release(segments.get(dropped++));
            oldest = segments.get(dropped).start();
        }
        segments.subList(0, dropped).clear();
    }

    /** Drops all bytes. */
    void close() {
        segments.forEach(this::release);
        segments.clear();
        last = null;
        oldest = tail;
    }

    private void release(Segment segment) {
        memory.giveBack(segment.bytes().capacity());
        segment.bytes().release();
    }

    private int indexOf(long offset) {
        int low = 0;
        int high = segments.size() - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (segments.get(middle).end() <= offset) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
