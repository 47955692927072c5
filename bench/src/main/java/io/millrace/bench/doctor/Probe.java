package io.millrace.bench.doctor;

import io.millrace.bench.stream.Endpoint;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.zip.DataFormatException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import jdk.net.ExtendedSocketOptions;

/**
 * Sends one HTTP/1.1 request on its own connection and stamps each read of the answer. It tells the kernel to delay
 * acknowledgements, as for a client that only reads. Otherwise, Nagle's algorithm at the other end would have no
 * visible effect.
 */
final class Probe {
    private static final int CONNECT_LIMIT_MS = 10_000;
    private static final int BUFFER_BYTES = 64 * 1024;
    private static final int MAX_HEAD_BYTES = 256 * 1024;
    private static final int TLS_ALERT = 0x15;
    private static final int TLS_MAJOR = 0x03;

    private final Endpoint endpoint;
    private final Map<String, String> headers;
    private final SSLSocketFactory tls;

    /** The server answered plain HTTP with a record of TLS. */
    static final class TlsAnswer extends IOException {
        private static final long serialVersionUID = 1;

        TlsAnswer() {
            super("the answer is TLS");
        }
    }

    /**
     * @param endpoint the host to connect to; its path is not used
     * @param headers sent with each request
     * @param tls makes sockets of TLS
     */
    Probe(Endpoint endpoint, Map<String, String> headers, SSLSocketFactory tls) {
        this.tls = tls;
        this.endpoint = endpoint;
        this.headers = headers;
    }

    /**
     * Sends a request and reads the answer, for at most {@code limitMs}.
     *
     * @param more headers for this request only
     * @throws IOException if there is no connection, or no HTTP head arrives
     */
    Answer send(String method, String path, Map<String, String> more, String body, long limitMs) throws IOException {
        try (Socket plain = new Socket()) {
            plain.connect(new InetSocketAddress(endpoint.host(), endpoint.port()), CONNECT_LIMIT_MS);
            plain.setTcpNoDelay(true);
            if (!endpoint.tls()) {
                return exchange(plain, plain, request(method, path, more, body), limitMs);
            }
            try (var socket = (SSLSocket) tls.createSocket(plain, endpoint.host(), endpoint.port(), true)) {
                var parameters = socket.getSSLParameters();
                parameters.setEndpointIdentificationAlgorithm("HTTPS");
                socket.setSSLParameters(parameters);
                socket.setSoTimeout(CONNECT_LIMIT_MS);
                socket.startHandshake();
                return exchange(plain, socket, request(method, path, more, body), limitMs);
            }
        }
    }

    private byte[] request(String method, String path, Map<String, String> more, String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        var head = new StringBuilder(method + " " + path + " HTTP/1.1\r\nHost: " + endpoint.authority() + "\r\n");
        var all = new HashMap<>(headers);
        all.putAll(more);
        if (bytes.length > 0) {
            all.put("Content-Type", "application/json");
            all.put("Content-Length", Integer.toString(bytes.length));
        }
        all.forEach(
                (name, value) -> head.append(name).append(": ").append(value).append("\r\n"));
        var out = new ByteArrayOutputStream();
        out.writeBytes(head.append("\r\n").toString().getBytes(StandardCharsets.UTF_8));
        out.writeBytes(bytes);
        return out.toByteArray();
    }

    private static Answer exchange(Socket plain, Socket socket, byte[] request, long limitMs) throws IOException {
        long sent = System.nanoTime();
        socket.getOutputStream().write(request);
        socket.getOutputStream().flush();
        long deadline = sent + limitMs * 1_000_000;
        byte[] bytes = {};
        byte[] buffer = new byte[BUFFER_BYTES];
        while (true) {
            int headEnd = headEnd(bytes);
            if (headEnd >= 0) {
                String head = new String(bytes, 0, headEnd, StandardCharsets.ISO_8859_1);
                bytes = Arrays.copyOfRange(bytes, headEnd, bytes.length);
                if (!head.startsWith("HTTP/1.1 1")) {
                    return readBody(plain, socket, head, bytes, sent, deadline);
                }
            } else {
                int read = read(plain, socket, buffer, deadline);
                if (bytes.length == 0 && read > 1 && buffer[0] == TLS_ALERT && buffer[1] == TLS_MAJOR) {
                    throw new TlsAnswer();
                }
                if (read < 0 || bytes.length > MAX_HEAD_BYTES) {
                    throw new IOException(
                            bytes.length == 0 ? "the connection is closed without an answer" : "no HTTP head");
                }
                int known = bytes.length;
                bytes = Arrays.copyOf(bytes, known + read);
                System.arraycopy(buffer, 0, bytes, known, read);
            }
        }
    }

    private static Answer readBody(Socket plain, Socket socket, String head, byte[] first, long sent, long deadline)
            throws IOException {
        long headAt = System.nanoTime();
        String[] lines = head.split("\r?\n", -1);
        String[] status = lines[0].split(" ", 3);
        if (!lines[0].matches("HTTP/1\\.[01] \\d{3}( .*)?")) {
            throw new IOException("no HTTP/1 answer: " + lines[0]);
        }
        Map<String, String> headers = new HashMap<>();
        for (String line : lines) {
            int colon = line.indexOf(':');
            if (colon > 0) {
                headers.put(
                        line.substring(0, colon).toLowerCase(Locale.ROOT),
                        line.substring(colon + 1).strip());
            }
        }
        int code = Integer.parseInt(status[1]);
        var body = new BodyDecoder(code, headers);
        List<Answer.Piece> pieces = new ArrayList<>();
        Answer.End end;
        long last = headAt;
        try {
            add(pieces, body.decode(first, first.length), headAt);
            byte[] buffer = new byte[BUFFER_BYTES];
            int read = 0;
            while (!body.whole() && (read = read(plain, socket, buffer, deadline)) >= 0) {
                last = System.nanoTime();
                add(pieces, body.decode(buffer, read), last);
            }
            end = body.whole() ? Answer.End.WHOLE : body.closes() ? Answer.End.CLOSED : Answer.End.CUT;
        } catch (SocketTimeoutException e) {
            end = Answer.End.OPEN;
        } catch (DataFormatException e) {
            end = Answer.End.CUT;
        } catch (IOException e) {
            end = Answer.End.RESET;
        }
        return new Answer(status[0], code, headers, pieces, end, new Answer.Times(sent, last, System.nanoTime()));
    }

    private static void add(List<Answer.Piece> pieces, byte[] bytes, long at) {
        if (bytes.length > 0) {
            pieces.add(new Answer.Piece(bytes, at));
        }
    }

    private static int read(Socket plain, Socket socket, byte[] buffer, long deadline) throws IOException {
        long leftMs = (deadline - System.nanoTime()) / 1_000_000;
        if (leftMs <= 0) {
            throw new SocketTimeoutException("no end in time");
        }
        socket.setSoTimeout((int) Math.min(leftMs, Integer.MAX_VALUE));
        if (plain.supportedOptions().contains(ExtendedSocketOptions.TCP_QUICKACK)) {
            plain.setOption(ExtendedSocketOptions.TCP_QUICKACK, false);
        }
        return socket.getInputStream().read(buffer);
    }

    private static int headEnd(byte[] bytes) {
        for (int i = 3; i < bytes.length; i++) {
            if (bytes[i] == '\n' && bytes[i - 1] == '\r' && bytes[i - 2] == '\n') {
                return i + 1;
            }
        }
        return -1;
    }
}
