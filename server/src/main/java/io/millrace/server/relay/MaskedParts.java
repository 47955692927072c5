package io.millrace.server.relay;

import io.millrace.server.http.SecretMask;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.jspecify.annotations.Nullable;

/**
 * Masks a key of the relay in a text that comes in parts. A key may be split between two parts, so bytes that may be
 * its beginning wait for the next part. Confined to its event loop.
 */
final class MaskedParts {
    private final SecretMask mask;
    private @Nullable ByteBuf begun;

    MaskedParts(SecretMask mask) {
        this.mask = mask;
    }

    /** Whether bytes of the last part wait for the next part. */
    boolean waits() {
        return begun != null;
    }

    /**
     * Adds {@code part}, whose ownership is transferred. Returns the masked bytes that need not wait; the caller
     * releases them.
     */
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

    /** Returns the waiting bytes, because no part follows. The caller owns them. */
    ByteBuf takeRest() {
        ByteBuf rest = begun == null ? Unpooled.EMPTY_BUFFER : begun;
        begun = null;
        return rest;
    }

    /** Releases the waiting bytes. */
    void release() {
        takeRest().release();
    }
}
