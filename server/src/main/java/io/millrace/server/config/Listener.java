package io.millrace.server.config;

import io.millrace.server.address.AddressSet;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An address to listen on, and what it offers to clients.
 *
 * @param address where
 * @param tls how connections are encrypted; null leaves them in the clear
 * @param protocols what clients may speak; empty is what fits, see {@link #spoken}
 * @param proxies whose connections begin with a PROXY head, and no others
 * @param serves which paths are answered, at least one
 * @param users of a unix socket: names or numbers of who may connect; empty leaves that to the file's mode
 * @param mode of a unix socket's file
 */
public record Listener(
        ListenAddress address,
        @Nullable ListenerTls tls,
        List<Protocol> protocols,
        AddressSet proxies,
        Set<Served> serves,
        List<String> users,
        int mode)
        implements Settings<Listener, Listener.Builder> {
    private static final int MODE = 0660;

    public Listener {
        protocols = List.copyOf(protocols);
        serves = Set.copyOf(serves);
        users = List.copyOf(users);
        Checks.range("mode", mode, 0, 0777);
        if (serves.isEmpty()) {
            throw new IllegalArgumentException("serves: [] (expected: at least one of relay, health, metrics, page)");
        }
        if (!(address instanceof UnixPath) && !users.isEmpty()) {
            throw new IllegalArgumentException("users: at " + address + " (expected: only beside unix:/path)");
        }
        if (!(address instanceof UnixPath) && mode != MODE) {
            throw new IllegalArgumentException("mode: at " + address + " (expected: only beside unix:/path)");
        }
    }

    /** A listener without TLS, for HTTP/1.1 and all paths. */
    public static Listener at(ListenAddress address) {
        var listener = new Builder();
        listener.address = address;
        return Builders.build(Listener.class, listener);
    }

    /** Listeners like {@link #at}, one for each address. */
    public static List<Listener> at(List<? extends ListenAddress> addresses) {
        return addresses.stream().map(Listener::at).toList();
    }

    /** Whether it has only an address, and defaults for everything else. */
    public boolean isPlain() {
        return equals(at(address));
    }

    /** The protocols that clients may speak, the best first. */
    public List<Protocol> spoken() {
        if (!protocols.isEmpty()) {
            return protocols;
        }
        return tls == null ? List.of(Protocol.HTTP_1_1) : List.of(Protocol.H2, Protocol.HTTP_1_1);
    }

    /** Whether clients can use an upstream here, and so a key of the relay's own. */
    public boolean spendsKeys() {
        return serves.contains(Served.RELAY) || serves.contains(Served.PAGE);
    }

    /** Whether it is an admin listener, which serves no upstreams. */
    public boolean isAdmin() {
        return !serves.contains(Served.RELAY);
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public ListenAddress address = new HostAndPort("127.0.0.1", 0);
        public @Nullable ListenerTls tls;
        public List<Protocol> protocols = List.of();
        public AddressSet proxies = AddressSet.NONE;
        public Set<Served> serves = EnumSet.allOf(Served.class);
        public List<String> users = List.of();
        public int mode = MODE;
    }
}
