package io.millrace.it.clients;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A proxy in front of a relay that copies every byte in both directions. When the stream is silent, it asks the relay
 * to stop the stream, with the client's own key. So a stream is stopped although its SDK has no method for that.
 */
final class Stopper implements AutoCloseable {
    private static final int SILENCE_MS = 300;
    private static final Pattern STREAM = Pattern.compile("(?i)\r\nx-millrace-stream: (\\S+)\r\n");
    private static final Pattern KEY =
            Pattern.compile("(?i)\r\n(authorization|x-api-key|x-goog-api-key): ([^\r\n]+)\r\n");

    private final ServerSocket listener;
    private final int relayPort;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();

    Stopper(int relayPort) {
        this.relayPort = relayPort;
        try {
            listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        spawn(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    @Override
    public void close() {
        try {
            listener.close();
            for (var socket : sockets) {
                socket.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept() {
        try {
            while (true) {
                var connection = new Connection(listener.accept());
                spawn(connection::passRequests);
                spawn(connection::passResponses);
            }
        } catch (IOException e) {
            // Closed at the end of the test.
            assert listener.isClosed();
        }
    }

    private static void spawn(Runnable task) {
        var thread = new Thread(task, "stopper");
        thread.setDaemon(true);
        thread.start();
    }

    private final class Connection {
        private final Socket client;
        private final Socket relay;
        private volatile String key = "";

        Connection(Socket client) throws IOException {
            this.client = client;
            relay = new Socket(InetAddress.getLoopbackAddress(), relayPort);
            relay.setSoTimeout(SILENCE_MS);
            sockets.add(client);
            sockets.add(relay);
        }

        void passRequests() {
            try (InputStream in = client.getInputStream();
                    OutputStream out = relay.getOutputStream()) {
                var buffer = new byte[64 * 1024];
                for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                    Matcher found = KEY.matcher(text(buffer, n));
                    if (found.find()) {
                        key = found.group(1) + ": " + found.group(2);
                    }
                    out.write(buffer, 0, n);
                }
            } catch (IOException e) {
                // The other side has closed both sockets.
                assert client.isClosed() || relay.isClosed() : e;
            }
        }

        void passResponses() {
            try (InputStream in = relay.getInputStream();
                    OutputStream out = client.getOutputStream()) {
                var buffer = new byte[64 * 1024];
                String stream = null;
                for (int n = read(in, buffer); n >= 0; n = read(in, buffer)) {
                    if (n == 0 && stream != null) {
                        stop(stream);
                        stream = null;
                    }
                    Matcher found = STREAM.matcher(text(buffer, n));
                    if (found.find()) {
                        stream = found.group(1);
                    }
                    out.write(buffer, 0, n);
                }
            } catch (IOException e) {
                // The client has closed, as some clients do at the end of their stream.
                assert !e.getMessage().isEmpty();
            }
        }

        /** Returns 0 after a silence. */
        private int read(InputStream in, byte[] buffer) throws IOException {
            try {
                return in.read(buffer);
            } catch (SocketTimeoutException e) {
                return 0;
            }
        }

        private void stop(String id) throws IOException {
            var url = URI.create("http://127.0.0.1:" + relayPort + "/millrace/streams/" + id)
                    .toURL();
            var request = (HttpURLConnection) url.openConnection();
            request.setRequestMethod("DELETE");
            int colon = key.indexOf(':');
            request.setRequestProperty(key.substring(0, colon), key.substring(colon + 2));
            request.getResponseCode();
            request.disconnect();
        }

        private static String text(byte[] bytes, int length) {
            return new String(bytes, 0, length, StandardCharsets.ISO_8859_1);
        }
    }
}
