package io.millrace.server.upstream;

import io.netty.util.NetUtil;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.DSAKey;
import java.security.interfaces.ECKey;
import java.security.interfaces.RSAKey;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.jspecify.annotations.Nullable;

/**
 * Trusts the servers that Java trusts, but for those that are named in their certificate's subject only (RFC 9110 section
 * 4.3.4), and those whose certificates have short keys or old signatures, which Java takes of authorities that are not public.
 */
final class StrictTrust extends X509ExtendedTrustManager {
    /** Keys and text may stand beside certificates. */
    private static final Pattern PEM =
            Pattern.compile("-----BEGIN (?:X509 )?CERTIFICATE-----([^-]*)-----END (?:X509 )?CERTIFICATE-----");

    private static final int MIN_RSA_BITS = 2048;
    private static final int MIN_EC_BITS = 224;
    private static final Integer DNS_NAME = 2;
    private static final List<String> OLD_SIGNATURES = List.of("MD2", "MD5", "SHA1");

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
        try {
            var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(ca == null ? null : store(ca));
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509ExtendedTrustManager trust) {
                    return new StrictTrust(trust);
                }
            }
            throw new IllegalStateException("no trust manager for X.509");
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException(
                    (ca == null ? "the system's certificates" : ca) + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static KeyStore store(Path ca) throws GeneralSecurityException, IOException {
        var store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        var certificates = CertificateFactory.getInstance("X.509");
        Matcher block = PEM.matcher(Files.readString(ca, StandardCharsets.ISO_8859_1));
        for (int number = 0; block.find(); number++) {
            byte[] der = Base64.getMimeDecoder().decode(block.group(1));
            store.setCertificateEntry(
                    Integer.toString(number), certificates.generateCertificate(new ByteArrayInputStream(der)));
        }
        if (store.size() == 0) {
            throw new CertificateException("no certificate in it");
        }
        return store;
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        trust.checkServerTrusted(chain, authType, engine);
        checkName(chain[0], engine.getPeerHost());
        for (X509Certificate certificate : chain) {
            checkStrength(certificate);
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("only checked for an engine, which knows the host");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("only checked for an engine, which knows the host");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException("no clients are trusted here");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("no clients are trusted here");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("no clients are trusted here");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return trust.getAcceptedIssuers();
    }

    /** Java looks at the subject where the certificate has no alternative names of hosts. */
    private static void checkName(X509Certificate leaf, String host) throws CertificateException {
        if (NetUtil.isValidIpV4Address(host) || NetUtil.isValidIpV6Address(host)) {
            return;
        }
        Collection<List<?>> names = leaf.getSubjectAlternativeNames();
        if (names == null || names.stream().noneMatch(name -> DNS_NAME.equals(name.get(0)))) {
            throw new CertificateException("the certificate names no host in its subjectAltName");
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
