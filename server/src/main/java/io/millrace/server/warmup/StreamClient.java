package io.millrace.server.warmup;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.locks.LockSupport;

/** A client that asks for one stream after the other. Not thread-safe. */
final class StreamClient implements AutoCloseable {
    private static final int SLOW_BUFFER_BYTES = 4 * 1024;
    private static final long SLOW_PAUSE_NS = 50_000;
    private static final long BEFORE_ANSWER_NS = 200_000;

    private final int port;
    private Socket socket = new Socket();
    private final byte[] bytes = new byte[16 * 1024];

    StreamClient(int port) {
        this.port = port;
    }

    /**
     * Reads a stream to its end.
     *
     * @throws IOException if there is none
     */
    void read(byte[] request) throws IOException {
        ask(request);
        readAnswer(0);
    }

    /** As {@link #read}, but over a connection of its own and so slowly that the relay must wait. */
    void readSlowly(byte[] request) throws IOException {
        close();
        connect(SLOW_BUFFER_BYTES);
        ask(request);
        readAnswer(SLOW_PAUSE_NS);
        close();
    }

    /** The answer to the request that was sent last, with a pause before each read. */
    void readAnswer(long pauseNs) throws IOException {
        int length = 0;
        while (!Http.isWhole(bytes, length)) {
            // What was read before may end in the first bytes of the end.
            int kept = Math.min(length, Http.END_BYTES);
            System.arraycopy(bytes, length - kept, bytes, 0, kept);
            LockSupport.parkNanos(pauseNs);
            int read = socket.getInputStream().read(bytes, kept, bytes.length - kept);
            if (read < 0) {
                throw new IOException("a stream of the warm-up broke off");
            }
            length = kept + read;
        }
    }

    /** Leaves a stream at its first bytes. */
    void leave(byte[] request) throws IOException {
        ask(request);
        if (socket.getInputStream().read() < 0) {
            throw new IOException("a stream of the warm-up did not begin");
        }
        close();
    }

    /** Leaves before an answer. */
    void leaveAtOnce(byte[] request) throws IOException {
        ask(request);
        LockSupport.parkNanos(BEFORE_ANSWER_NS);
        close();
    }

    /** Ends the connection; the next stream has another one. */
    @Override
    public void close() throws IOException {
        socket.close();
        socket = new Socket();
    }

    /** Sends a request whose answer is not yet read. */
    void ask(byte[] request) throws IOException {
        if (!socket.isConnected()) {
            connect(0);
        }
        socket.getOutputStream().write(request);
    }

    private void connect(int receiveBytes) throws IOException {
        if (receiveBytes > 0) {
            socket.setReceiveBufferSize(receiveBytes);
        }
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        socket.setTcpNoDelay(true);
    }
}
