package io.millrace.server.test;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** A port that leads to another one of this machine, until it is cut. */
public final class Forwarder implements AutoCloseable {
    private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final int target;
    private final List<Socket> open = new ArrayList<>();
    private boolean cut;

    public Forwarder(int target) throws IOException {
        this.target = target;
        daemon(this::accept);
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** Ends all connections, and each new one at once. */
    public synchronized void cut() throws IOException {
        cut = true;
        for (Socket socket : open) {
            socket.close();
        }
        open.clear();
    }

    public synchronized void mend() {
        cut = false;
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                connect(client);
            } catch (IOException e) {
                // It is closed, or the target is not there.
            }
        }
    }

    private synchronized void connect(Socket client) throws IOException {
        if (cut) {
            client.close();
            return;
        }
        open.add(client);
        var server = new Socket(InetAddress.getLoopbackAddress(), target);
        open.add(server);
        pipe(client, server);
        pipe(server, client);
    }

    private static void pipe(Socket from, Socket to) {
        daemon(() -> {
            try (from;
                    to) {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                in.transferTo(out);
            } catch (IOException e) {
                // One of them is closed, and so is the other.
            }
        });
    }

    private static void daemon(Runnable task) {
        var thread = new Thread(task, "forwarder");
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        cut();
    }
}
