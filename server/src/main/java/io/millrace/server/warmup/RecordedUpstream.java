package io.millrace.server.warmup;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** Sends recorded answers on a loopback port, with a thread for each connection. */
final class RecordedUpstream implements AutoCloseable {
    /** Long enough that a frame is read before the next one is sent. */
    private static final long GAP_NS = 20_000;

    private static final long LATE_NS = 1_000_000;

    private static final int MAX_REQUEST_BYTES = 16 * 1024;

    private final Recordings recordings;
    private final ServerSocket listener;
    private final Set<Socket> connections = ConcurrentHashMap.newKeySet();

    RecordedUpstream(Recordings recordings) throws IOException {
        this.recordings = recordings;
        listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        daemon(this::accept);
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + listener.getLocalPort());
    }

    @Override
    public void close() {
        closeQuietly(listener);
        connections.forEach(RecordedUpstream::closeQuietly);
    }

    private void accept() {
        try {
            while (true) {
                Socket connection = listener.accept();
                connections.add(connection);
                if (listener.isClosed()) {
                    closeQuietly(connection);
                }
                daemon(() -> serve(connection));
            }
        } catch (IOException e) {
            // Closed: the warm-up is over.
        }
    }

    private void serve(Socket connection) {
        try (connection) {
            connection.setTcpNoDelay(true);
            byte[] request = new byte[MAX_REQUEST_BYTES];
            while (readRequest(connection.getInputStream(), request)) {
                byte[] answer = recordings.answer(request);
                switch (Recordings.kind(request)) {
                    case PACED -> pace(answer, connection.getOutputStream());
                    case LATE -> {
                        LockSupport.parkNanos(LATE_NS);
                        connection.getOutputStream().write(answer);
                    }
                    default -> connection.getOutputStream().write(answer);
                }
            }
        } catch (IOException e) {
            // The relay closes the connection when its client has closed.
        } finally {
            connections.remove(connection);
        }
    }

    /** Writes one chunk at a time. Each chunk ends a frame. */
    private static void pace(byte[] answer, OutputStream out) throws IOException {
        int start = 0;
        for (int end = 4; end <= answer.length; end++) {
            if (end == answer.length
                    || (answer[end - 4] == '\n' && answer[end - 3] == '\n' && answer[end - 2] == '\r')) {
                out.write(answer, start, end - start);
                start = end;
                LockSupport.parkNanos(GAP_NS);
            }
        }
    }

    /** Reads one request; false at the end of the connection. */
    private static boolean readRequest(InputStream in, byte[] request) throws IOException {
        int length = 0;
        int headEnd = -1;
        while (headEnd < 0 || length < Recordings.requestLength(request, headEnd)) {
            int read = in.read(request, length, request.length - length);
            if (read < 0) {
                return false;
            }
            length += read;
            headEnd = headEnd < 0 ? Http.headEnd(request, length) : headEnd;
        }
        return true;
    }

    private static void daemon(Runnable work) {
        var thread = new Thread(work, "millrace-warm-up-upstream");
        thread.setDaemon(true);
        thread.start();
    }

    private static void closeQuietly(Closeable socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
