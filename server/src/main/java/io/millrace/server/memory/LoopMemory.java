package io.millrace.server.memory;

import io.netty.channel.RecvByteBufAllocator;
import io.netty.util.concurrent.FastThreadLocal;
import io.netty.util.concurrent.SingleThreadEventExecutor;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;

/**
 * The memory that one event loop holds. Only that loop writes it, without a locked instruction. Any thread may read it.
 */
public final class LoopMemory {
    private static final Held[] KINDS = Held.values();
    private static final int POOLS = Held.Pool.values().length;
    /** Fields before and after, so that two loops do not share a line of the processors' caches. */
    private static final int PADDING = 16;

    private static final FastThreadLocal<LoopMemory> CURRENT = new FastThreadLocal<>();

    private final MemoryAccount account;
    private final AtomicLongArray held = new AtomicLongArray(PADDING + KINDS.length + POOLS + PADDING);
    private final WarmBuffers buffers = new WarmBuffers();
    private Runnable onFull = () -> {};

    @SuppressWarnings("NullAway.Init") // set before current() returns this
    private ShortReads.Turn turn;

    private MemoryAccount.Level level = MemoryAccount.Level.ROOMY;

    LoopMemory(MemoryAccount account) {
        this.account = account;
    }

    /** The account of the running event loop; null on other threads. */
    public static @Nullable LoopMemory current() {
        return CURRENT.get();
    }

    /** Makes this the account of the running event loop, which is {@code loop}. */
    public void attach(Executor loop) {
        turn = new ShortReads.Turn(loop);
        CURRENT.set(this);
        if (loop instanceof SingleThreadEventExecutor ending) {
            ending.addShutdownHook(buffers::close);
        }
    }

    /**
     * Reads once for each event of a socket. The length of the first read is {@code first}; that of the others follows
     * what comes, between {@code least} and {@code most}, in bytes. A read is short if memory is short, or if very many
     * connections have much to read.
     */
    public static RecvByteBufAllocator reads(int least, int first, int most) {
        return new ShortReads(least, first, most);
    }

    /** The short buffers of this loop. */
    WarmBuffers buffers() {
        return buffers;
    }

    /** The long reads in the current turn of this loop. */
    ShortReads.Turn turn() {
        return turn;
    }

    /** Sets the action for the case that too much is held. It is called often, within the calls that hold memory. */
    public void onFull(Runnable action) {
        onFull = action;
    }

    /** The account of all loops. */
    public MemoryAccount account() {
        return account;
    }

    /** Adds {@code change} bytes of {@code kind}; a negative change removes bytes. */
    public void add(Held kind, long change) {
        add(PADDING + kind.index(), change);
        add(PADDING + KINDS.length + kind.pool().index(), change);
        level = account.level();
        if (change > 0 && level == MemoryAccount.Level.FULL) {
            onFull.run();
        }
    }

    /** Adds {@code bytes} if the pool of {@code kind} then stays within its budget. */
    public boolean take(Held kind, long bytes) {
        Held.Pool pool = kind.pool();
        if (account.held(pool) + bytes > account.budget().of(pool)) {
            return false;
        }
        add(kind, bytes);
        return true;
    }

    /** Adds {@code bytes} of a request if the budget of all requests has room for them. */
    public boolean takeForRequest(long bytes) {
        if (account.held(Held.REQUESTS) + bytes > account.budget().requests()) {
            return false;
        }
        add(Held.REQUESTS, bytes);
        return true;
    }

    /** Whether memory is short. The bytes of another loop are seen when this loop counts the next time. */
    public boolean isTight() {
        if (level != MemoryAccount.Level.ROOMY) {
            level = account.level();
        }
        return level != MemoryAccount.Level.ROOMY;
    }

    /** Whether this loop holds more of {@code pool} than its share, while the pool is relieved. */
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
