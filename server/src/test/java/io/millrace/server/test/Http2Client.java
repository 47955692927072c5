package io.millrace.server.test;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/** A blocking client of HTTP/2 without TLS. It sends and gets single frames, which may be wrong. */
public final class Http2Client implements AutoCloseable {
    public static final int DATA = 0;
    public static final int HEADERS = 1;
    public static final int PRIORITY = 2;
    public static final int RST_STREAM = 3;
    public static final int SETTINGS = 4;
    public static final int PING = 6;
    public static final int GOAWAY = 7;
    public static final int WINDOW_UPDATE = 8;
    public static final int CONTINUATION = 9;
    public static final int END_STREAM = 1;
    public static final int ACK = 1;
    public static final int END_HEADERS = 4;

    private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    private final Socket socket = new Socket();
    private final DataInputStream in;
    private final OutputStream out;
    private final Http2HeadersEncoder encoder = new DefaultHttp2HeadersEncoder(Http2HeadersEncoder.NEVER_SENSITIVE);
    private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder(true);

    /** A frame as it came; {@code head} only for HEADERS. */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    public record Frame(int type, int flags, int stream, byte[] payload, Http2Headers head) {
        public boolean ends() {
            return (type == DATA || type == HEADERS) && (flags & END_STREAM) != 0;
        }

        /** The number at this index: an error code, an id, an increment. */
        public int number(int index) {
            return Unpooled.wrappedBuffer(payload).getInt(index);
        }

        public String text() {
            return new String(payload, StandardCharsets.UTF_8);
        }
    }

    /** A response as far as it came: {@code reset} is the error of its RST_STREAM, or -1. */
    public record Answer(int status, Http2Headers head, String body, boolean ended, int reset) {}

    private Http2Client(int port, int receiveBuffer) throws IOException {
        socket.setReceiveBufferSize(receiveBuffer);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setSoTimeout(10_000);
        socket.setTcpNoDelay(true);
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
        out = socket.getOutputStream();
    }

    /** Says nothing yet. */
    public static Http2Client silent(int port) throws IOException {
        return new Http2Client(port, 64 << 10);
    }

    /** Has sent its preface. */
    public static Http2Client connect(int port) throws IOException {
        var client = silent(port);
        client.preface();
        return client;
    }

    /** Has sent its preface, with this initial window. */
    public static Http2Client connect(int port, int window) throws IOException {
        var client = silent(port);
        client.sendRaw(PREFACE);
        client.frame(SETTINGS, 0, 0, Unpooled.buffer().writeShort(4).writeInt(window));
        return client;
    }

    public Socket socket() {
        return socket;
    }

    public void preface() throws IOException {
        sendRaw(PREFACE);
        frame(SETTINGS, 0, 0);
    }

    /** Says that the relay's settings are known. */
    public void acknowledgeSettings() throws IOException {
        frame(SETTINGS, ACK, 0);
    }

    public void sendRaw(byte[] bytes) throws IOException {
        out.write(bytes);
    }

    /** Asks for {@code path} with GET. */
    public void get(int stream, String path) throws IOException {
        sendRaw(getBytes(stream, path));
    }

    /** The frame of a GET, for sending several at once. */
    public byte[] getBytes(int stream, String path) {
        ByteBuf frame = Unpooled.buffer();
        append(frame, HEADERS, END_STREAM | END_HEADERS, stream, block(stream, head("GET", path)));
        return ByteBufUtil.getBytes(frame);
    }

    /** Asks with POST and a JSON body. */
    public void post(int stream, String path, String body) throws IOException {
        sendRaw(postBytes(stream, path, body));
    }

    /** The frames of a POST, for sending several at once. */
    public byte[] postBytes(int stream, String path, String body) {
        return postBytes(stream, path, body, "");
    }

    /** The frames of a POST that a proxy sends for {@code address}, unless that is empty. */
    public byte[] postBytes(int stream, String path, String body, String address) {
        Http2Headers head = head("POST", path).add("content-type", "application/json");
        if (!address.isEmpty()) {
            head.add("x-forwarded-for", address);
        }
        ByteBuf all = Unpooled.buffer();
        ByteBuf json = Unpooled.copiedBuffer(body, StandardCharsets.UTF_8);
        append(all, HEADERS, END_HEADERS, stream, block(stream, head));
        append(all, DATA, END_STREAM, stream, json);
        return ByteBufUtil.getBytes(all);
    }

    /** The head of a request. */
    public static Http2Headers head(String method, String path) {
        return new DefaultHttp2Headers(false)
                .method(method)
                .scheme("http")
                .authority("mock")
                .path(path);
    }

    public void headers(int stream, int flags, Http2Headers head) throws IOException {
        frame(HEADERS, flags | END_HEADERS, stream, block(stream, head));
    }

