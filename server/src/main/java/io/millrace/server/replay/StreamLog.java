package io.millrace.server.replay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the body of one stream. Readers may begin anywhere in it. Must be closed. Confined to the event loop that
 * writes the log.
 */
public final class StreamLog {
    /** A reader that is behind gets at most this many bytes at a time. Then other readers have their turn. */
    private static final int TURN_BYTES = 64 * 1024;

    private final Segments segments;
    private final ReplayMemory memory;
    private final long most;
    private final Executor turns;
    /** Of most logs the empty one, which is one object for all. */
    private List<Following> readers = List.of();

    private @Nullable Seal seal;
    private boolean closed;
    private boolean paced;
    private int follows;
    private boolean readElsewhere;
    private long lostAt = -1;
    /** Called after each {@link #flush}; null for none. */
    private @Nullable Runnable onFlush;

    /** A reader and its offset. */
    private static final class Following {
        private final LogReader reader;
        private long at;
        private boolean left;
        private boolean waits;

        Following(LogReader reader, long at) {
            this.reader = reader;
            this.at = at;
        }
    }

    /**
     * An empty log.
     *
     * @param most how many bytes are kept; the oldest segments are dropped first
     * @param turns runs a task later on the event loop; readers that are behind have their turns there
     */
    public StreamLog(ByteBufAllocator alloc, ReplayMemory memory, long most, Executor turns) {
        this(alloc, memory, most, turns, 0);
    }

    /** An empty log of a stream whose bytes before {@code start} are not kept. */
    public StreamLog(ByteBufAllocator alloc, ReplayMemory memory, long most, Executor turns, long start) {
        segments = new Segments(alloc, memory, start);
        this.memory = memory;
        this.most = most;
        this.turns = turns;
        memory.logs(1, 0);
    }

    /** The offset of the first byte that is kept. */
    public long oldest() {
        return segments.oldest();
    }

    /** The offset behind the last byte. */
    public long tail() {
        return segments.tail();
    }

    /** The number of bytes that are kept. */
    public long held() {
        return tail() - oldest();
    }

    /** How the stream ended; null if it is in progress, or if the log was closed before its end. */
    public @Nullable Seal seal() {
        return seal;
    }

    /** Whether the log was closed. It keeps nothing then. */
    public boolean isClosed() {
        return closed;
    }

    /**
     * Appends a copy of {@code [start, end)} of {@code frames}. Readers get it with the next {@link #flush}. If there
     * is no memory for it, the log is closed.
     */
    public void append(ByteBuf frames, int start, int end) {
        if (closed || seal != null) {
            return;
        }
        if (!segments.append(frames, start, end)) {
            memory.gaveUp(ReplayMemory.GivenUp.LIVE);
            close();
            return;
        }
        keepAtMost();
    }

    /**
     * Tells the log that its writer waits for the fastest reader from now on. The log then keeps the bytes that this
     * reader has not had yet, even if they are more than the limit.
     */
    public void waitsForReaders() {
        paced = true;
    }

    /** Gives the appended bytes to the readers. */
    public void flush() {
        for (int i = readers.size() - 1; i >= 0; i--) {
            if (i < readers.size()) {
                serve(readers.get(i));
            }
        }
        if (onFlush != null) {
            onFlush.run();
        }
    }

    /** Calls {@code action} after each flush, after the seal, and when the log is closed. */
    public void onFlush(Runnable action) {
        onFlush = action;
    }

    /**
     * Reads bytes of the log.
     *
     * @param from the offset of a byte that is kept
     * @param max the most bytes to return
     * @return at least one byte; the caller must release it
     */
    public ByteBuf read(long from, int max) {
        return segments.slice(from, max);
    }

    /** Appends a copy of bytes that are kept to {@code to}. */
    public void copy(long from, int bytes, ByteBuf to) {
        segments.copy(from, bytes, to);
    }

    /** Ends the log. Nothing is appended after that. Only the first call has an effect. */
    public void seal(Seal how) {
        if (!closed && seal == null) {
            seal = how;
            memory.logs(-1, 1);
            flush();
        }
    }

    /**
     * Ends the log of a stream whose node is gone.
     *
     * @param error an event that says so; ownership is transferred. Null if the stream cannot have an error event here
     */
    public void sealLost(@Nullable ByteBuf error) {
        long end = tail();
        if (error == null) {
            seal(Seal.BROKEN);
            return;
        }
        append(error, error.readerIndex(), error.writerIndex());
        error.release();
        lostAt = end;
        seal(Seal.LOST);
    }

    /** The offset of the event that says that the stream's node is gone; -1 if there is none. */
    public long lostAt() {
        return lostAt;
    }

