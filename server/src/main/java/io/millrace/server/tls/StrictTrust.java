package io.millrace.server.tls;

import io.netty.util.NetUtil;
import java.nio.file.Path;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Trusts the servers that Java trusts, with two exceptions. It refuses certificates that name the host only in their
 * subject (RFC 9110 section 4.3.4). It refuses short keys and old signatures, which Java accepts from authorities that
 * are not public.
 */
final class StrictTrust extends PeerTrust {
    private static final Integer DNS_NAME = 2;

    private final X509ExtendedTrustManager trust;

    private StrictTrust(X509ExtendedTrustManager trust) {
        this.trust = trust;
    }

    /**
     * Trust in what {@code ca}, a PEM file, holds; if it is null, in what the system trusts.
     *
     * @throws IllegalArgumentException if the file cannot be read or holds no certificates
     */
    static StrictTrust of(@Nullable Path ca) {
        return new StrictTrust(javaTrust(ca == null ? null : CertificateFiles.authorities(ca)));
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        trust.checkServerTrusted(chain, authType, engine);
        checkName(chain[0], engine.getPeerHost());
        checkStrength(chain);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return trust.getAcceptedIssuers();
    }

    /** Java also looks at the subject if the certificate has no alternative host names. */
    private static void checkName(X509Certificate leaf, String host) throws CertificateException {
        if (NetUtil.isValidIpV4Address(host) || NetUtil.isValidIpV6Address(host)) {
            return;
        }
        Collection<List<?>> names = leaf.getSubjectAlternativeNames();
        if (names == null || names.stream().noneMatch(name -> DNS_NAME.equals(name.get(0)))) {
            throw new CertificateException("the certificate names no host in its subjectAltName");
        }
    }
}
