package io.millrace.server.test;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** An upstream that the test controls byte by byte, with a thread per connection. */
public final class ScriptedUpstream implements AutoCloseable {
    /** The script of one connection, which is closed when this returns. */
    @FunctionalInterface
    public interface Script {
        void serve(Connection connection) throws IOException;
    }

    private final ServerSocket listener;
    private final Script script;
    private final List<Socket> sockets = new CopyOnWriteArrayList<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final AtomicInteger closed = new AtomicInteger();

    private ScriptedUpstream(Script script) throws IOException {
        this.script = script;
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    }

    public static ScriptedUpstream start(Script script) throws IOException {
        var upstream = new ScriptedUpstream(script);
        upstream.spawn(upstream::accept);
        return upstream;
    }

    /** Sends the same bytes after each request, then waits for the relay to close or to ask again. */
    public static ScriptedUpstream answering(String response) throws IOException {
        return start(connection -> {
            while (connection.readRequest() != null) {
                connection.send(response);
            }
        });
    }

    /** Sends these bytes after the first request of each connection and closes. */
    public static ScriptedUpstream answeringAndClosing(String response) throws IOException {
        return start(connection -> {
            connection.readRequest();
            connection.send(response);
        });
    }

    public URI uri() {
        return URI.create("http://127.0.0.1:" + listener.getLocalPort());
    }

    /** The number of connections. */
    public int connections() {
        return sockets.size();
    }

    /** The number of connections that are closed because their script is done. */
    public int closed() {
        return closed.get();
    }

    /** Heads and bodies of the requests, in the order in which they were read. */
    public List<String> requests() {
        return new ArrayList<>(requests);
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }

    private void accept() {
        try {
            while (true) {
                Socket socket = listener.accept();
                socket.setTcpNoDelay(true);
                sockets.add(socket);
                spawn(() -> serve(socket, sockets.size()));
            }
        } catch (IOException e) {
            // closed
        }
    }

    private void serve(Socket socket, int number) {
        try (socket) {
            script.serve(new Connection(socket, number));
        } catch (IOException e) {
            // The relay closed: what it saw is what the test looks at.
        } finally {
            closed.incrementAndGet();
        }
    }

    private void spawn(Runnable task) {
        var thread = new Thread(task, "scripted-upstream");
        thread.setDaemon(true);
        thread.start();
    }

    /** One accepted connection. */
    public final class Connection {
        private final Socket socket;
        private final InputStream in;
        private final int number;

        private Connection(Socket socket, int number) throws IOException {
            this.socket = socket;
            this.number = number;
            in = new BufferedInputStream(socket.getInputStream());
        }

        /** Its place among all connections, from 1. */
        public int number() {
            return number;
        }

        public Socket socket() {
            return socket;
        }

        public void send(String bytes) throws IOException {
            socket.getOutputStream().write(bytes.getBytes(StandardCharsets.ISO_8859_1));
        }

        /** Ends the connection with a reset. */
        public void reset() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        /** The next byte, or -1 when the relay has closed. */
        public int read() throws IOException {
            return in.read();
        }

        /** Waits that long for the relay to close, and says whether it did; a request that comes is left to be read. */
        public boolean isClosedWithin(Duration time) throws IOException {
            socket.setSoTimeout(Math.toIntExact(time.toMillis()));
            in.mark(1);
            try {
                boolean closed = in.read() < 0;
                in.reset();
                return closed;
            } catch (SocketTimeoutException e) {
                return false;
            } finally {
                socket.setSoTimeout(0);
            }
        }

        /** The next request's head and body, or null when the relay has closed. */
        public String readRequest() throws IOException {
            var text = new ByteArrayOutputStream();
            while (!text.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
                int octet = in.read();
                if (octet < 0) {
                    return null;
                }
                text.write(octet);
            }
            String head = text.toString(StandardCharsets.ISO_8859_1);
            String length = RawClient.header(head, "content-length");
            if (length != null) {
                text.write(in.readNBytes(Integer.parseInt(length)));
            } else if (RawClient.header(head, "transfer-encoding") != null) {
                readChunks(text);
            }
            String request = text.toString(StandardCharsets.ISO_8859_1);
            requests.add(request);
            return request;
        }

        private void readChunks(ByteArrayOutputStream to) throws IOException {
            while (true) {
                int size = Integer.parseInt(readLine(), 16);
                to.write(in.readNBytes(size));
                boolean ended = readLine().isEmpty() && size == 0;
                while (size == 0 && !ended) { // trailers
                    ended = readLine().isEmpty();
                }
                if (ended) {
                    return;
                }
            }
        }

        private String readLine() throws IOException {
            var line = new StringBuilder();
            int octet;
            while ((octet = in.read()) != '\n' && octet >= 0) {
                line.append((char) octet);
            }
            return line.toString().trim();
        }
    }
}
