package io.millrace.server.relay;

import io.millrace.codec.dialect.FrameKind;
import io.millrace.server.http.SecretMask;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * Hides the relay's key in an upstream's error frames: some servers quote in an error the key that they refuse. The length of a
 * frame does not change. Confined to its event loop.
 */
final class ErrorMasker {
    private final @Nullable SecretMask mask;
    private final StreamOutput output;
    /** Of the frame that comes in parts; null if there is no key to hide. */
    private final @Nullable MaskedParts parts;

    /** Of the frames that go to {@code output}; {@code mask} is null if there is no key to hide. */
    ErrorMasker(@Nullable SecretMask mask, StreamOutput output) {
        this.mask = mask;
        this.output = output;
        parts = mask == null ? null : new MaskedParts(mask);
    }

    /** Text of ours that may quote the upstream, without the key. */
    String apply(String text) {
        return mask == null ? text : mask.apply(text);
    }

    /** Masks a whole frame of this kind where it lies. */
    void frame(FrameKind kind, ByteBuf buf, int start, int end) {
        if (mask != null && isError(kind)) {
            mask.apply(buf.slice(start, end - start));
        }
    }

    /** Passes a part of a frame on, but for what may be the beginning of the key. */
    void piece(FrameKind kind, ByteBuf buf, int start, int end) {
        if (parts != null && (isError(kind) || parts.waits())) {
            pass(kind, parts.add(buf.retainedSlice(start, end - start)));
        } else {
            output.piece(kind, buf, start, end);
        }
    }

    /** Passes on what still waits of a frame that is over. */
    void endOfPieces(FrameKind kind) {
        if (parts != null) {
            pass(kind, parts.takeRest());
        }
    }

    /** Lets go of what waits. */
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

    private static boolean isError(FrameKind kind) {
        return kind == FrameKind.ERROR || kind == FrameKind.HIDDEN_ERROR;
    }
}
