package io.millrace.bench.stream;

import io.millrace.server.http.ChunkedBody;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.handler.codec.CorruptedFrameException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Reads the HTTP/1.1 responses of a connection, one after another. It parses the head as far as needed, and passes the
 * bytes of the body on without a copy.
 */
final class ResponseReader implements Framing {
    private static final int MAX_HEAD_BYTES = 16 * 1024;
    private static final int FOREVER = -1;

    private enum State {
        HEAD,
        CHUNKED,
        COUNTED,
        TO_CLOSE,
        ENDED
    }

    private final Body body;
    private final StringBuilder head = new StringBuilder();
    private State state = State.HEAD;

    @SuppressWarnings("NullAway.Init")
    private ChunkedBody chunks;

    private long remaining;
    private int status;
    private boolean keepAlive;
    private String fields = "";

    /** Reads one response after another. {@link #reset} must be called between them. */
    ResponseReader(Body body) {
        this.body = body;
    }

    @Override
    public void send(Channel channel, ByteBuf request) {
        channel.writeAndFlush(request, channel.voidPromise());
    }

    @Override
    public void read(Object message) {
        read((ByteBuf) message);
    }

    @Override
    public void reset() {
        state = State.HEAD;
        head.setLength(0);
    }

    @Override
    public boolean ended() {
        return state == State.ENDED;
    }

    @Override
    public boolean endsAtClose() {
        return state == State.TO_CLOSE;
    }

    @Override
    public int status() {
        return state == State.HEAD ? 0 : status;
    }

    @Override
    public boolean keepAlive() {
        return keepAlive;
    }

    @Override
    public String field(String name) {
        return value(fields, name);
    }

    /**
     * Reads until the end of {@code in} or of the response.
     *
     * @param in remains with the caller
     * @throws CorruptedFrameException if it is not an HTTP/1.1 response
     */
    void read(ByteBuf in) {
        while (in.isReadable() && state != State.ENDED) {
            switch (state) {
                case HEAD -> readHead(in);
                case CHUNKED -> readChunks(in);
                case COUNTED -> readCounted(in);
                case TO_CLOSE -> hand(in, in.readableBytes());
                case ENDED -> throw new IllegalStateException("read: after the end");
            }
        }
    }

    // <here> status line, fields, blank line
    private void readHead(ByteBuf in) {
        while (in.isReadable()) {
            int lineEnd = in.indexOf(in.readerIndex(), in.writerIndex(), (byte) '\n');
            int end = lineEnd < 0 ? in.writerIndex() : lineEnd + 1;
            head.append(in.readCharSequence(end - in.readerIndex(), StandardCharsets.ISO_8859_1));
            if (head.length() > MAX_HEAD_BYTES) {
                throw new CorruptedFrameException("head: over " + MAX_HEAD_BYTES + " bytes");
            }
            int length = head.length();
            if (length >= 4 && head.charAt(length - 1) == '\n' && head.charAt(length - 3) == '\n') {
                endHead(head.toString().toLowerCase(Locale.ROOT));
                return;
            }
        }
    }

    private void endHead(String fields) {
        this.fields = fields;
        if (!fields.startsWith("http/1.") || fields.length() < 12) {
            throw new CorruptedFrameException("head: not HTTP/1.1");
        }
        status = number(fields.substring(9, 12));
        head.setLength(0);
        if (status / 100 == 1) {
            return; // another head follows
        }
        String connection = value(fields, "connection");
        keepAlive = fields.startsWith("http/1.0") ? connection.contains("keep-alive") : !connection.contains("close");
        String length = value(fields, "content-length");
        if (value(fields, "transfer-encoding").endsWith("chunked")) {
            state = State.CHUNKED;
            chunks = ChunkedBody.ofResponse();
        } else if (status == 204 || status == 304) {
            state = State.ENDED;
        } else if (!length.isEmpty()) {
            remaining = number(length);
            state = remaining == 0 ? State.ENDED : State.COUNTED;
        } else {
            remaining = FOREVER;
            state = State.TO_CLOSE;
        }
    }

    private void readChunks(ByteBuf in) {
        int length;
        while ((length = chunks.nextData(in)) > 0) {
            hand(in, length);
        }
        if (length == ChunkedBody.END) {
            state = State.ENDED;
        }
    }

    private void readCounted(ByteBuf in) {
        int length = (int) Math.min(remaining, in.readableBytes());
        remaining -= length;
        hand(in, length);
        if (remaining == 0) {
            state = State.ENDED;
        }
    }

    /** Passes on that part of the buffer without a slice. */
    private void hand(ByteBuf in, int length) {
        int end = in.writerIndex();
        int stop = in.readerIndex() + length;
        in.writerIndex(stop);
        body.onBytes(in);
        in.writerIndex(end).readerIndex(stop);
    }

    private static String value(String fields, String name) {
        int at = fields.indexOf("\n" + name + ":");
        if (at < 0) {
            return "";
        }
        int from = at + name.length() + 2;
        return fields.substring(from, fields.indexOf('\n', from)).strip();
    }

    private static int number(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new CorruptedFrameException("head: " + text + " (expected: a number)", e);
        }
    }
}
