package io.millrace.server.warmup;

import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The ways that are practised: those that the listeners of the real relay offer for streams. The listeners of the relay
 * that practises are on loopback, and have a certificate that was made for them.
 */
final class Practice implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Practice.class);

    private final List<Listener> listeners = new ArrayList<>();
    private final @Nullable PracticeCertificate certificate;
    private final @Nullable SSLContext trust;

    /** The practice for a relay with these listeners. Without TLS if its files cannot be written. */
    static Practice of(List<Listener> real) {
        boolean encrypted = real.stream().anyMatch(each -> !each.isAdmin() && each.tls() != null);
        if (encrypted) {
            try {
                var certificate = PracticeCertificate.make();
                return new Practice(real, certificate, certificate.trust());
            } catch (IOException | GeneralSecurityException e) {
                LOG.debug("the warm-up does without TLS: {}", e.toString());
            }
        }
        return new Practice(real, null, null);
    }

    private Practice(List<Listener> real, @Nullable PracticeCertificate certificate, @Nullable SSLContext trust) {
        this.certificate = certificate;
        this.trust = trust;
        for (Listener each : real) {
            boolean can = each.tls() == null || certificate != null;
            if (!each.isAdmin() && can) {
                add(each);
            }
        }
        if (listeners.isEmpty()) {
            listeners.add(Listener.at(new HostAndPort("127.0.0.1", 0)));
        }
    }

    private void add(Listener real) {
        Listener next = Listener.at(new HostAndPort("127.0.0.1", 0))
                .with(l -> l.protocols = real.spoken())
                .with(l -> l.tls = real.tls() == null || certificate == null ? null : certificate.settings());
        if (!listeners.contains(next)) {
            listeners.add(next);
        }
    }

    /** Where the relay that practises listens. */
    List<Listener> listeners() {
        return listeners;
    }

    /** The ways to {@link #listeners}, which are open at these addresses. */
    List<Way> ways(List<InetSocketAddress> addresses) {
        var ways = new ArrayList<Way>();
        for (int i = 0; i < listeners.size(); i++) {
            Listener listener = listeners.get(i);
            for (Protocol protocol : listener.spoken()) {
                ways.add(new Way(addresses.get(i).getPort(), listener.tls() == null ? null : trust, protocol));
            }
        }
        return ways;
    }

    @Override
    public void close() throws IOException {
        if (certificate != null) {
            certificate.close();
        }
    }
}
