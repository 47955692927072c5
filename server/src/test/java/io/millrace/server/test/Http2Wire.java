package io.millrace.server.test;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A connection of HTTP/2 that looks like one of HTTP/1.1. A request that is written to it in HTTP/1.1 leaves as HEADERS
 * and DATA, and the response is read in HTTP/1.1, with one chunk for each DATA frame. So the tests of the relay's
 * behaviour run over both. A reset of the stream reads as a reset of the connection; one that only ends the request,
 * behind a whole response, reads as its close. Windows open as bytes are read. One thread may write while another reads.
 */
final class Http2Wire {
    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    private static final int MAX_PAYLOAD = 16 * 1024;
    private static final int END_STREAM = 1;
    private static final int END_HEADERS = 4;
    private static final int DATA = 0;
    private static final int HEADERS = 1;
    private static final int RST_STREAM = 3;
    private static final int SETTINGS = 4;
    private static final int PING = 6;
    private static final int GOAWAY = 7;
    private static final int WINDOW_UPDATE = 8;

    private final Socket socket;
    private final DataInputStream in;
    private final OutputStream out;
    private final Http2HeadersEncoder encoder = new DefaultHttp2HeadersEncoder(Http2HeadersEncoder.NEVER_SENSITIVE);
    private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(true);
    private final ByteArrayOutputStream asked = new ByteArrayOutputStream();

    /** Guards all that follows. Whoever waits for a frame reads it without the lock, unless another thread does. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition frameRead = lock.newCondition();
    private boolean reading;
    private int id = -1;
    private long toSend;
    private boolean chunkedRequest;
    private int chunkLeft;
    private boolean chunkedResponse;
    private boolean open;
    private boolean requestRefused;
    private int initialWindow = 65_535;
    private long window;
    private long connectionWindow = 65_535;

    private byte[] got = {};
    private int at;
    private int toGiveBack;
    private SocketException reset;
    private boolean ended;

    @SuppressWarnings("ArrayRecordComponent") // not compared
    private record Frame(int type, int flags, int stream, byte[] payload) {}

    private Http2Wire(Socket socket) throws IOException {
        this.socket = socket;
        in = new DataInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /**
     * A connection; null if nobody speaks HTTP/2 there.
     *
     * @param first what is sent before the preface
     */
    static Http2Wire open(int port, int receiveBuffer, byte[] first) throws IOException {
        var socket = new Socket();
        socket.setReceiveBufferSize(receiveBuffer);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setSoTimeout(10_000);
        socket.setTcpNoDelay(true);
        var wire = new Http2Wire(socket);
        wire.lock.lock();
        try {
            wire.out.write(first);
            wire.out.write(PREFACE);
            wire.frame(SETTINGS, 0, 0, new byte[0]);
            wire.awaitFrame();
            return wire;
        } catch (IOException e) {
            socket.close();
            return null;
        } finally {
            wire.lock.unlock();
        }
    }

    Socket socket() {
        return socket;
    }

