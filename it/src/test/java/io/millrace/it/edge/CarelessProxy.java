package io.millrace.it.edge;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Copies bytes in both directions, like a proxy written without care. */
final class CarelessProxy implements AutoCloseable {
    private static final int BUFFER_BYTES = 64 * 1024;

    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final int upstreamPort;
    private final int maxBytes;
    private final int combMs;

    /**
     * @param maxBytes of an answer that it passes on, before it closes the connection
     * @param combMs how long what it writes waits, as for an acknowledgement that the client delays; 0 is not at all
     */
    CarelessProxy(int upstreamPort, int maxBytes, int combMs) throws IOException {
        this.upstreamPort = upstreamPort;
        this.maxBytes = maxBytes;
        this.combMs = combMs;
        threads.execute(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    @Override
    public void close() throws IOException {
        server.close();
        threads.shutdownNow();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = server.accept();
                client.setTcpNoDelay(true);
                Socket upstream = new Socket(InetAddress.getLoopbackAddress(), upstreamPort);
                threads.execute(() -> copy(client, upstream, Integer.MAX_VALUE, 0));
                threads.execute(() -> copy(upstream, client, maxBytes, combMs));
            }
        } catch (IOException e) {
            // It is closed.
            threads.shutdown();
        }
    }

    private static void copy(Socket from, Socket to, int maxBytes, int combMs) {
        byte[] buffer = new byte[BUFFER_BYTES];
        try (from;
                to;
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream()) {
            int left = maxBytes;
            int read = 0;
            while (left > 0 && (read = in.read(buffer, 0, Math.min(left, buffer.length))) >= 0) {
                if (combMs > 0) {
                    // Waits for a moment. Bytes that come meanwhile are read and written together.
                    long toothNs = TimeUnit.MILLISECONDS.toNanos(combMs);
                    LockSupport.parkNanos(toothNs - Math.floorMod(System.nanoTime(), toothNs));
                    read += in.read(buffer, read, Math.min(in.available(), buffer.length - read));
                }
                out.write(buffer, 0, read);
                left -= read;
            }
        } catch (IOException e) {
            // When one side closes, the other is closed too.
            return;
        }
    }
}
