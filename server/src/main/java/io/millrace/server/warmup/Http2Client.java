package io.millrace.server.warmup;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersEncoder;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.handler.codec.http2.Http2HeadersEncoder;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A client that speaks HTTP/2, as much of it as a relay that it knows makes it need. It asks for several streams at
 * once, and its windows are those with which a connection begins.
 */
final class Http2Client implements StreamClient {
    private static final int AT_ONCE = 4;
    private static final int HEAD_BYTES = Http2CodecUtil.FRAME_HEADER_LENGTH;
    private static final int GIVE_BACK_BYTES = 16 * 1024;
    private static final int READ_BYTES = 32 * 1024;
    private static final int CANCEL = 8;
    private static final int TABLE_HINT = 16;
    private static final byte[] NONE = new byte[0];

    private final Way way;
    private final ByteBuf out = Unpooled.buffer();
    private final byte[] payload = new byte[Http2CodecUtil.DEFAULT_MAX_FRAME_SIZE];
    /** The bytes that were read and not given back to the window, by the streams that are open. */
    private final Map<Integer, Integer> unreturned = new HashMap<>();

    private @Nullable Socket socket;
    private DataInputStream in = new DataInputStream(InputStream.nullInputStream());
    private Http2HeadersEncoder heads = newHeads();
    private int last;
    private int unreturnedInAll;
    private boolean leaving;

    Http2Client(Way way) {
        this.way = way;
    }

    @Override
    public void read(byte[] request) throws IOException {
        for (int i = 0; i < AT_ONCE; i++) {
            ask(request);
        }
        readAnswer(0);
    }

    @Override
    public void ask(byte[] request) throws IOException {
        if (leaving && unreturned.isEmpty()) {
            close();
        }
        if (socket == null) {
            open(way.connect(0));
        }
        last += 2;
        unreturned.put(last, 0);
        writeHead(request);
        int body = Http.headEnd(request, request.length);
        writeFrame(Http2FrameTypes.DATA, Http2Flags.END_STREAM, last, request.length - body);
        out.writeBytes(request, body, request.length - body);
        send();
    }

    @Override
    public void readAnswer(long pauseNs) throws IOException {
        while (!unreturned.isEmpty()) {
            LockSupport.parkNanos(pauseNs);
            readFrame();
        }
    }

    @Override
    public void readBegin() throws IOException {
        while (readFrame() != Http2FrameTypes.DATA) {
            // The frames before it are no part of the body.
        }
    }

    @Override
    public void cancel() throws IOException {
        if (unreturned.remove(last) != null) {
            writeFrame(Http2FrameTypes.RST_STREAM, 0, last, Integer.BYTES);
            out.writeInt(CANCEL);
            send();
        }
    }

    @Override
    public void connectSlowly() throws IOException {
        open(way.connect(SLOW_BUFFER_BYTES));
    }

    @Override
    public void close() throws IOException {
        if (socket != null) {
            socket.close();
            socket = null;
        }
    }

    private void open(Socket connected) throws IOException {
        socket = connected;
        in = new DataInputStream(new BufferedInputStream(connected.getInputStream(), READ_BYTES));
        heads = newHeads();
        last = -1;
        unreturned.clear();
        unreturnedInAll = 0;
        leaving = false;
        out.writeBytes(Http2CodecUtil.connectionPrefaceBuf());
        writeFrame(Http2FrameTypes.SETTINGS, 0, 0, 0);
    }

    private void writeHead(byte[] request) throws IOException {
        int start = out.writerIndex();
        writeFrame(Http2FrameTypes.HEADERS, Http2Flags.END_HEADERS, last, 0);
        try {
            heads.encodeHeaders(last, Http.head(request), out);
        } catch (Http2Exception e) {
            throw new IOException(e);
        }
        out.setMedium(start, out.writerIndex() - start - HEAD_BYTES);
    }

    /** Reads one frame, and returns its type. */
    private int readFrame() throws IOException {
        int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int id = in.readInt();
        in.readFully(payload, 0, length);
        switch (type) {
            case Http2FrameTypes.DATA -> giveBack(id, length);
            case Http2FrameTypes.SETTINGS, Http2FrameTypes.PING -> {
                if ((flags & Http2Flags.ACK) == 0) {
                    byte[] answer = type == Http2FrameTypes.PING ? payload : NONE;
                    writeFrame(type, Http2Flags.ACK, 0, Math.min(length, answer.length));
                    out.writeBytes(answer, 0, Math.min(length, answer.length));
                    send();
                }
            }
            case Http2FrameTypes.GO_AWAY -> leaving = true;
            case Http2FrameTypes.RST_STREAM -> throw new IOException("a stream of the warm-up was reset");
            default -> {} // the head of an answer, or a window that grows
        }
        if (type <= Http2FrameTypes.HEADERS && (flags & Http2Flags.END_STREAM) != 0) {
            unreturned.remove(id);
        }
        return type;
    }

    private void giveBack(int id, int length) throws IOException {
        unreturnedInAll += length;
        if (unreturnedInAll >= GIVE_BACK_BYTES) {
            writeWindow(0, unreturnedInAll);
            unreturnedInAll = 0;
        }
        Integer before = unreturned.get(id);
        if (before != null) {
            boolean enough = before + length >= GIVE_BACK_BYTES;
            if (enough) {
                writeWindow(id, before + length);
            }
            unreturned.put(id, enough ? 0 : before + length);
        }
        send();
    }

    private void writeWindow(int id, int bytes) {
        writeFrame(Http2FrameTypes.WINDOW_UPDATE, 0, id, Integer.BYTES);
        out.writeInt(bytes);
    }

    private void writeFrame(int type, int flags, int id, int length) {
        out.writeMedium(length).writeByte(type).writeByte(flags).writeInt(id);
    }

    private void send() throws IOException {
        if (socket != null && out.isReadable()) {
            out.readBytes(socket.getOutputStream(), out.readableBytes());
            out.clear();
        }
    }

    private static Http2HeadersEncoder newHeads() {
        return new DefaultHttp2HeadersEncoder(Http2HeadersEncoder.NEVER_SENSITIVE, false, TABLE_HINT, 0);
    }
}
