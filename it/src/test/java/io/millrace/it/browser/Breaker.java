package io.millrace.it.browser;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A way to a server on this machine whose connections break when a test says so. */
final class Breaker implements AutoCloseable {
    private final ServerSocket listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final int port;

    private Breaker(int port) throws IOException {
        this.port = port;
    }

    /** A way to what listens at {@code port}. */
    static Breaker to(int port) throws IOException {
        var breaker = new Breaker(port);
        start(breaker::accept);
        return breaker;
    }

    /** The server's address by this way, without a path. */
    String url() {
        return "http://127.0.0.1:" + listening.getLocalPort();
    }

    /** Resets every connection. */
    void cut() {
        for (Socket socket : open) {
            try {
                socket.setSoLinger(true, 0);
                socket.close();
            } catch (IOException e) {
                // It is closed.
            }
        }
        open.clear();
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = listening.accept();
            var server = new Socket(InetAddress.getLoopbackAddress(), port);
            open.add(client);
            open.add(server);
            start(() -> pass(client, server));
            start(() -> pass(server, client));
        }
    }

    private static void pass(Socket from, Socket to) throws IOException {
        try (from;
                to) {
            from.getInputStream().transferTo(to.getOutputStream());
        }
    }

    private interface Action {
        void run() throws IOException;
    }

    private static void start(Action action) {
        var thread = new Thread(() -> {
            try {
                action.run();
            } catch (IOException e) {
                // A connection broke, or the test is over.
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        listening.close();
        cut();
    }
}
