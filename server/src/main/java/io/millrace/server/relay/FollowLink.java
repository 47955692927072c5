package io.millrace.server.relay;

import io.millrace.server.replay.LogReader;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.Seek;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCountUtil;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings the bytes of a log to a reader on whatever event loop that is. At most {@link #WINDOW} bytes and a segment are on
 * their way or wait at the reader; more follow when it has written them. Confined to the log's event loop.
 */
final class FollowLink implements LogReader {
    private static final int WINDOW = 64 * 1024;
    /** A reader that has taken nothing for so long gives its place to another. */
    private static final long STALL_NS = TimeUnit.SECONDS.toNanos(5);

    private final Executor readersLoop;
    private final Reader reader;
    private @Nullable StreamLog log;
    private @Nullable Seek seek;
    private boolean left;
    private long onTheWay;
    private long sinceNs;

    /** Gets the bytes, on its own event loop. */
    interface Reader {
        /** The next bytes; ownership is transferred. */
        void onBytes(ByteBuf bytes);

        /** Nothing follows: the stream ended so, or null if the rest of it is gone. */
        void onEnd(@Nullable Seal seal);
    }

    /** For {@code reader}, which is called on {@code readersLoop}. */
    FollowLink(Executor readersLoop, Reader reader) {
        this.readersLoop = readersLoop;
        this.reader = reader;
    }

    /** Begins to bring what {@code from} has from this offset on. */
    void begin(StreamLog from, long offset) {
        if (left) {
            return;
        }
        log = from;
        from.countFollow();
        from.attach(this, offset);
    }

    /** Has the place sought at which the reader goes on. */
    void seek(Seek place, StreamLog in, LongConsumer found) {
        if (!left) {
            seek = place;
            place.begin(in, found);
        }
    }

    /** The reader has written so many bytes and takes more. */
    void onTaken(long bytes) {
        onTheWay -= bytes;
        sinceNs = System.nanoTime();
        if (log != null) {
            log.resume(this);
        }
    }

    /** The reader is gone. */
    void leave() {
        left = true;
        if (seek != null) {
            seek.leave();
            seek = null;
        }
        if (log != null) {
            log.detach(this);
            log = null;
        }
    }

    @Override
    public boolean wants() {
        return onTheWay < WINDOW;
    }

    @Override
    public boolean isStalled(long nowNs) {
        return onTheWay > 0 && nowNs - sinceNs >= STALL_NS;
    }

    @Override
    public void onBytes(ByteBuf bytes, long offset) {
        if (onTheWay == 0) {
            sinceNs = System.nanoTime();
        }
        onTheWay += bytes.readableBytes();
        bring(bytes, () -> reader.onBytes(bytes));
    }

    @Override
    public void onSealed(Seal seal, long end) {
        log = null;
        bring(null, () -> reader.onEnd(seal));
    }

    @Override
    public void onGone(long oldest) {
        log = null;
        bring(null, () -> reader.onEnd(null));
    }

    /** Its event loop may have ended before this one. */
    private void bring(@Nullable ByteBuf bytes, Runnable task) {
        try {
            readersLoop.execute(task);
        } catch (RejectedExecutionException e) {
            ReferenceCountUtil.release(bytes);
        }
    }
}
