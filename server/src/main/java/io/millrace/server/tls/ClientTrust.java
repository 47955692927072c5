package io.millrace.server.tls;

import io.netty.handler.ssl.ResumableX509ExtendedTrustManager;
import java.net.Socket;
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
final class ClientTrust extends X509ExtendedTrustManager implements ResumableX509ExtendedTrustManager {
    private static final String RESUMED = "UNKNOWN";

    private final @Nullable X509ExtendedTrustManager trust;

    private ClientTrust(@Nullable X509ExtendedTrustManager trust) {
        this.trust = trust;
    }

    /** Trusts what these authorities have signed; trusts nobody if there are none. */
    static ClientTrust of(Collection<X509Certificate> authorities) {
        return new ClientTrust(authorities.isEmpty() ? null : PeerTrust.of(authorities));
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        trust().checkClientTrusted(chain, authType, engine);
        PeerTrust.checkStrength(chain);
    }

    /** Checks without the engine, because a resumed session has no handshake that the check could ask. */
    @Override
    public void resumeClientTrusted(X509Certificate[] chain, SSLEngine engine) throws CertificateException {
        trust().checkClientTrusted(chain, RESUMED);
        PeerTrust.checkStrength(chain);
    }

    private X509ExtendedTrustManager trust() throws CertificateException {
        if (trust == null) {
            throw new CertificateException("no clients are trusted here");
        }
        return trust;
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("only checked for an engine");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("only checked for an engine");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException("no servers are trusted here");
    }

    @Override
    public void resumeServerTrusted(X509Certificate[] chain, SSLEngine engine) throws CertificateException {
        throw new CertificateException("no servers are trusted here");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("no servers are trusted here");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("no servers are trusted here");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return trust == null ? new X509Certificate[0] : trust.getAcceptedIssuers();
    }
}
