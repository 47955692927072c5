package io.millrace.server.config;

import io.millrace.server.address.AddressSet;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.ListenAddress.UnixPath;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An address to listen on, and the services for its clients.
 *
 * @param address the address
 * @param tls the TLS settings; null for no TLS
 * @param protocols the protocols of clients; empty selects them, see {@link #spoken}
 * @param proxies the load balancers whose connections, and only theirs, begin with a PROXY head
 * @param serves the kinds of paths that are answered, at least one
 * @param users names or numbers of the users that may connect to a unix socket; empty leaves that to the file's mode
 * @param mode the mode of a unix socket's file
 */
public record Listener(
        ListenAddress address,
        @Nullable Tls tls,
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

    /** Whether clients can use an upstream here, and therefore a key of the relay. */
    public boolean spendsKeys() {
        return serves.contains(Served.RELAY) || serves.contains(Served.PAGE);
    }

    /** Whether it is an admin listener, which serves no upstreams. */
    public boolean isAdmin() {
        return !serves.contains(Served.RELAY);
    }

    /**
     * The TLS settings of a listener.
     *
     * @param certificates the certificates; the first that fits the requested host name is used, and the very first for
     *     all other names
     * @param minVersion the lowest version that is spoken
     * @param clientCa PEM file of the certificates that sign those of clients; null asks clients for none
     * @param clientMode what a client without a certificate gets
     * @param hsts how long browsers are told to use only TLS with this host; zero does not tell them
     */
    public record Tls(
            List<Certificate> certificates,
            Version minVersion,
            @Nullable Path clientCa,
            ClientMode clientMode,
            Duration hsts)
            implements Settings<Tls, Tls.Builder> {
        /** Settings without a certificate. */
        public static final Tls DEFAULT = Builders.build(Tls.class, new Builder());

        /** Versions of TLS. */
        public enum Version {
            V1_2("TLSv1.2"),
            V1_3("TLSv1.3");

            private final String label;

            Version(String label) {
                this.label = label;
            }

            /** The name in the configuration and of the JDK. */
            public String label() {
                return label;
            }
        }

        /** Whether clients must have a certificate. */
        public enum ClientMode {
            /** A client may have none. A certificate that it sends must be valid. */
            OPTIONAL,
            /** A handshake without a certificate fails. */
            REQUIRED
        }

        /**
         * The files of one certificate.
         *
         * @param cert PEM chain, the server's own first
         * @param key PEM key, PKCS#8, not encrypted
         */
        public record Certificate(Path cert, Path key) {}

        public Tls {
            certificates = List.copyOf(certificates);
            if (hsts.isNegative()) {
                throw new IllegalArgumentException("hsts: " + hsts + " (expected: >= 0)");
            }
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public List<Certificate> certificates = List.of();
            public Version minVersion = Version.V1_2;
            public @Nullable Path clientCa;
            public ClientMode clientMode = ClientMode.REQUIRED;
            public Duration hsts = Duration.ZERO;
        }
    }

    /** What a listener can serve. A path of the relay's own that it does not serve gets 404 there. */
    public enum Served {
        /** Everything that upstreams answer, with {@code /chat}, {@code /openapi.json} and requests to stop a stream. */
        RELAY,
        /** {@code /healthz} and {@code /readyz}. */
        HEALTH,
        /** {@code /metrics}. */
        METRICS,
        /**
         * {@code GET /}, the playground, with {@code /chat} and {@code /openapi.json}, which it uses. And the page of the
         * streams in progress, with its feed.
         */
        PAGE,
        /** {@code DELETE /millrace/streams/{id}}. */
        STREAMS
    }

    /** A protocol of clients. */
    public enum Protocol {
        /** HTTP/2. */
        H2("h2"),
        /** HTTP/1.1, and HTTP/1.0. */
        HTTP_1_1("http/1.1");

        private final String label;

        Protocol(String label) {
            this.label = label;
        }

        /** The protocol of an ALPN name. A client without ALPN speaks HTTP/1.1. */
        public static Protocol named(@Nullable String label) {
            return H2.label.equals(label) ? H2 : HTTP_1_1;
        }

        /** The name in the configuration and in TLS (ALPN). */
        public String label() {
            return label;
        }
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public ListenAddress address = new HostAndPort("127.0.0.1", 0);
        public @Nullable Tls tls;
        public List<Protocol> protocols = List.of();
        public AddressSet proxies = AddressSet.NONE;
        public Set<Served> serves = EnumSet.allOf(Served.class);
        public List<String> users = List.of();
        public int mode = MODE;
    }
}
