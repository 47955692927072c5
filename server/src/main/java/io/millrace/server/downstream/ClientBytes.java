package io.millrace.server.downstream;

import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;
import io.netty.channel.Channel;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * Counts the bytes that the relay holds for a client's connection: those that the client has not taken, and those that
 * it has sent ahead. Tells when a client takes nothing. Confined to the connection's event loop.
 */
final class ClientBytes {
    /** The longest time that a client gets to take its bytes when memory is short. */
    private static final long STALL_WHEN_TIGHT_NS = TimeUnit.SECONDS.toNanos(5);

    private final Channel channel;
    private final LoopMemory memory;
    private final IntSupplier ahead;
    private final LongSupplier before;
    private final long writeStallNs;
    private long countedPending;
    private long countedAhead;
    private long pendingWhenChecked;
    private long takenWhenChecked;
    private long drainedNs;

    /**
     * The account of {@code channel}, which holds nothing at first.
     *
     * @param ahead the bytes that have been read and are not handed on
     * @param writeStall the time in which a client must take something
     */
    ClientBytes(Channel channel, LoopMemory memory, IntSupplier ahead, Duration writeStall) {
        this(channel, memory, ahead, () -> 0, writeStall);
    }

    /**
     * The account of {@code channel}, which holds nothing at first.
     *
     * @param before the bytes that wait for the client before the channel
     */
    ClientBytes(Channel channel, LoopMemory memory, IntSupplier ahead, LongSupplier before, Duration writeStall) {
        this.channel = channel;
        this.memory = memory;
        this.ahead = ahead;
        this.before = before;
        writeStallNs = writeStall.toNanos();
    }

    /** Bytes written and not yet taken by the kernel. */
    long pending() {
        return before.getAsLong() + inChannel();
    }

    /** Bytes that were flushed, and that the kernel has not taken. */
    long backedUp() {
        var outbound = channel.unsafe().outboundBuffer();
        return outbound == null || outbound.isEmpty() ? 0 : outbound.totalPendingWriteBytes();
    }

    private long inChannel() {
        var outbound = channel.unsafe().outboundBuffer();
        return outbound == null ? 0 : outbound.totalPendingWriteBytes();
    }

    /** Bytes counted as held. */
    long held() {
        return countedPending + countedAhead;
    }

    /** Counts what is held now. */
    void count() {
        long pending = pending();
        if (pending != countedPending) {
            long change = pending - countedPending;
            countedPending = pending;
            memory.add(Held.CLIENTS, change);
        }
        long sentAhead = channel.isActive() ? ahead.getAsInt() : 0;
        if (sentAhead != countedAhead) {
            long change = sentAhead - countedAhead;
            countedAhead = sentAhead;
            memory.add(Held.REQUESTS, change);
        }
    }

    /** Restarts the client's time. */
    void restartStall(long nowNs) {
        drainedNs = nowNs;
    }

    /**
     * Whether the client has taken nothing for the write-stall limit although bytes wait for it.
     *
     * @param bodyBytes the bytes of the stream in progress that were written so far
     */
    boolean isStalled(long nowNs, long bodyBytes) {
        long pending = unsent();
        long taken = bodyBytes - pending;
        if (pending == 0 || pending < pendingWhenChecked || taken > takenWhenChecked) {
            drainedNs = nowNs;
        }
        pendingWhenChecked = pending;
        takenWhenChecked = taken;
        return isLongerThanStall(nowNs - drainedNs);
    }

    /** Whether a client that has taken nothing for this long must be cut. */
    boolean isLongerThanStall(long ns) {
        return ns > (memory.isTight() ? Math.min(writeStallNs, STALL_WHEN_TIGHT_NS) : writeStallNs);
    }

    /** Like {@link #pending()}, but without the part of the first buffer that the kernel has taken. */
    private long unsent() {
        var outbound = channel.unsafe().outboundBuffer();
        return outbound == null ? 0 : outbound.totalPendingWriteBytes() - outbound.currentProgress();
    }
}
