package io.millrace.server.tls;

import io.millrace.server.config.Listener;
import io.netty.handler.ssl.ClientAuth;
import java.nio.file.Path;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jspecify.annotations.Nullable;

/**
 * Which certificates clients may or must have, and the name of a client. Two equal instances accept the same clients.
 *
 * @param auth whether clients are asked for one, and must have one
 * @param authorities whose certificates are taken
 */
record ClientCertificates(ClientAuth auth, Set<X509Certificate> authorities) {
    private static final Integer DNS_NAME = 2;
    private static final Integer URI = 6;

    /**
     * Makes the rules from the settings; reads their file.
     *
     * @throws IllegalArgumentException if the file cannot be read
     */
    static ClientCertificates of(Listener.Tls settings) {
        Path ca = settings.clientCa();
        if (ca == null) {
            return new ClientCertificates(ClientAuth.NONE, Set.of());
        }
        boolean required = settings.clientMode() == Listener.Tls.ClientMode.REQUIRED;
        return new ClientCertificates(
                required ? ClientAuth.REQUIRE : ClientAuth.OPTIONAL, Set.copyOf(CertificateFiles.authorities(ca)));
    }

    /** Whether clients are asked for a certificate. */
    boolean asked() {
        return auth != ClientAuth.NONE;
    }

    /**
     * The name of a session's client: the first URI of its certificate's alternative names, else the first host name
     * of these, else the certificate's subject (RFC 2253). Null without a certificate.
     */
    @Nullable
    String name(SSLSession session) {
        if (!asked()) {
            return null;
        }
        try {
            return session.getPeerCertificates()[0] instanceof X509Certificate own ? name(own) : null;
        } catch (SSLPeerUnverifiedException e) {
            return null;
        }
    }

    private static String name(X509Certificate own) {
        Collection<List<?>> names = alternativeNames(own);
        for (Integer kind : List.of(URI, DNS_NAME)) {
            for (List<?> name : names) {
                if (kind.equals(name.get(0)) && name.get(1) instanceof String text) {
                    return text;
                }
            }
        }
        return own.getSubjectX500Principal().getName();
    }

    /** The alternative names of the certificate; none if they cannot be read. */
    static Collection<List<?>> alternativeNames(X509Certificate certificate) {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            return names == null ? List.of() : names;
        } catch (CertificateParsingException e) {
            return List.of();
        }
    }
}
