package io.millrace.server.warmup;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.locks.LockSupport;

/** A client that asks for one stream after another. Not thread-safe. */
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
     * @throws IOException if there is no stream
     */
    void read(byte[] request) throws IOException {
        ask(request);
        readAnswer(0);
    }

    /** Like {@link #read}, but over a new connection and so slowly that the relay must wait. */
    void readSlowly(byte[] request) throws IOException {
        close();
        connect(SLOW_BUFFER_BYTES);
        ask(request);
        readAnswer(SLOW_PAUSE_NS);
        close();
    }

    /** Reads the answer to the last request, with a pause before each read. */
    void readAnswer(long pauseNs) throws IOException {
        int length = 0;
        while (!Http.isWhole(bytes, length)) {
            // The bytes read before may end inside the end of the body.
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

    /** Reads the first bytes of a stream and closes. */
    void leave(byte[] request) throws IOException {
        ask(request);
        if (socket.getInputStream().read() < 0) {
            throw new IOException("a stream of the warm-up did not begin");
        }
        close();
    }

    /** Closes before an answer. */
    void leaveAtOnce(byte[] request) throws IOException {
        ask(request);
        LockSupport.parkNanos(BEFORE_ANSWER_NS);
        close();
    }

    /** Closes the connection. The next stream opens a new one. */
    @Override
    public void close() throws IOException {
        socket.close();
        socket = new Socket();
    }

    /** Sends a request. Its answer is not read yet. */
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
