package io.millrace.server.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The TLS settings of a listener.
 *
 * @param certificates in the order in which one is looked for by the name that the client asks for; the first is for all
 *     other names
 * @param minVersion the lowest version that is spoken
 * @param clientCa PEM file of the certificates that sign those of clients; null asks clients for none
 * @param clientMode what a client without a certificate gets
 * @param hsts for how long browsers are told to use nothing but TLS with this host; zero does not tell them
 */
public record ListenerTls(
        List<Certificate> certificates,
        Version minVersion,
        @Nullable Path clientCa,
        ClientMode clientMode,
        Duration hsts)
        implements Settings<ListenerTls, ListenerTls.Builder> {
    /** Settings without a certificate. */
    public static final ListenerTls DEFAULT = Builders.build(ListenerTls.class, new Builder());

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

    public ListenerTls {
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
