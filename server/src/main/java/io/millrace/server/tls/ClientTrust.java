package io.millrace.server.tls;

import io.netty.handler.ssl.ResumableX509ExtendedTrustManager;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Trusts the clients whose certificates are signed by certain authorities. A resumed session is checked like a new
 * one, because the certificate may have expired since.
 */
final class ClientTrust extends PeerTrust implements ResumableX509ExtendedTrustManager {
    private static final String RESUMED = "UNKNOWN";

    private final @Nullable X509ExtendedTrustManager trust;

    private ClientTrust(@Nullable X509ExtendedTrustManager trust) {
        this.trust = trust;
    }

    /** Trusts what these authorities have signed; trusts nobody if there are none. */
    static ClientTrust of(Collection<X509Certificate> authorities) {
        return new ClientTrust(authorities.isEmpty() ? null : javaTrust(authorities));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        trust().checkClientTrusted(chain, authType, engine);
        checkStrength(chain);
    }

    /** Checks without the engine, because a resumed session has no handshake that the check could ask. */
    @Override
    public void resumeClientTrusted(X509Certificate[] chain, SSLEngine engine) throws CertificateException {
        trust().checkClientTrusted(chain, RESUMED);
        checkStrength(chain);
    }

    private X509ExtendedTrustManager trust() throws CertificateException {
        if (trust == null) {
            throw new CertificateException("no clients are trusted here");
        }
        return trust;
    }

    @Override
    public void resumeServerTrusted(X509Certificate[] chain, SSLEngine engine) throws CertificateException {
        throw refusal();
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return trust == null ? new X509Certificate[0] : trust.getAcceptedIssuers();
    }
}
