package io.millrace.server.relay;

import io.millrace.server.http.SecretMask;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * Masks a key of ours in a text that comes in parts. A key may be cut between two parts: what may be its beginning waits for
 * what follows. Confined to its event loop.
 */
final class MaskedParts {
    private final SecretMask mask;
    private @Nullable ByteBuf begun;

    MaskedParts(SecretMask mask) {
        this.mask = mask;
    }

    /** Whether the end of the last part waits for the next. */
    boolean waits() {
        return begun != null;
    }

    /** What can leave now that {@code part} has come, with the key masked. Takes the part over; the caller releases the result. */
    ByteBuf add(ByteBuf part) {
        ByteBuf whole = begun == null ? part : Unpooled.wrappedBuffer(begun, part);
        begun = null;
        mask.apply(whole);
        int length = mask.begunIn(whole);
        if (length > 0) {
            int end = whole.writerIndex() - length;
            begun = Unpooled.copiedBuffer(whole.slice(end, length));
            whole.writerIndex(end);
        }
        return whole;
    }

    /** What waits, now that no part follows: it becomes the caller's. */
    ByteBuf takeRest() {
        ByteBuf rest = begun == null ? Unpooled.EMPTY_BUFFER : begun;
        begun = null;
        return rest;
    }

    /** Lets go of what waits. */
    void release() {
        takeRest().release();
    }
}
