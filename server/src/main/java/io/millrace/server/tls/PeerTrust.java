package io.millrace.server.tls;

import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.interfaces.DSAKey;
import java.security.interfaces.ECKey;
import java.security.interfaces.RSAKey;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * The checks of certificates that are the same for clients and upstreams. It trusts nobody: a subclass says whom it trusts,
 * and for which engine.
 */
abstract class PeerTrust extends X509ExtendedTrustManager {
    private static final int MIN_RSA_BITS = 2048;
    private static final int MIN_EC_BITS = 224;
    private static final List<String> OLD_SIGNATURES = List.of("MD2", "MD5", "SHA1");

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw refusal();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw refusal();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw refusal();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw refusal();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw refusal();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw refusal();
    }

    static CertificateException refusal() {
        return new CertificateException("nobody is trusted in this way here");
    }

    /**
     * Java's trust in what {@code authorities} have signed.
     *
     * @param authorities null for those that the system trusts
     */
    static X509ExtendedTrustManager javaTrust(@Nullable Collection<X509Certificate> authorities) {
        try {
            var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(authorities == null ? null : store(authorities));
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509ExtendedTrustManager trust) {
                    return trust;
                }
            }
            throw new IllegalStateException("no trust manager for X.509");
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalStateException("the trusted certificates cannot be used: " + e.getMessage(), e);
        }
    }

    private static KeyStore store(Collection<X509Certificate> certificates)
            throws IOException, GeneralSecurityException {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        for (X509Certificate certificate : certificates) {
            store.setCertificateEntry(Integer.toString(store.size()), certificate);
        }
        return store;
    }

    /**
     * Refuses short keys and old signatures, which Java accepts from authorities that are not public.
     *
     * @throws CertificateException if a certificate of the chain is weak, naming it
     */
    static void checkStrength(X509Certificate[] chain) throws CertificateException {
        for (X509Certificate certificate : chain) {
            checkStrength(certificate);
        }
    }

    private static void checkStrength(X509Certificate certificate) throws CertificateException {
        String weakness = weakness(certificate.getPublicKey());
        if (weakness != null) {
            throw new CertificateException(
                    "the key of " + certificate.getSubjectX500Principal() + " is weak: " + weakness);
        }
        boolean root = certificate.getSubjectX500Principal().equals(certificate.getIssuerX500Principal());
        String algorithm = certificate.getSigAlgName().toUpperCase(Locale.ROOT).replace("-", "");
        if (!root && OLD_SIGNATURES.stream().anyMatch(algorithm::startsWith)) {
            throw new CertificateException("the signature of " + certificate.getSubjectX500Principal() + " is weak: "
                    + certificate.getSigAlgName());
        }
    }

    private static @Nullable String weakness(PublicKey key) {
        if (key instanceof RSAKey rsa && rsa.getModulus().bitLength() < MIN_RSA_BITS) {
            return "RSA of " + rsa.getModulus().bitLength() + " bits (expected: >= " + MIN_RSA_BITS + ")";
        }
        if (key instanceof ECKey ec && ec.getParams().getOrder().bitLength() < MIN_EC_BITS) {
            return "EC of " + ec.getParams().getOrder().bitLength() + " bits (expected: >= " + MIN_EC_BITS + ")";
        }
        return key instanceof DSAKey ? "DSA" : null;
    }
}
