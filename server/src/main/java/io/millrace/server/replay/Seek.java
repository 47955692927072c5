package io.millrace.server.replay;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks in a log for the event behind which a client goes on. It reads the log from its start, and waits for an event that
 * has not come. Confined to the log's event loop.
 */
public final class Seek implements LogReader {
    private final Positions positions;
    private @Nullable StreamLog log;
    private @Nullable LongConsumer found;

    private Seek(Positions positions) {
        this.positions = positions;
    }

    /** For the event of a Responses stream with this {@code sequence_number}, or the last one below it. */
    public static Seek ofSequenceNumber(ByteBufAllocator alloc, long number) {
        return new Seek(Positions.afterSequenceNumber(alloc, number));
    }

    /** For the event with this {@code id:} line, as {@code /chat} writes it. */
    public static Seek ofId(ByteBufAllocator alloc, String id) {
        return new Seek(Positions.afterId(alloc, id));
    }

    /**
     * Begins. Where the stream ends without the event, the place is its end.
     *
     * @param in whose first byte must be kept
     * @param then told once the offset at which the client goes on; not if this leaves before. The log may be closed by then
     */
    public void begin(StreamLog in, LongConsumer then) {
        log = in;
        found = then;
        in.attach(this, 0);
    }

    /** The client is gone. */
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
        boolean known = positions.read(bytes);
        bytes.release();
        if (known && log != null) {
            log.detach(this);
            tell(positions.offset());
        }
    }

    @Override
    public void onSealed(Seal seal, long end) {
        tell(end);
    }

    /** What it has read is not kept any more: whoever reads from the start finds that out. */
    @Override
    public void onGone(long oldest) {
        tell(0);
    }

    private void tell(long offset) {
        LongConsumer told = found;
        end();
        if (told != null) {
            told.accept(offset);
        }
    }

    private void end() {
        positions.close();
        log = null;
        found = null;
    }
}
