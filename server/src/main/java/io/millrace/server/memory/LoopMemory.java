package io.millrace.server.memory;

import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.concurrent.FastThreadLocal;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * What one event loop holds: written by that loop alone, without a locked instruction, read by any thread.
 */
public final class LoopMemory {
    private static final Held[] KINDS = Held.values();
    private static final int POOLS = Held.Pool.values().length;
    /** Fields before and behind, so that two loops' do not share a line of the processors' caches. */
    private static final int PADDING = 16;

    private static final FastThreadLocal<LoopMemory> CURRENT = new FastThreadLocal<>();

    private final MemoryAccount account;
    private final AtomicLongArray held = new AtomicLongArray(PADDING + KINDS.length + POOLS + PADDING);
    private Runnable onFull = () -> {};

    @SuppressWarnings("NullAway.Init") // set before current() gives it
    private ShortReads.Turn turn;

    private MemoryAccount.Level level = MemoryAccount.Level.ROOMY;

    LoopMemory(MemoryAccount account) {
        this.account = account;
    }

    /** That of the event loop which runs this; null elsewhere. */
    public static @Nullable LoopMemory current() {
        return CURRENT.get();
    }

    /** Makes this the running event loop's, which is {@code loop}. */
    public void attach(Executor loop) {
        turn = new ShortReads.Turn(loop);
        CURRENT.set(this);
    }

    /** Limits what {@code reads} takes at once: little if memory is short, or if very many connections have much to read. */
    public static RecvByteBufAllocator shortReads(RecvByteBufAllocator reads) {
        return new ShortReads(reads);
    }

    /** The reads of this loop. */
    ShortReads.Turn turn() {
        return turn;
    }

    /** What is to be done when too much is held; it is called often, from within whatever holds. */
    public void onFull(Runnable action) {
        onFull = action;
    }

    /** The account of all loops. */
    public MemoryAccount account() {
        return account;
    }

    /** Counts {@code change} bytes more, or fewer, of {@code kind}. */
    public void add(Held kind, long change) {
        add(PADDING + kind.index(), change);
        add(PADDING + KINDS.length + kind.pool().index(), change);
        level = account.level();
        if (change > 0 && level == MemoryAccount.Level.FULL) {
            onFull.run();
        }
    }

    /** Counts {@code bytes} if that leaves the kind's pool within its budget. */
    public boolean take(Held kind, long bytes) {
        Held.Pool pool = kind.pool();
        if (account.held(pool) + bytes > account.budget().of(pool)) {
            return false;
        }
        add(kind, bytes);
        return true;
    }

    /** Counts {@code bytes} of a request if all requests have room for them. */
    public boolean takeForRequest(long bytes) {
        if (account.held(Held.REQUESTS) + bytes > account.budget().requests()) {
            return false;
        }
        add(Held.REQUESTS, bytes);
        return true;
    }

    /** Whether memory is short; another loop's doing is seen when this one counts. */
    public boolean isTight() {
        if (level != MemoryAccount.Level.ROOMY) {
            level = account.level();
        }
        return level != MemoryAccount.Level.ROOMY;
    }

    /** Whether this loop holds more of {@code pool} than its share of what is held when it is relieved. */
    public boolean isOverShare(Held.Pool pool) {
        return held(pool) > account.share(pool);
    }

    /** Bytes of this kind that this loop holds. */
    public long held(Held kind) {
        return held.get(PADDING + kind.index());
    }

    long held(Held.Pool pool) {
        return held.get(PADDING + KINDS.length + pool.index());
    }

    private void add(int index, long change) {
        held.lazySet(index, held.getPlain(index) + change);
    }
}
