package io.millrace.server.tls;

import io.millrace.server.config.Listener;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

/** The TLS of all listeners of a process. It watches their files on a thread of its own. */
public final class TlsServers implements AutoCloseable {
    private final Handshakes handshakes;
    private final Map<Listener, ServerTls> servers = new LinkedHashMap<>();
    private final @Nullable FileWatch watch;

    /** New files for open listeners: read and checked, but not in use yet. */
    public final class Change {
        private final Map<ServerTls, LoadedTls> next = new LinkedHashMap<>();

        private Change() {}

        /** From now on, new connections get these. */
        public void take() {
            next.forEach(ServerTls::take);
        }

        /** Releases them. */
        public void drop() {
            next.values().forEach(LoadedTls::close);
        }

        private void add(Listener open, Listener.Tls settings) {
            ServerTls server = of(open);
            if (server != null) {
                next.put(server, server.prepare(settings));
            }
        }
    }

    /**
     * Reads and checks the files of {@code listeners}, and watches them.
     *
     * @param mostHandshakes how many there may be at once; asked for each one that begins
     * @throws IllegalArgumentException if a file cannot be used, naming it
     */
    public TlsServers(List<Listener> listeners, IntSupplier mostHandshakes) {
        handshakes = new Handshakes(mostHandshakes);
        try {
            for (Listener listener : listeners) {
                Listener.Tls settings = listener.tls();
                if (settings != null && !servers.containsKey(listener)) {
                    servers.put(listener, ServerTls.of(settings, listener.spoken(), handshakes));
                }
            }
        } catch (IllegalArgumentException e) {
            closeServers();
            throw e;
        }
        watch = servers.isEmpty() ? null : new FileWatch();
        if (watch != null) {
            servers.values().forEach(server -> watch.add(server::look));
        }
    }

    /** The TLS of an open listener; null if it has none. */
    public @Nullable ServerTls of(Listener listener) {
        return servers.get(listener);
    }

    /**
     * Reads and checks the files that {@code listeners} name, for each listener that has the address of an open
     * listener with TLS.
     *
     * @throws IllegalArgumentException if a file cannot be used, naming it; it is counted
     */
    public Change prepare(List<Listener> listeners) {
        var change = new Change();
        try {
            for (Listener open : servers.keySet()) {
                for (Listener next : listeners) {
                    Listener.Tls settings = next.tls();
                    if (next.address().equals(open.address()) && settings != null) {
                        change.add(open, settings);
                        break;
                    }
                }
            }
        } catch (IllegalArgumentException e) {
            change.drop();
            throw e;
        }
        return change;
    }

    /** When each certificate ends, by its file. */
    public Map<String, Instant> ends() {
        var ends = new TreeMap<String, Instant>();
        servers.values().forEach(server -> ends.putAll(server.ends()));
        return ends;
    }

    /** How many times changed files were accepted, or refused, while their listener was open. */
    public long reloads(boolean successful) {
        return servers.values().stream()
                .mapToLong(server -> server.reloads(successful))
                .sum();
    }

    /** How many handshakes have failed, by reason; empty where there is no TLS. */
    public Map<String, Long> failedHandshakes() {
        return servers.isEmpty() ? Map.of() : handshakes.failures();
    }

    /** Frees the memory of TLS outside of the heap. To be called once, when no more connections come. */
    @Override
    public void close() {
        if (watch != null) {
            watch.close();
        }
        closeServers();
    }

    private void closeServers() {
        new ArrayList<>(servers.values()).forEach(ServerTls::close);
    }
}
