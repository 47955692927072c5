package io.millrace.bench.doctor;

import java.io.ByteArrayOutputStream;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.jspecify.annotations.Nullable;

/** Decodes a body as it comes: its chunks (RFC 9112, section 7.1) or length, and gzip or deflate. */
final class BodyDecoder {
    private enum State {
        SIZE,
        SIZE_REST,
        DATA,
        DATA_END,
        TRAILER,
        END
    }

    private static final int OUT_BYTES = 64 * 1024;

    private final boolean chunked;
    private final boolean bodiless;
    private final @Nullable Inflater inflater;
    private final @Nullable GzipHead gzipHead;
    private State state = State.SIZE;
    private long left;
    private int lineLength;

    BodyDecoder(int status, Map<String, String> headers) {
        chunked = headers.getOrDefault("transfer-encoding", "").contains("chunked");
        String length = headers.getOrDefault("content-length", "");
        left = chunked ? 0 : length.matches("\\d{1,18}") ? Long.parseLong(length) : -1;
        bodiless = status == 204 || status == 304;
        String coding = headers.getOrDefault("content-encoding", "");
        boolean gzip = coding.contains("gzip");
        gzipHead = gzip ? new GzipHead() : null;
        inflater = gzip ? new Inflater(true) : coding.contains("deflate") ? new Inflater() : null;
    }

    /** Whether the framing of the body has ended it. */
    boolean whole() {
        return bodiless || (chunked ? state == State.END : left == 0);
    }

    /** Whether only the end of the connection can end the body. */
    boolean closes() {
        return !chunked && left < 0;
    }

    byte[] decode(byte[] in, int length) throws DataFormatException {
        var out = new ByteArrayOutputStream(length);
        if (chunked) {
            unchunk(in, length, out);
        } else {
            int taken = left < 0 ? length : (int) Math.min(left, length);
            out.write(in, 0, taken);
            left -= left < 0 ? 0 : taken;
        }
        return inflater == null ? out.toByteArray() : inflate(inflater, out.toByteArray());
    }

    private void unchunk(byte[] in, int length, ByteArrayOutputStream out) throws DataFormatException {
        int at = 0;
        while (at < length && state != State.END) {
            if (state == State.DATA) {
                int taken = (int) Math.min(left, length - at);
                out.write(in, at, taken);
                at += taken;
                left -= taken;
                state = left == 0 ? State.DATA_END : State.DATA;
            } else {
                state = framing(in[at++]);
            }
        }
    }

    private State framing(byte c) throws DataFormatException {
        return switch (state) {
            case SIZE, SIZE_REST -> size(c);
            case DATA_END -> c == '\n' ? State.SIZE : State.DATA_END;
            case TRAILER -> {
                boolean blank = c == '\n' && lineLength == 0;
                lineLength = c == '\n' ? 0 : c == '\r' ? lineLength : lineLength + 1;
                yield blank ? State.END : State.TRAILER;
            }
            case DATA, END -> state;
        };
    }

    private State size(byte c) throws DataFormatException {
        if (c == '\n') {
            lineLength = 0;
            return left == 0 ? State.TRAILER : State.DATA;
        }
        int digit = Character.digit(c, 16);
        if (state == State.SIZE_REST || c == '\r' || c == ';' || c == ' ') {
            return State.SIZE_REST;
        }
        if (digit < 0) {
            throw new DataFormatException("chunk size");
        }
        left = left * 16 + digit;
        return State.SIZE;
    }

    private byte[] inflate(Inflater inflater, byte[] in) throws DataFormatException {
        int skipped = gzipHead == null ? 0 : gzipHead.skip(in, 0);
        inflater.setInput(in, skipped, in.length - skipped);
        var out = new ByteArrayOutputStream();
        byte[] buffer = new byte[OUT_BYTES];
        int count = 0;
        while (!inflater.finished() && (count = inflater.inflate(buffer)) > 0) {
            out.write(buffer, 0, count);
        }
        return out.toByteArray();
    }
}