    public ByteBuf block(int stream, Http2Headers head) {
        ByteBuf block = Unpooled.buffer();
        try {
            encoder.encodeHeaders(stream, head, block);
        } catch (Http2Exception e) {
            throw new AssertionError(e);
        }
        return block;
    }

    public void data(int stream, String text, boolean last) throws IOException {
        frame(DATA, last ? END_STREAM : 0, stream, Unpooled.copiedBuffer(text, StandardCharsets.UTF_8));
    }

    public void reset(int stream, int error) throws IOException {
        frame(RST_STREAM, 0, stream, Unpooled.buffer().writeInt(error));
    }

    public void windowUpdate(int stream, int bytes) throws IOException {
        frame(WINDOW_UPDATE, 0, stream, Unpooled.buffer().writeInt(bytes));
    }

    public void frame(int type, int flags, int stream) throws IOException {
        frame(type, flags, stream, Unpooled.EMPTY_BUFFER);
    }

    public void frame(int type, int flags, int stream, ByteBuf payload) throws IOException {
        ByteBuf frame = Unpooled.buffer(9 + payload.readableBytes());
        append(frame, type, flags, stream, payload);
        sendRaw(ByteBufUtil.getBytes(frame));
    }

    private static void append(ByteBuf to, int type, int flags, int stream, ByteBuf payload) {
        to.writeMedium(payload.readableBytes())
                .writeByte(type)
                .writeByte(flags)
                .writeInt(stream)
                .writeBytes(payload);
    }

    /** The next frame; throws EOFException at the end of the connection. */
    public Frame read() throws IOException {
        int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        if (type > CONTINUATION || length > 1 << 14) {
            throw new IOException("no frame of HTTP/2");
        }
        byte[] payload = new byte[length];
        in.readFully(payload);
        return new Frame(type, flags, stream, payload, type == HEADERS ? decode(stream, payload) : null);
    }

    /** The first frame of which this is true; what comes before is dropped, settings and PING are answered. */
    public Frame readUntil(Predicate<Frame> wanted) throws IOException {
        while (true) {
            Frame frame = read();
            if (frame.type == SETTINGS && (frame.flags & 1) == 0) {
                frame(SETTINGS, 1, 0);
            } else if (frame.type == PING && (frame.flags & 1) == 0) {
                frame(PING, 1, 0, Unpooled.wrappedBuffer(frame.payload));
            }
            if (wanted.test(frame)) {
                return frame;
            }
        }
    }

    /** The first frame of this type and stream. */
    public Frame readUntil(int type, int stream) throws IOException {
        return readUntil(frame -> frame.type == type && frame.stream == stream);
    }

    private void giveBack(Frame data) throws IOException {
        windowUpdate(0, data.payload.length);
        if (!data.ends()) {
            windowUpdate(data.stream, data.payload.length);
        }
    }

    /** The response of one stream; its windows stay open, and frames of others are dropped. */
    public Answer answer(int stream) throws IOException {
        return answers(1, stream).get(stream);
    }

    /** Reads until {@code count} responses have ended or were reset; of one stream only, or of all for 0. */
    public Map<Integer, Answer> answers(int count, int only) throws IOException {
        var heads = new TreeMap<Integer, Http2Headers>();
        var bodies = new TreeMap<Integer, StringBuilder>();
        var over = new TreeMap<Integer, Answer>();
        while (over.size() < count) {
            Frame frame = readUntil(any -> true);
            if (frame.type == GOAWAY && frame.number(4) != 0) {
                throw new IOException("GOAWAY with error " + frame.number(4));
            }
            if (frame.type == DATA && frame.payload.length > 0) {
                giveBack(frame);
            }
            if (frame.stream == 0 || (only != 0 && frame.stream != only) || over.containsKey(frame.stream)) {
                continue;
            }
            StringBuilder body = bodies.computeIfAbsent(frame.stream, id -> new StringBuilder());
            if (frame.type == HEADERS) {
                heads.put(frame.stream, frame.head);
            } else if (frame.type == DATA) {
                body.append(frame.text());
            }
            if (frame.ends() || frame.type == RST_STREAM) {
                Http2Headers head = heads.get(frame.stream);
                int status = head == null ? 0 : Integer.parseInt(head.status().toString());
                int reset = frame.type == RST_STREAM ? frame.number(0) : -1;
                over.put(frame.stream, new Answer(status, head, body.toString(), frame.ends(), reset));
            }
        }
        return over;
    }

    /** All frames up to the end of the connection, however it ends. */
    public List<Frame> readToEnd() {
        var frames = new ArrayList<Frame>();
        try {
            while (true) {
                frames.add(readUntil(any -> true));
            }
        } catch (java.net.SocketTimeoutException e) {
            throw new AssertionError("the connection stays open", e);
        } catch (IOException e) {
            return frames;
        }
    }

    private Http2Headers decode(int stream, byte[] block) throws IOException {
        try {
            return decoder.decodeHeaders(stream, Unpooled.wrappedBuffer(block));
        } catch (Http2Exception e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
