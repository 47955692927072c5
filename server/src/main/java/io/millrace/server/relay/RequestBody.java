package io.millrace.server.relay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.CompositeByteBuf;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The parts of a request body, kept for as long as the request may have to be sent once more or is not routed yet. What
 * all requests of the process keep is bounded.
 */
final class RequestBody {
    /** Beyond this the parts are copied into one: a body that comes byte by byte must not cost a buffer per byte. */
    private static final int MAX_PARTS = 1024;

    private CompositeByteBuf parts;
    private final Budget budget;
    private long received;
    private boolean kept = true;

    /** Bytes that all kept bodies may hold together. */
    static final class Budget {
        private final long limit;
        private final AtomicLong used = new AtomicLong();

        Budget(long limit) {
            this.limit = limit;
        }

        /** Bytes held now. */
        long used() {
            return used.get();
        }

        private boolean take(long bytes) {
            if (used.addAndGet(bytes) > limit) {
                used.addAndGet(-bytes);
                return false;
            }
            return true;
        }

        private void giveBack(long bytes) {
            used.addAndGet(-bytes);
        }
    }

    RequestBody(ByteBufAllocator alloc, Budget budget) {
        parts = alloc.compositeBuffer(MAX_PARTS);
        this.budget = budget;
    }

    /** Bytes received so far, kept or not. */
    long received() {
        return received;
    }

    /** Whether everything received is still here. */
    boolean isKept() {
        return kept;
    }

    /** The bytes kept; remains with this. */
    ByteBuf bytes() {
        return parts;
    }

    /**
     * Takes a part; ownership is transferred.
     *
     * @return false if the process's budget is used up; the part is released
     */
    boolean add(ByteBuf part) {
        int length = part.readableBytes();
        if (!budget.take(length)) {
            part.release();
            return false;
        }
        received += length;
        parts.addComponent(true, part);
        return true;
    }

    /** Counts a part that is passed on without being kept. */
    void passed(int length) {
        received += length;
    }

    /** Hands a retained copy of every byte kept to {@code out}, which releases it. */
    void copyTo(Consumer<ByteBuf> out) {
        if (kept && parts.isReadable()) {
            out.accept(parts.retainedDuplicate());
        }
    }

    /** {@code whole} with its bytes {@code [start, end)} replaced; takes both buffers over. */
    static ByteBuf replace(ByteBuf whole, int start, int end, ByteBuf replacement) {
        CompositeByteBuf changed = whole.alloc().compositeBuffer(3);
        changed.addComponent(true, whole.retainedSlice(0, start));
        changed.addComponent(true, replacement);
        changed.addComponent(true, whole.retainedSlice(end, whole.readableBytes() - end));
        whole.release();
        return changed;
    }

    /** Lets the bytes go: the request cannot be sent again. */
    void drop() {
        if (kept) {
            kept = false;
            budget.giveBack(parts.readableBytes());
            parts.release();
            parts = null; // the object alone would be 170 bytes for each stream
        }
    }
}
