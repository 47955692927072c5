package io.millrace.server.replay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Searches a log for the event that a client had last. It reads the log from its start. If the event has not come yet,
 * it waits for it. Confined to the log's event loop.
 */
public final class Seek implements LogReader {
    /** Null if the search waits for an offset. */
    private final @Nullable Positions positions;

    private final long awaited;
    private @Nullable StreamLog log;
    private @Nullable LongConsumer found;

    private Seek(@Nullable Positions positions, long awaited) {
        this.positions = positions;
        this.awaited = awaited;
    }

    /** A search that ends when the log has reached this offset, or when it ends. */
    public static Seek ofOffset(long offset) {
        return new Seek(null, offset);
    }

    /**
     * A search for the event of a Responses stream with this {@code sequence_number}, or for the last event with a
     * lower number.
     */
    public static Seek ofSequenceNumber(ByteBufAllocator alloc, long number) {
        return new Seek(Positions.afterSequenceNumber(alloc, number), -1);
    }

    /** A search for the event with this {@code id:} line, as {@code /chat} writes it. */
    public static Seek ofId(ByteBufAllocator alloc, String id) {
        return new Seek(Positions.afterId(alloc, id), -1);
    }

    /**
     * Begins the search. If the stream ends without the event, the result is the end of the stream.
     *
     * @param in a log that still has its first byte; it may be closed during the search
     * @param then called once with the offset at which the client goes on; not called after {@link #leave}
     */
    public void begin(StreamLog in, LongConsumer then) {
        log = in;
        found = then;
        in.attach(this, positions == null ? in.tail() : 0);
    }

    /** Ends the search, because the client has left. */
    public void leave() {
        if (log != null) {
            log.detach(this);
            end();
        }
    }

    @Override
    public boolean wants() {
        return true;
    }

    @Override
    public void onBytes(ByteBuf bytes, long offset) {
        long end = offset + bytes.readableBytes();
        boolean known = positions == null ? end >= awaited : positions.read(bytes);
        bytes.release();
        if (known && log != null) {
            log.detach(this);
            tell(positions == null ? awaited : positions.offset());
        }
    }

    @Override
    public void onSealed(Seal seal, long end) {
        tell(positions == null ? awaited : end);
    }

    /** The log no longer has its start. The result is 0: a reader that begins there learns that the bytes are gone. */
    @Override
    public void onGone(long oldest) {
        tell(positions == null ? awaited : 0);
    }

    private void tell(long offset) {
        LongConsumer told = found;
        end();
        if (told != null) {
            told.accept(offset);
        }
    }

    private void end() {
        if (positions != null) {
            positions.close();
        }
        log = null;
        found = null;
    }
}
