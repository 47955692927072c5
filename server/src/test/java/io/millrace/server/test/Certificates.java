package io.millrace.server.test;

import io.millrace.server.config.Listener;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A new authority for tests, and files with the certificates that it signs. */
public final class Certificates {
    private final Path directory;
    private final X509Bundle authority;

    private Certificates(Path directory, X509Bundle authority) {
        this.directory = directory;
        this.authority = authority;
    }

    /** An authority whose files are in {@code directory}. */
    public static Certificates in(Path directory) throws Exception {
        return in(directory, "Test CA");
    }

    /** An authority of that name. */
    public static Certificates in(Path directory, String name) throws Exception {
        return new Certificates(
                directory,
                new CertificateBuilder()
                        .subject("CN=" + name)
                        .setIsCertificateAuthority(true)
                        .buildSelfSigned());
    }

    public X509Bundle authority() {
        return authority;
    }

    /** Its own certificate in a file. */
    public Path ca() throws IOException {
        return Files.writeString(
                directory.resolve(
                        authority.getCertificate().getSubjectX500Principal().getName() + ".pem"),
                authority.getCertificatePEM());
    }

    /** The files of a certificate for these hosts and 127.0.0.1, written over those of that name. */
    public Listener.Tls.Certificate server(String file, String... hosts) throws Exception {
        return write(file, issue(hosts));
    }

    /** With wildcards, which Netty's builder does not make. */
    private X509Bundle issue(String... hosts) throws Exception {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        var keys = generator.generateKeyPair();
        var names = new ArrayList<GeneralName>();
        names.add(new GeneralName(GeneralName.iPAddress, "127.0.0.1"));
        for (String host : hosts) {
            names.add(new GeneralName(GeneralName.dNSName, host));
        }
        Instant now = Instant.now();
        var builder = new JcaX509v3CertificateBuilder(
                authority.getCertificate(),
                BigInteger.valueOf(System.nanoTime()),
                Date.from(now.minus(1, ChronoUnit.DAYS)),
                Date.from(now.plus(90, ChronoUnit.DAYS)),
                new X500Principal("CN=" + hosts[0]),
                keys.getPublic());
        builder.addExtension(
                Extension.subjectAlternativeName, false, new GeneralNames(names.toArray(GeneralName[]::new)));
        var signer = new JcaContentSignerBuilder("SHA256withECDSA")
                .build(authority.getKeyPair().getPrivate());
        X509Certificate certificate = new JcaX509CertificateConverter().getCertificate(builder.build(signer));
        return X509Bundle.fromCertificatePath(new X509Certificate[] {certificate}, authority.getCertificate(), keys);
    }

    /** The files of {@code bundle}, the key closed to others. */
    public Listener.Tls.Certificate write(String file, X509Bundle bundle) throws IOException {
        Path key = directory.resolve(file + ".key");
        put(key, bundle.getPrivateKeyPEM());
        put(directory.resolve(file + ".pem"), bundle.getCertificatePathPEM());
        return new Listener.Tls.Certificate(directory.resolve(file + ".pem"), key);
    }

    /** As those who renew certificates do it: never half a file. */
    private static void put(Path file, String text) throws IOException {
        Path fresh = Files.writeString(file.resolveSibling(file.getFileName() + ".new"), text);
        Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-------"));
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    /** TLS with one certificate for these hosts. */
    public Listener.Tls tls(String... hosts) throws Exception {
        return tls(server(hosts[0], hosts));
    }

    /** TLS with these certificates. */
    public static Listener.Tls tls(Listener.Tls.Certificate... certificates) {
        return Listener.Tls.DEFAULT.with(t -> t.certificates = List.of(certificates));
    }

    /** For clients that trust this authority and have no certificate. */
    public SSLContext client() throws Exception {
        return client(null);
    }

    /** For clients that trust this authority and show {@code own}, unless it is null. */
    public SSLContext client(X509Bundle own) throws Exception {
        var context = SSLContext.getInstance("TLS");
        KeyManager[] keys = own == null ? null : own.toKeyManagerFactory().getKeyManagers();
        context.init(keys, authority.toTrustManagerFactory().getTrustManagers(), null);
        return context;
    }
}
