package io.millrace.server.mock;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;
import java.util.zip.Deflater;
import org.jspecify.annotations.Nullable;

/** Encodes the frames of a script as bytes of a body: line ends, the space after the colon, content coding. */
final class BodyEncoder implements AutoCloseable {
    // RFC 1952 2.3: magic, deflate, no flags, no time, no extra flags, unknown system
    private static final byte[] GZIP_HEAD = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, (byte) 0xff};

    private final @Nullable CRC32C digest;
    private final boolean noSpace;
    private final boolean crlf;
    private final boolean gzip;
    private final @Nullable Deflater deflater;
    private final CRC32 crc = new CRC32();
    private boolean started;

    BodyEncoder(MockSpec spec) {
        digest = spec.flag(SpecKey.DIGEST) ? new CRC32C() : null;
        noSpace = spec.flag(SpecKey.NOSPACE);
        crlf = spec.flag(SpecKey.CRLF);
        gzip = spec.flag(SpecKey.GZIP);
        deflater = gzip || spec.flag(SpecKey.DEFLATE) ? new Deflater(Deflater.DEFAULT_COMPRESSION, gzip) : null;
    }

    /** The value of {@code Content-Encoding}, or null. */
    static @Nullable String coding(MockSpec spec) {
        if (spec.flag(SpecKey.GZIP)) {
            return "gzip";
        }
        return spec.flag(SpecKey.DEFLATE) ? "deflate" : null;
    }

    /** A comment with the CRC-32C of all frames so far, without comments. */
    String digestComment() {
        return ": digest=%08x\n\n".formatted(requireNonNull(digest).getValue());
    }

    /** Rewrites the readable bytes of {@code frame} in place. */
    void encode(ByteBuf frame) {
        if (noSpace || crlf) {
            rewriteLines(frame);
        }
        if (digest != null && frame.getByte(frame.readerIndex()) != ':') {
            digest.update(frame.nioBuffer());
        }
        if (deflater != null) {
            byte[] plain = take(frame);
            if (gzip && !started) {
                frame.writeBytes(GZIP_HEAD);
            }
            started = true;
            crc.update(plain);
            deflater.setInput(plain);
            deflate(deflater, frame, Deflater.SYNC_FLUSH);
        }
    }

    /** Appends the end of the content coding. */
    void finish(ByteBuf out) {
        if (deflater == null) {
            return;
        }
        if (gzip && !started) {
            out.writeBytes(GZIP_HEAD);
        }
        deflater.finish();
        deflate(deflater, out, Deflater.NO_FLUSH);
        if (gzip) {
            out.writeIntLE((int) crc.getValue());
            out.writeIntLE((int) deflater.getBytesRead());
        }
    }

    @Override
    public void close() {
        if (deflater != null) {
            deflater.end();
        }
    }

    private void rewriteLines(ByteBuf frame) {
        String text = new String(take(frame), StandardCharsets.ISO_8859_1);
        if (noSpace) {
            text = text.replaceAll("(?m)^(data|event|id): ", "$1:");
        }
        if (crlf) {
            text = text.replace("\r\n", "\n").replace("\n", "\r\n");
        }
        frame.writeCharSequence(text, StandardCharsets.ISO_8859_1);
    }

    private static void deflate(Deflater deflater, ByteBuf out, int flush) {
        byte[] piece = new byte[1024];
        int length;
        while ((length = deflater.deflate(piece, 0, piece.length, flush)) > 0) {
            out.writeBytes(piece, 0, length);
        }
    }

    private static byte[] take(ByteBuf frame) {
        byte[] bytes = new byte[frame.readableBytes()];
        int start = frame.readerIndex();
        frame.readBytes(bytes);
        frame.setIndex(start, start);
        return bytes;
    }
}
