package io.millrace.server.warmup;

import java.io.IOException;
import java.net.Socket;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** A client that speaks HTTP/1.1, and so asks for one stream after the other. */
final class Http1Client implements StreamClient {
    private final Way way;
    private @Nullable Socket socket;
    private final byte[] bytes = new byte[16 * 1024];

    Http1Client(Way way) {
        this.way = way;
    }

    @Override
    public void ask(byte[] request) throws IOException {
        socket().getOutputStream().write(request);
    }

    @Override
    public void readAnswer(long pauseNs) throws IOException {
        int length = 0;
        while (!Http.isWhole(bytes, length)) {
            // What was read before may end in the first bytes of the end.
            int kept = Math.min(length, Http.END_BYTES);
            System.arraycopy(bytes, length - kept, bytes, 0, kept);
            LockSupport.parkNanos(pauseNs);
            int read = socket().getInputStream().read(bytes, kept, bytes.length - kept);
            if (read < 0) {
                throw new IOException("a stream of the warm-up broke off");
            }
            length = kept + read;
        }
    }

    @Override
    public void readBegin() throws IOException {
        if (socket().getInputStream().read() < 0) {
            throw new IOException("a stream of the warm-up did not begin");
        }
    }

    @Override
    public void cancel() throws IOException {
        close();
    }

    @Override
    public void connectSlowly() throws IOException {
        socket = way.connect(SLOW_BUFFER_BYTES);
    }

    @Override
    public void close() throws IOException {
        if (socket != null) {
            socket.close();
            socket = null;
        }
    }

    private Socket socket() throws IOException {
        Socket open = socket;
        if (open == null) {
            open = way.connect(0);
            socket = open;
        }
        return open;
    }
}
