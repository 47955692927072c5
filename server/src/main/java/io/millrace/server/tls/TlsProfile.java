package io.millrace.server.tls;

import io.millrace.server.config.Listener;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslProvider;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The versions and cipher suites of TLS, for clients and upstreams: 1.2 and 1.3, with forward secrecy and
 * authenticated encryption only.
 */
final class TlsProfile {
    private static final Logger LOG = LoggerFactory.getLogger(TlsProfile.class);

    /** The cipher suites of both versions, the best first, with their JDK names. */
    static final List<String> CIPHERS = List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    static {
        // The JDK reads this property once, at the first handshake of its server engine. BoringSSL never renegotiates.
        System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "true");
    }

    private static final AtomicBoolean WARNED = new AtomicBoolean();

    private TlsProfile() {}

    /** The versions from {@code lowest} up, the best first. */
    static List<String> versions(Listener.Tls.Version lowest) {
        return Arrays.stream(Listener.Tls.Version.values())
                .filter(version -> version.compareTo(lowest) >= 0)
                .map(Listener.Tls.Version::label)
                .sorted(Comparator.reverseOrder())
                .toList();
    }

    /** The fastest implementation on this machine: BoringSSL, else the JDK's. */
    static SslProvider provider() {
        return OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK;
    }

    /**
     * The same for a server, which frees the data of each connection at its end. The log says once if it is the JDK's.
     */
    static SslProvider serverProvider() {
        if (OpenSsl.isAvailable()) {
            return SslProvider.OPENSSL_REFCNT;
        }
        if (!WARNED.getAndSet(true)) {
            LOG.warn(
                    "TLS runs on the JDK's implementation, which costs more processor time: BoringSSL cannot be loaded ({})",
                    String.valueOf(OpenSsl.unavailabilityCause()));
        }
        return SslProvider.JDK;
    }
}
