package io.millrace.server.listen;

import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listening sockets that this process got from another one, by the text of their address in the configuration. Each is
 * taken once. Sockets that no listener takes are closed at the end. For one thread.
 */
public final class InheritedSockets {
    private static final Logger LOG = LoggerFactory.getLogger(InheritedSockets.class);
    private static final String OF_SERVICE_MANAGER = "systemd:";
    private static final int FIRST_DESCRIPTOR = 3;

    private final Map<String, List<Integer>> descriptors = new LinkedHashMap<>();

    /** No sockets. */
    public InheritedSockets() {}

    /**
     * The sockets that a service manager passed to this process ({@code sd_listen_fds(3)}), as {@code systemd:NAME}.
     * systemd calls a socket without a name {@code unknown}.
     *
     * @param environment with {@code LISTEN_PID}, {@code LISTEN_FDS} and {@code LISTEN_FDNAMES}
     * @param pid of this process: variables for another one mean nothing
     */
    public static InheritedSockets ofServiceManager(Map<String, String> environment, long pid) {
        return ofServiceManager(environment, pid, FIRST_DESCRIPTOR);
    }

    static InheritedSockets ofServiceManager(Map<String, String> environment, long pid, int first) {
        var sockets = new InheritedSockets();
        if (!environment.getOrDefault("LISTEN_PID", "").equals(Long.toString(pid))) {
            return sockets;
        }
        int count = count(environment.getOrDefault("LISTEN_FDS", "0"));
        String[] names = environment.getOrDefault("LISTEN_FDNAMES", "").split(":", -1);
        for (int i = 0; i < count; i++) {
            boolean named = i < names.length && !names[i].isEmpty();
            sockets.add(OF_SERVICE_MANAGER + (named ? names[i] : "unknown"), first + i);
        }
        return sockets;
    }

    private static int count(String text) {
        try {
            return Math.max(0, Integer.parseInt(text));
        } catch (NumberFormatException e) {
            LOG.warn("LISTEN_FDS: '{}' (expected: a number of sockets)", text);
            return 0;
        }
    }

    void add(String address, int descriptor) {
        descriptors.computeIfAbsent(address, name -> new ArrayList<>()).add(descriptor);
    }

    /** The sockets of an address, which the caller must close; empty if there is none. */
    List<Integer> take(String address) {
        List<Integer> taken = descriptors.remove(address);
        return taken == null ? List.of() : taken;
    }

    /** The addresses whose sockets have not been taken. */
    public Set<String> left() {
        return Set.copyOf(descriptors.keySet());
    }

    /** Closes the sockets that no listener has taken. */
    public void closeLeft() {
        descriptors.values().stream().flatMap(Collection::stream).forEach(InheritedSockets::close);
        descriptors.clear();
    }

    private static void close(int descriptor) {
        try {
            new FileDescriptor(descriptor).close();
        } catch (IOException e) {
            LOG.debug("a socket that was passed cannot be closed: {}", e.getMessage());
        }
    }
}
