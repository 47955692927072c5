package io.millrace.server.test;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.sse.SseFrameListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;

/**
 * A blocking HTTP/1.1 client on a socket that shows how a response ended. With the system property
 * {@code millrace.test.protocol=h2} it uses HTTP/2 if the server has it, and looks the same ({@link Http2Wire}).
 */
public final class RawClient implements AutoCloseable {
    /** The end of a body. */
    public enum End {
        COMPLETE,
        CLOSED,
        TRUNCATED,
        BAD_CHUNK,
        RESET
    }

    /** A response, as far as it has come. */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    public record Response(String head, byte[] body, End end, List<Integer> chunks) {
        public String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        public List<byte[]> frames() {
            return cut(body);
        }

        /** The value of a header field, or null. */
        public String header(String name) {
            return RawClient.header(head, name);
        }

        public int status() {
            return Integer.parseInt(head.substring(9, 12));
        }
    }

    /** Small and fixed, so that what a client leaves unread is held by the relay and not by this machine's kernel. */
    private static final int RECEIVE_BUFFER_BYTES = 64 << 10;

    /** Whether clients of relays speak HTTP/2. */
    static final boolean HTTP2 = "h2".equals(System.getProperty("millrace.test.protocol"));

    private final Socket plain;
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    public RawClient(int port) throws IOException {
        this(port, null);
    }

    /** With TLS, unless {@code tls} is null; then HTTP/1.1 in any case. */
    public RawClient(int port, SSLContext tls) throws IOException {
        this(port, tls, "");
    }

    /** Sends {@code first} ahead of everything else. */
    public RawClient(int port, SSLContext tls, String first) throws IOException {
        byte[] ahead = first.getBytes(StandardCharsets.ISO_8859_1);
        Http2Wire wire = HTTP2 && tls == null ? Http2Wire.open(port, RECEIVE_BUFFER_BYTES, ahead) : null;
        if (wire != null) {
            socket = wire.socket();
            in = new BufferedInputStream(wire.input());
            out = wire.output();
            plain = socket;
            return;
        }
        plain = new Socket();
        plain.setReceiveBufferSize(RECEIVE_BUFFER_BYTES);
        plain.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        // A handshake ends with a message of the client; the request would wait until that is acknowledged.
        plain.setTcpNoDelay(true);
        plain.setSoTimeout(10_000);
        socket = tls == null ? plain : tls.getSocketFactory().createSocket(plain, "localhost", port, true);
        in = new BufferedInputStream(socket.getInputStream());
        out = socket.getOutputStream();
        out.write(ahead);
    }

    /** Sends a streaming chat-like request for {@code model}, with {@code fields} (each ending in a comma) added. */
    public void post(String path, String model, String fields) throws IOException {
        String turns = "[{\"role\":\"user\",\"content\":\"Hello\"}]";
        send(
                "POST",
                path,
                "{" + fields + "\"model\":\"" + model + "\",\"stream\":true,\"messages\":" + turns + ",\"input\":"
                        + turns + "}");
    }

    public void sendHttp10(String method, String path, String body) throws IOException {
        sendAs("HTTP/1.0", method, path, body);
    }

    public void send(String method, String path, String body, String... headers) throws IOException {
        sendAs("HTTP/1.1", method, path, body, headers);
    }

