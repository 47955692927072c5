package io.millrace.server.mock;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A blocking HTTP/1.1 client on a socket that tells how a response ended. */
final class RawClient implements AutoCloseable {
    /** How a body ended. */
    enum End {
        COMPLETE,
        CLOSED,
        TRUNCATED,
        BAD_CHUNK,
        RESET
    }

    /** A response as far as it came. */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    record Response(String head, byte[] body, End end, List<Integer> chunks) {
        String text() {
            return new String(body, StandardCharsets.UTF_8);
        }

        List<byte[]> frames() {
            return Replays.cut(body);
        }

        int status() {
            return Integer.parseInt(head.substring(9, 12));
        }
    }

    private final Socket socket;
    private final InputStream in;

    RawClient(MockServer mock) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), mock.port());
        socket.setSoTimeout(10_000);
        in = new BufferedInputStream(socket.getInputStream());
    }

    /** Sends a streaming chat-like request for {@code model}, with {@code fields} (each ending in a comma) added. */
    void post(String path, String model, String fields) throws IOException {
        String turns = "[{\"role\":\"user\",\"content\":\"Hello\"}]";
        send(
                "POST",
                path,
                "{" + fields + "\"model\":\"" + model + "\",\"stream\":true,\"messages\":" + turns + ",\"input\":"
                        + turns + "}");
    }

    void sendHttp10(String method, String path, String body) throws IOException {
        sendAs("HTTP/1.0", method, path, body);
    }

    void send(String method, String path, String body, String... headers) throws IOException {
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
        socket.getOutputStream().write(request.toByteArray());
    }

    String readHead() throws IOException {
        var head = new StringBuilder();
        for (String line = readLine(); !line.isEmpty(); line = readLine()) {
            head.append(line).append("\r\n");
        }
        return head.toString();
    }

    Response readAll() throws IOException {
        return readBody(readHead());
    }

    Response readBody(String head) {
        var body = new ByteArrayOutputStream();
        var chunks = new ArrayList<Integer>();
        var end = read(head, body, chunks);
        return new Response(head, body.toByteArray(), end, chunks);
    }

    private End read(String head, ByteArrayOutputStream body, List<Integer> chunks) {
        try {
            if (head.contains("Transfer-Encoding: chunked")) {
                return readChunks(body, chunks);
            }
            int length = head.indexOf("Content-Length: ");
            if (length >= 0) {
                String value = head.substring(length + 16, head.indexOf("\r\n", length));
                return copy(body, Integer.parseInt(value)) ? End.COMPLETE : End.TRUNCATED;
            }
            copy(body, Integer.MAX_VALUE);
            return End.CLOSED;
        } catch (EOFException e) {
            return End.TRUNCATED;
        } catch (NumberFormatException e) {
            return End.BAD_CHUNK;
        } catch (SocketException e) {
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

    int read() throws IOException {
        return in.read();
    }

    String readLine() throws IOException {
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