    /**
     * Adds a reader. It gets the bytes that are there at once.
     *
     * @param from the offset of the first byte that it gets, at most {@link #tail}
     */
    public void attach(LogReader reader, long from) {
        if (from < 0 || from > tail()) {
            throw new IllegalArgumentException("from: " + from + " (expected: 0 to " + tail() + ")");
        }
        var following = new Following(reader, from);
        if (readers.isEmpty()) {
            readers = new ArrayList<>();
        }
        readers.add(following);
        memory.readers(1);
        serve(following);
    }

    /** Removes a reader. It gets no more calls. */
    public void detach(LogReader reader) {
        Following following = find(reader);
        if (following != null) {
            leave(following);
        }
    }

    /** Tells the log that a reader takes bytes again. One that is behind has its turn after others that are. */
    public void resume(LogReader reader) {
        Following following = find(reader);
        if (following == null || following.waits) {
            return;
        }
        if (following.at < tail()) {
            serveLater(following);
        } else {
            serve(following);
        }
    }

    /** How many bytes the fastest reader has not had yet. Without readers: how many bytes are kept. */
    public long leastBehind() {
        long least = held();
        for (Following each : readers) {
            least = Math.min(least, tail() - each.at);
        }
        return least;
    }

    /** Tells the log whether a client of another node reads the stream. */
    public void readElsewhere(boolean is) {
        follows += is && !readElsewhere ? 1 : 0;
        readElsewhere = is;
    }

    /** Whether a client reads the stream, here or on another node. */
    public boolean isRead() {
        return !readers.isEmpty() || readElsewhere;
    }

    /** Whether a reader has all bytes and waits for more. A reader on another node counts as such. */
    public boolean isAwaited() {
        if (readElsewhere) {
            return true;
        }
        for (Following each : readers) {
            if (each.at == tail()) {
                return true;
            }
        }
        return false;
    }

    /** Whether a frame may begin at {@code offset}: it is the start, or a blank line ends there. */
    public boolean isBetweenFrames(long offset) {
        return offset == 0 || (offset > oldest() && offset <= tail() && segments.endsInBlankLine(offset));
    }

    /** The number of readers. */
    public int readers() {
        return readers.size();
    }

    /** Counts a client that begins to follow and is not the one that asked. */
    public void countFollow() {
        follows++;
    }

    /** The number of clients that have followed so far, without the one that asked. */
    public int follows() {
        return follows;
    }

    /**
     * Whether nobody has followed the stream, and the client that asked has left. Such a log may be dropped if memory
     * is short.
     */
    public boolean isSpare() {
        return !paced && follows == 0 && !isRead();
    }

    /**
     * Removes a reader that is {@linkplain LogReader#isStalled stalled}, so that another one has its place.
     *
     * @return false if there is none
     */
    public boolean cutStalled(long nowNs) {
        for (Following each : readers) {
            if (each.reader.isStalled(nowNs)) {
                leave(each);
                each.reader.onGone(oldest());
                return true;
            }
        }
        return false;
    }

    /** Drops all bytes. Readers that have not had all of them learn that the bytes are gone. */
    public void close() {
        if (!closed) {
            closed = true;
            segments.close();
            memory.logs(seal == null ? -1 : 0, seal == null ? 0 : -1);
            flush();
        }
    }

    private void serve(Following following) {
        int left = TURN_BYTES;
        while (!following.left && !following.waits) {
            if (following.at < oldest() || (closed && seal == null)) {
                leave(following);
                following.reader.onGone(oldest());
            } else if (following.at == tail()) {
                if (seal != null) {
                    leave(following);
                    following.reader.onSealed(seal, tail());
                }
                return;
            } else if (!following.reader.wants()) {
                return;
            } else if (left == 0) {
                serveLater(following);
            } else {
                ByteBuf bytes = segments.slice(following.at, left);
                long offset = following.at;
                left -= bytes.readableBytes();
                following.at += bytes.readableBytes();
                keepAtMost();
                following.reader.onBytes(bytes, offset);
            }
        }
    }

    /** Drops the bytes before {@code offset} that no reader needs. They are kept elsewhere. */
    public void dropBefore(long offset) {
        long needed = tail() - offset;
        for (Following each : readers) {
            needed = Math.max(needed, tail() - each.at);
        }
        segments.keepAtMost(0, needed);
    }

    private void keepAtMost() {
        if (held() > most) {
            segments.keepAtMost(most, paced && !readers.isEmpty() ? leastBehind() : 0);
        }
    }

    private void serveLater(Following following) {
        following.waits = true;
        turns.execute(() -> {
            following.waits = false;
            serve(following);
        });
    }

    private void leave(Following following) {
        following.left = true;
        if (readers.remove(following)) {
            memory.readers(-1);
        }
    }

    @SuppressWarnings("ReferenceEquality") // a reader is itself
    private @Nullable Following find(LogReader reader) {
        for (Following each : readers) {
            if (each.reader == reader) {
                return each;
            }
        }
        return null;
    }
}
