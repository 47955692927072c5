package io.millrace.server.relay;

import io.millrace.codec.dialect.FrameKind;
import io.millrace.server.http.SecretMask;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Hides the relay's key in an upstream's error frames, because some servers repeat a refused key in the error. The
 * length of a frame does not change. Confined to its event loop.
 */
final class ErrorMasker {
    private final @Nullable SecretMask mask;
    private final StreamOutput output;
    /** The masked parts of a frame that comes in pieces; null if there is no key to hide. */
    private final @Nullable MaskedParts parts;

    /** Creates a masker for the frames to {@code output}; {@code mask} is null if there is no key to hide. */
    ErrorMasker(@Nullable SecretMask mask, StreamOutput output) {
        this.mask = mask;
        this.output = output;
        parts = mask == null ? null : new MaskedParts(mask);
    }

    /** A text of the relay that may quote the upstream, without the key. */
    String apply(String text) {
        return mask == null ? text : mask.apply(text);
    }

    /** Masks a whole error frame in place. */
    void frame(ByteBuf buf, int start, int end) {
        if (mask != null) {
            mask.apply(buf.slice(start, end - start));
        }
    }

    /** Passes a piece of a frame on, except bytes at its end that may be the beginning of the key. */
    void piece(FrameKind kind, ByteBuf buf, int start, int end) {
        if (parts != null && (isError(kind) || parts.waits())) {
            pass(kind, parts.add(buf.retainedSlice(start, end - start)));
        } else {
            output.piece(kind, buf, start, end);
        }
    }

    /** Passes the waiting bytes of a complete frame on. */
    void endOfPieces(FrameKind kind) {
        if (parts != null) {
            pass(kind, parts.takeRest());
        }
    }

    /** Releases the waiting bytes. */
    void release() {
        if (parts != null) {
            parts.release();
        }
    }

    private void pass(FrameKind kind, ByteBuf piece) {
        try {
            if (piece.isReadable()) {
                output.piece(kind, piece, piece.readerIndex(), piece.writerIndex());
            }
        } finally {
            piece.release();
        }
    }

    /** Whether a frame of this kind may have the key. */
    static boolean isError(FrameKind kind) {
        return kind == FrameKind.ERROR || kind == FrameKind.HIDDEN_ERROR;
    }
}
