package io.millrace.server.warmup;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Arrays;

/** A client that asks for one stream after the other. Not thread-safe. */
final class StreamClient implements AutoCloseable {
    private final int port;
    private Socket socket;
    private byte[] bytes = new byte[64 * 1024];

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
        int length = 0;
        while (!Http.isWhole(bytes, length)) {
            bytes = length == bytes.length ? Arrays.copyOf(bytes, 2 * length) : bytes;
            int read = socket.getInputStream().read(bytes, length, bytes.length - length);
            if (read < 0) {
                throw new IOException("a stream of the warm-up broke off");
            }
            length += read;
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

    /** Ends the connection; the next stream has another one. */
    @Override
    public void close() throws IOException {
        if (socket != null) {
            socket.close();
            socket = null;
        }
    }

    private void ask(byte[] request) throws IOException {
        if (socket == null) {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setTcpNoDelay(true);
        }
        socket.getOutputStream().write(request);
    }
}
