package io.millrace.server.relay;

import static java.util.Objects.requireNonNull;

import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The parts of a request body. They are kept while the request may have to be sent again or has no route yet. There is
 * a limit for all requests of the process and for one of them. A small body always has room.
 */
final class RequestBody {
    /** A body up to this size is always kept. */
    static final int ALWAYS_KEPT = 64 * 1024;

    /**
     * The number of parts above which they are copied into one, so that a body of many parts does not cost a buffer for
     * each.
     */
    private static final int MAX_PARTS = 1024;

    /** A smaller part is copied, because it would hold the whole buffer that it was read into. */
    private static final int KEPT_AS_READ = 16 * 1024;

    private static final int LEAST_ROOM = 2 * 1024;
    private static final int PACE_BYTES = 64 * 1024;

    private final ByteBufAllocator alloc;
    private final LoopMemory memory;
    /** Null after the bytes were dropped. The object alone would take 170 bytes for each stream. */
    private @Nullable CompositeByteBuf parts;

    private long counted;
    private long received;
    private long pacedBytes;
    private long pacedNs = System.nanoTime();

    RequestBody(ByteBufAllocator alloc, LoopMemory memory) {
        this.alloc = alloc;
        this.memory = memory;
        parts = alloc.compositeBuffer(MAX_PARTS);
    }

    /** The bytes received so far, kept or not. */
    long received() {
        return received;
    }

    /** Whether all received bytes are kept. */
    boolean isKept() {
        return parts != null;
    }

    /** Bytes kept. */
    int held() {
        return parts == null ? 0 : parts.readableBytes();
    }

    /** When the last 64 KiB of it were complete. Of several bodies, the one with the earliest time is the slowest. */
    long pacedNs() {
        return pacedNs;
    }

    /** The kept bytes, which remain with this. Not to be called after they were dropped. */
    ByteBuf bytes() {
        return whole();
    }

    private CompositeByteBuf whole() {
        return requireNonNull(parts, "the body was dropped");
    }

    /** The most bytes that one request may keep, even if no other request keeps any. */
    long share() {
        return memory.account().budget().oneRequest();
    }

    /** Whether another {@code length} bytes exceed the limit of one request. */
    boolean isOverShare(int length) {
        long after = (long) held() + length;
        return after > ALWAYS_KEPT && after > share();
    }

    /**
     * Takes a part; ownership is transferred, unless there is no room.
     *
     * @return false if the process's budget is used up; the part remains with the caller
     */
    boolean add(ByteBuf part) {
        int length = part.readableBytes();
        if (held() + length <= ALWAYS_KEPT) {
            memory.add(Held.REQUESTS, length);
        } else if (isOverShare(length) || !memory.takeForRequest(length)) {
            return false;
        }
        counted += length;
        passed(length);
        keep(part, length);
        return true;
    }

    /** Counts a part that is passed on and not kept. */
    void passed(int length) {
        received += length;
        if (received - pacedBytes >= PACE_BYTES) {
            pacedBytes = received;
            pacedNs = System.nanoTime();
        }
    }

    /** Passes a retained copy of all kept bytes to {@code out}, which releases it. */
    void copyTo(Consumer<ByteBuf> out) {
        if (parts != null && parts.isReadable()) {
            out.accept(parts.retainedDuplicate());
        }
    }

    /** {@code whole} with its bytes {@code [start, end)} replaced. The ownership of both buffers is transferred. */
    static ByteBuf replace(ByteBuf whole, int start, int end, ByteBuf replacement) {
        CompositeByteBuf changed = whole.alloc().compositeBuffer(3);
        changed.addComponent(true, whole.retainedSlice(0, start));
        changed.addComponent(true, replacement);
        changed.addComponent(true, whole.retainedSlice(end, whole.readableBytes() - end));
        whole.release();
        return changed;
    }

    /** Drops the bytes. The request cannot be sent again. */
    void drop() {
        if (parts != null) {
            memory.add(Held.REQUESTS, -counted);
            parts.release();
            parts = null;
        }
    }

    private void keep(ByteBuf part, int length) {
        CompositeByteBuf whole = whole();
        int end = whole.writerIndex();
        if (end == 0 || length >= KEPT_AS_READ) {
            whole.capacity(end);
            whole.addComponent(true, part);
            return;
        }
        try {
            if (whole.capacity() - end < length) {
                whole.capacity(end);
                int room = Math.max(length, Math.min(PACE_BYTES, Math.max(LEAST_ROOM, end)));
                whole.addComponent(false, alloc.buffer(room).writerIndex(room));
            }
            whole.writeBytes(part);
        } finally {
            part.release(); // there may be no memory for a copy
        }
    }
}