    /** The response, as HTTP/1.1. */
    InputStream input() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
            }

            @Override
            public int read(byte[] to, int offset, int length) throws IOException {
                return Http2Wire.this.read(to, offset, length);
            }
        };
    }

    /** The request, as HTTP/1.1. */
    OutputStream output() {
        return new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                write(new byte[] {(byte) b});
            }

            @Override
            public void write(byte[] bytes, int offset, int length) throws IOException {
                lock.lock();
                try {
                    asked.write(bytes, offset, length);
                    send();
                } finally {
                    lock.unlock();
                }
            }
        };
    }

    private int read(byte[] to, int offset, int most) throws IOException {
        lock.lock();
        try {
            while (at == got.length) {
                giveBack();
                if (reset != null) {
                    SocketException why = reset;
                    reset = null;
                    throw why;
                }
                if (ended && !socket.isOutputShutdown()) {
                    socket.shutdownOutput(); // as clients do: the relay waits for that
                }
                if (ended || requestRefused) {
                    return -1;
                }
                try {
                    awaitFrame();
                } catch (EOFException e) {
                    ended = true;
                }
            }
            int length = Math.min(most, got.length - at);
            System.arraycopy(got, at, to, offset, length);
            at += length;
            return length;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until a frame has been read, by this thread or by another. */
    @SuppressWarnings({"LockNotBeforeTry", "WaitNotInLoop"}) // lets go of the lock while it reads; the callers loop
    private void awaitFrame() throws IOException {
        if (reading) {
            frameRead.awaitUninterruptibly();
            return;
        }
        reading = true;
        Frame frame = null;
        lock.unlock();
        try {
            frame = readFrame();
        } finally {
            lock.lock();
            reading = false;
            frameRead.signalAll();
        }
        onFrame(frame.type, frame.flags, frame.stream, frame.payload);
    }

    private void giveBack() throws IOException {
        if (toGiveBack > 0) {
            int bytes = toGiveBack;
            toGiveBack = 0;
            frame(WINDOW_UPDATE, 0, 0, Unpooled.buffer(4).writeInt(bytes));
            if (open) {
                frame(WINDOW_UPDATE, 0, id, Unpooled.buffer(4).writeInt(bytes));
            }
        }
    }

    private Frame readFrame() throws IOException {
        int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        if (type > 10 || length > MAX_PAYLOAD) {
            throw new IOException("no frame");
        }
        byte[] payload = new byte[length];
        in.readFully(payload);
        return new Frame(type, flags, stream, payload);
    }

    private void onFrame(int type, int flags, int stream, byte[] payload) throws IOException {
        ByteBuf bytes = Unpooled.wrappedBuffer(payload);
        switch (type) {
            case DATA -> {
                toGiveBack += payload.length;
                if (stream == id && payload.length > 0) {
                    append(chunkedResponse ? Integer.toHexString(payload.length) + "\r\n" : "");
                    append(payload);
                    append(chunkedResponse ? "\r\n" : "");
                }
                end(stream, flags);
            }
            case HEADERS -> {
                head(stream, bytes);
                end(stream, flags);
            }
            case RST_STREAM -> {
                if (stream == id && !open) {
                    requestRefused = true;
                } else if (stream == id) {
                    open = false;
                    reset = new SocketException("Connection reset: error " + bytes.readInt());
                }
            }
            case SETTINGS -> settings(flags, bytes);
            case PING -> {
                if ((flags & 1) == 0) {
                    frame(PING, 1, 0, bytes);
                }
            }
            case WINDOW_UPDATE -> {
                int more = bytes.readInt();
                connectionWindow += stream == 0 ? more : 0;
                window += stream == id ? more : 0;
            }
            case GOAWAY -> {
                int last = bytes.readInt();
                ended |= last < id || (bytes.readInt() == 0 && !open && last != Integer.MAX_VALUE);
            }
            default -> {
                // Nothing that a client must know.
            }
        }
    }

    private void settings(int flags, ByteBuf bytes) throws IOException {
        if ((flags & 1) != 0) {
            return;
        }
        while (bytes.isReadable()) {
            if (bytes.readShort() == 4) {
                initialWindow = bytes.readInt();
            } else {
                bytes.skipBytes(4);
            }
        }
        frame(SETTINGS, 1, 0, new byte[0]);
    }

    private void head(int stream, ByteBuf bytes) throws IOException {
        Http2Headers head;
        try {
            head = decoder.decodeHeaders(stream, bytes);
        } catch (io.netty.handler.codec.http2.Http2Exception e) {
            throw new IOException(e);
        }
        var text = new StringBuilder("HTTP/1.1 ");
        int status = Integer.parseInt(head.status().toString());
        text.append(HttpResponseStatus.valueOf(status)).append("\r\n");
        for (Map.Entry<CharSequence, CharSequence> field : head) {
            if (field.getKey().charAt(0) != ':') {
                text.append(field.getKey())
                        .append(": ")
                        .append(field.getValue())
                        .append("\r\n");
            }
        }
        chunkedResponse = status >= 200 && !head.contains("content-length");
        text.append(chunkedResponse ? "transfer-encoding: chunked\r\n" : "").append("\r\n");
        append(text.toString());
    }

    private void end(int stream, int flags) {
        if (stream == id && (flags & END_STREAM) != 0) {
            append(chunkedResponse ? "0\r\n\r\n" : "");
            open = false;
        }
    }

    private void append(String text) {
        append(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private void append(byte[] more) {
        byte[] all = new byte[got.length - at + more.length];
        System.arraycopy(got, at, all, 0, got.length - at);
        System.arraycopy(more, 0, all, got.length - at, more.length);
        got = all;
        at = 0;
    }

    /** Sends what is there of requests. */
    private void send() throws IOException {
        while (asked.size() > 0) {
            byte[] bytes = asked.toByteArray();
            if (toSend > 0) {
                int length = (int) Math.min(toSend, bytes.length);
                toSend -= length;
                rest(bytes, length);
                data(bytes, 0, length, toSend == 0);
            } else if (chunkedRequest) {
                if (!chunk(bytes)) {
                    return;
                }
            } else if (!request(bytes)) {
                return;
            }
        }
    }

    private boolean chunk(byte[] bytes) throws IOException {
        if (chunkLeft > 0) {
            int length = Math.min(chunkLeft, bytes.length);
            chunkLeft -= length;
            rest(bytes, length);
            data(bytes, 0, length, false);
            return true;
        }
        int start = bytes[0] == '\r' ? 2 : 0; // behind the chunk before
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int line = text.indexOf("\r\n", start);
        int length = line < 0 ? -1 : Integer.parseInt(text.substring(start, line), 16);
        int end = line + (length == 0 ? 4 : 2);
        if (length < 0 || bytes.length < end) {
            return false;
        }
        chunkLeft = length;
        chunkedRequest = length > 0;
        rest(bytes, end);
        if (length == 0) {
            data(bytes, 0, 0, true);
        }
        return true;
    }

    private boolean request(byte[] bytes) throws IOException {
        int end = indexOf(bytes, "\r\n\r\n");
        if (end < 0) {
            return false;
        }
        String[] lines = new String(bytes, 0, end, StandardCharsets.ISO_8859_1).split("\r\n", -1);
        String[] first = lines[0].split(" ", -1);
        var head =
                new DefaultHttp2Headers(false).method(first[0]).path(first[1]).scheme("http");
        for (int i = 1; i < lines.length; i++) {
            int colon = lines[i].indexOf(':');
            String name = lines[i].substring(0, colon).toLowerCase(Locale.ROOT);
            String value = lines[i].substring(colon + 1).trim();
            switch (name) {
                case "host" -> head.authority(value);
                case "transfer-encoding" -> chunkedRequest = true;
                case "connection", "keep-alive" -> {
                    // Means nothing here.
                }
                case "content-length" -> {
                    toSend = Long.parseLong(value);
                    head.add(name, value);
                }
                default -> head.add(name, value);
            }
        }
        rest(bytes, end + 4);
        id += 2;
        window = initialWindow;
        open = true;
        requestRefused = false;
        ByteBuf block = Unpooled.buffer();
        try {
            encoder.encodeHeaders(id, head, block);
        } catch (io.netty.handler.codec.http2.Http2Exception e) {
            throw new IOException(e);
        }
        boolean bodiless = toSend == 0 && !chunkedRequest;
        frame(HEADERS, END_HEADERS | (bodiless ? END_STREAM : 0), id, block);
        return true;
    }

    private void data(byte[] bytes, int start, int length, boolean last) throws IOException {
        int from = start;
        int left = length;
        do {
            while (open && left > 0 && Math.min(window, connectionWindow) <= 0) {
                awaitFrame();
            }
            if (!open) {
                return; // answered before all of it was sent
            }
            int part = (int) Math.min(Math.min(left, MAX_PAYLOAD), Math.max(0, Math.min(window, connectionWindow)));
            left -= part;
            window -= part;
            connectionWindow -= part;
            frame(DATA, last && left == 0 ? END_STREAM : 0, id, Unpooled.wrappedBuffer(bytes, from, part));
            from += part;
        } while (left > 0);
    }

    private void rest(byte[] bytes, int from) {
        asked.reset();
        asked.write(bytes, from, bytes.length - from);
    }

    private static int indexOf(byte[] bytes, String text) {
        return new String(bytes, StandardCharsets.ISO_8859_1).indexOf(text);
    }

    private void frame(int type, int flags, int stream, byte[] payload) throws IOException {
        frame(type, flags, stream, Unpooled.wrappedBuffer(payload));
    }

    private void frame(int type, int flags, int stream, ByteBuf payload) throws IOException {
        ByteBuf frame = Unpooled.buffer(9 + payload.readableBytes())
                .writeMedium(payload.readableBytes())
                .writeByte(type)
                .writeByte(flags)
                .writeInt(stream)
                .writeBytes(payload);
        out.write(ByteBufUtil.getBytes(frame));
    }
}
