package io.millrace.bench.doctor;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.regex.Pattern;

/** A server for tests: answers the body of each request with pieces, some milliseconds apart, and closes. */
final class ScriptedServer implements AutoCloseable {
    private static final int TLS_HANDSHAKE = 0x16;

    private final ServerSocket socket;
    private final long gapMs;
    private final Function<String, List<String>> script;

    ScriptedServer(ServerSocket socket, long gapMs, Function<String, List<String>> script) {
        this.socket = socket;
        this.gapMs = gapMs;
        this.script = script;
        var thread = new Thread(this::accept, "scripted-server");
        thread.setDaemon(true);
        thread.start();
    }

    static ScriptedServer of(long gapMs, Function<String, List<String>> script) {
        try {
            return new ScriptedServer(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), gapMs, script);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    int port() {
        return socket.getLocalPort();
    }

    private void accept() {
        while (!socket.isClosed()) {
            try (Socket client = socket.accept()) {
                answer(client);
            } catch (IOException e) {
                // The client left, its handshake failed, or the server is closed.
            }
        }
    }

    private void answer(Socket client) throws IOException {
        client.setTcpNoDelay(true);
        for (String piece : script.apply(request(client.getInputStream()))) {
            client.getOutputStream().write(piece.getBytes(StandardCharsets.ISO_8859_1));
            client.getOutputStream().flush();
            LockSupport.parkNanos(gapMs * 1_000_000);
        }
        client.shutdownOutput();
    }

    /** The body of the request. */
    private static String request(InputStream in) throws IOException {
        var bytes = new ByteArrayOutputStream();
        byte[] buffer = new byte[8192];
        while (true) {
            String text = bytes.toString(StandardCharsets.ISO_8859_1);
            int head = text.indexOf("\r\n\r\n");
            if (head >= 0) {
                var length = Pattern.compile("(?i)content-length: (\\d+)").matcher(text);
                int expected = length.find() ? Integer.parseInt(length.group(1)) : 0;
                if (text.length() >= head + 4 + expected) {
                    return text.substring(head + 4);
                }
            }
            int read = in.read(buffer);
            if (read < 0) {
                throw new IOException("no request");
            }
            bytes.write(buffer, 0, read);
            if (buffer[0] == TLS_HANDSHAKE) {
                return "";
            }
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