    private void sendAs(String version, String method, String path, String body, String... headers) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        var head = new StringBuilder(method + " " + path + " " + version + "\r\nHost: mock\r\n");
        for (String header : headers) {
            head.append(header).append("\r\n");
        }
        head.append("Content-Length: " + bytes.length + "\r\n\r\n");
        var request = new ByteArrayOutputStream();
        request.writeBytes(head.toString().getBytes(StandardCharsets.ISO_8859_1));
        request.writeBytes(bytes);
        out.write(request.toByteArray());
    }

    /** Sends bytes as they are. */
    public void sendRaw(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** How the name of a field leaves: HTTP/2 has no capitals. */
    public static String nameSent(String name) {
        return HTTP2 ? name.toLowerCase(Locale.ROOT) : name;
    }

    /** Sends bytes as they are. */
    public void sendRaw(byte[] bytes) throws IOException {
        out.write(bytes);
    }

    /** Ends the connection with a reset. */
    public void reset() throws IOException {
        plain.setSoLinger(true, 0);
        plain.close();
    }

    /** The socket, for its options. */
    public Socket socket() {
        return socket;
    }

    /** The value of the first header field of that name, whatever its case, or null. */
    public static String header(String head, String name) {
        for (String line : head.split("\r\n", -1)) {
            int colon = line.indexOf(':');
            if (colon > 0 && line.substring(0, colon).equalsIgnoreCase(name)) {
                return line.substring(colon + 1).trim();
            }
        }
        return null;
    }

    /** The whole event stream frames of a body; an unfinished one at its end is left out. */
    public static List<byte[]> cut(byte[] body) {
        var frames = new ArrayList<byte[]>();
        ByteBuf in = Unpooled.wrappedBuffer(body);
        try (var decoder = new SseFrameDecoder(UnpooledByteBufAllocator.DEFAULT, Integer.MAX_VALUE / 4)) {
            decoder.decode(in, new SseFrameListener() {
                @Override
                public void onFrame(ByteBuf buf, int start, int end) {
                    frames.add(ByteBufUtil.getBytes(buf, start, end - start));
                }

                @Override
                public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
                    throw new AssertionError("over the limit");
                }

                @Override
                public void onLateLineFeed(ByteBuf buf, int index) {
                    throw new AssertionError("whole");
                }
            });
        }
        return frames;
    }

    public String readHead() throws IOException {
        var head = new StringBuilder();
        for (String line = readLine(); !line.isEmpty(); line = readLine()) {
            head.append(line).append("\r\n");
        }
        return head.toString();
    }

    /** Reads bytes until they end in {@code text} and returns them. */
    public String readUntil(String text) throws IOException {
        var got = new ByteArrayOutputStream();
        byte last = (byte) text.charAt(text.length() - 1);
        while (true) {
            int b = in.read();
            if (b < 0) {
                throw new EOFException(got.toString(StandardCharsets.UTF_8));
            }
            got.write(b);
            if ((byte) b == last && got.toString(StandardCharsets.UTF_8).endsWith(text)) {
                return got.toString(StandardCharsets.UTF_8);
            }
        }
    }

    public Response readAll() throws IOException {
        return readBody(readHead());
    }

    public Response readBody(String head) {
        var body = new ByteArrayOutputStream();
        var chunks = new ArrayList<Integer>();
        var end = read(head, body, chunks);
        return new Response(head, body.toByteArray(), end, chunks);
    }

    private End read(String head, ByteArrayOutputStream body, List<Integer> chunks) {
        try {
            if ("chunked".equalsIgnoreCase(header(head, "transfer-encoding"))) {
                return readChunks(body, chunks);
            }
            String length = header(head, "content-length");
            if (length != null) {
                return copy(body, Integer.parseInt(length)) ? End.COMPLETE : End.TRUNCATED;
            }
            copy(body, Integer.MAX_VALUE);
            return End.CLOSED;
        } catch (EOFException e) {
            return End.TRUNCATED;
        } catch (NumberFormatException e) {
            return End.BAD_CHUNK;
        } catch (SocketException | SSLException e) {
            return End.RESET;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private End readChunks(ByteArrayOutputStream body, List<Integer> chunks) throws IOException {
        while (true) {
            int size = Integer.parseInt(readLine(), 16);
            if (size == 0) {
                return readLine().isEmpty() ? End.COMPLETE : End.BAD_CHUNK;
            }
            chunks.add(size);
            if (!copy(body, size)) {
                return End.TRUNCATED;
            }
            if (!readLine().isEmpty()) {
                return End.BAD_CHUNK;
            }
        }
    }

    private boolean copy(ByteArrayOutputStream to, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            int b = in.read();
            if (b < 0) {
                return false;
            }
            to.write(b);
        }
        return true;
    }

    public int read() throws IOException {
        return in.read();
    }

    public String readLine() throws IOException {
        var line = new ByteArrayOutputStream();
        int b;
        while ((b = in.read()) != '\n') {
            if (b < 0) {
                throw new EOFException();
            }
            line.write(b);
        }
        String text = line.toString(StandardCharsets.ISO_8859_1);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
