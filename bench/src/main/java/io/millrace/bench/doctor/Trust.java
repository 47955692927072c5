package io.millrace.bench.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** The certificates that are trusted: those of the JDK, or only those of a file. */
final class Trust {
    private Trust() {}

    /**
     * Sockets that trust the certificates of a PEM file, or what the JDK trusts.
     *
     * @throws IllegalArgumentException if the file has no certificate
     */
    static SSLSocketFactory of(@Nullable Path file) {
        if (file == null) {
            return (SSLSocketFactory) SSLSocketFactory.getDefault();
        }
        try (var in = Files.newInputStream(file)) {
            var store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int count = 0;
            for (var certificate : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry("ca" + count++, certificate);
            }
            if (count == 0) {
                throw new IllegalArgumentException("--ca: " + file + " has no certificate (expected: PEM)");
            }
            var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            trust.init(store);
            var context = SSLContext.getInstance("TLS");
            context.init(null, trust.getTrustManagers(), null);
            return context.getSocketFactory();
        } catch (IOException e) {
            throw new IllegalArgumentException("--ca: " + file + " cannot be read (expected: a PEM file)", e);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("--ca: " + file + " has no certificate (expected: PEM)", e);
        }
    }
}
