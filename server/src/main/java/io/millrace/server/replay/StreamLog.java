package io.millrace.server.replay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** The body of one stream, for readers at any place in it. Must be closed. Confined to the event loop that writes it. */
public final class StreamLog {
    /** A reader that is behind gets so many bytes, then others have their turn. */
    private static final int TURN_BYTES = 64 * 1024;

    private final Segments segments;
    private final ReplayMemory memory;
    private final long most;
    private final Executor turns;
    private final List<Following> readers = new ArrayList<>();
    private @Nullable Seal seal;
    private boolean closed;
    private boolean paced;

    /** A reader, and where it is. */
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
     * @param most the bytes that are kept; the oldest are dropped first, segment by segment
     * @param turns runs a task later on the event loop
     */
    public StreamLog(ByteBufAllocator alloc, ReplayMemory memory, long most, Executor turns) {
        segments = new Segments(alloc, memory);
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

    /** How it ended; null while it is live, and where it was closed before it ended. */
    public @Nullable Seal seal() {
        return seal;
    }

    /** Whether nothing is kept any more. */
    public boolean isClosed() {
        return closed;
    }

    /**
     * Appends a copy of {@code [start, end)} of {@code frames}; readers get it with the next {@link #flush}. Where there is
     * no memory for it, the log is closed.
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
     * From now on who writes the log waits for its fastest reader. So what that one has before it is not dropped, however
     * much comes at once.
     */
    public void waitsForReaders() {
        paced = true;
    }

    /** Gives readers what was appended. */
    public void flush() {
        for (int i = readers.size() - 1; i >= 0; i--) {
            if (i < readers.size()) {
                serve(readers.get(i));
            }
        }
    }

    /** Ends the log: nothing is appended any more. The first seal holds. */
    public void seal(Seal how) {
        if (!closed && seal == null) {
            seal = how;
            memory.logs(-1, 1);
            flush();
        }
    }

    /**
     * Adds a reader, which gets what there is at once.
     *
     * @param from the offset of the first byte that it gets, at most {@link #tail}
     */
    public void attach(LogReader reader, long from) {
        if (from < 0 || from > tail()) {
            throw new IllegalArgumentException("from: " + from + " (expected: 0 to " + tail() + ")");
        }
        var following = new Following(reader, from);
        readers.add(following);
        memory.readers(1);
        serve(following);
    }

    /** Removes a reader, which gets no more calls. */
    public void detach(LogReader reader) {
        Following following = find(reader);
        if (following != null) {
            leave(following);
        }
    }

    /** A reader that took nothing takes bytes again. */
    public void resume(LogReader reader) {
        Following following = find(reader);
        if (following != null) {
            serve(following);
        }
    }

    /** Bytes that the fastest reader has before it; all that is kept if there is none. */
    public long leastBehind() {
        long least = tail() - oldest();
        for (Following each : readers) {
            least = Math.min(least, tail() - each.at);
        }
        return least;
    }

    /** Whether a reader has all that there is, and waits for more. */
    public boolean isAwaited() {
        for (Following each : readers) {
            if (each.at == tail()) {
                return true;
            }
        }
        return false;
    }

    /** Whether a frame may begin at {@code offset}: nothing or a blank line is before it. */
    public boolean isBetweenFrames(long offset) {
        return offset == 0 || (offset > oldest() && offset <= tail() && segments.endsInBlankLine(offset));
    }

    /** How many readers follow. */
    public int readers() {
        return readers.size();
    }

    /** Forgets everything. Readers that have not had all of it are told. */
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

    private void keepAtMost() {
        if (tail() - oldest() > most) {
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
