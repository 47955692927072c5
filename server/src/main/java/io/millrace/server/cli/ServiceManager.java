package io.millrace.server.cli;

import io.netty.channel.epoll.Epoll;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports the state of this process to a service manager ({@code sd_notify(3)}), at the unix socket that {@code
 * NOTIFY_SOCKET} names. A name that begins with {@code @} is an abstract socket. Without that variable nothing is
 * reported.
 */
final class ServiceManager {
    private static final Logger LOG = LoggerFactory.getLogger(ServiceManager.class);

    private final String address;

    /** The service manager that this environment names. */
    ServiceManager(Map<String, String> environment) {
        address = environment.getOrDefault("NOTIFY_SOCKET", "");
    }

    /** Reports that this process serves, and is the one to watch from now on. */
    void ready() {
        tell("READY=1\nMAINPID=" + ProcessHandle.current().pid());
    }

    /** Reports that this process stops. Its clients' streams may still need some time. */
    void stopping() {
        tell("STOPPING=1");
    }

    private void tell(String state) {
        if (address.isEmpty()) {
            return;
        }
        if (!Epoll.isAvailable()) {
            LOG.warn("{} is not reported to the service manager: that needs epoll", state.replace('\n', ' '));
            return;
        }
        byte[] bytes = state.getBytes(StandardCharsets.UTF_8);
        ByteBuffer message = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
        String name = address.startsWith("@") ? "\0" + address.substring(1) : address;
        Socket socket = Socket.newSocketDomainDgram();
        try {
            if (!socket.connect(new DomainSocketAddress(name))
                    || socket.send(message, 0, bytes.length) != bytes.length) {
                throw new IOException("it does not take messages");
            }
        } catch (IOException e) {
            LOG.warn("the service manager at {} does not get {}: {}", address, state.replace('\n', ' '), e.toString());
        } finally {
            close(socket);
        }
    }

    private static void close(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("the service manager's socket: {}", e.getMessage());
        }
    }
}
