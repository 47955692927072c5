package io.millrace.server.tls;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Reads the files of a server's certificate, and checks that it can be used for clients. */
public final class CertificateFiles {
    /** A group may read a key, because machines share keys in this way. */
    private static final Set<PosixFilePermission> ALLOWED = PosixFilePermissions.fromString("rwxr-x---");

    private CertificateFiles() {}

    /**
     * Checks a certificate and its key in the same way as at the start.
     *
     * @throws IllegalArgumentException if they cannot be served now; the message begins with {@code cert: } or {@code key: }
     */
    public static void check(Path cert, Path key) {
        read(cert, key, Instant.now());
    }

    /**
     * The certificates of the authorities that sign clients' certificates.
     *
     * @throws IllegalArgumentException if the file cannot be read; the message begins with {@code ca: }
     */
    public static List<X509Certificate> authorities(Path ca) {
        return certificates("ca", ca);
    }

    /**
     * Reads a certificate, which must be valid at {@code now}, with its key.
     *
     * @param cert PEM chain, the server's own first
     * @param key PEM of the key, PKCS#8, not encrypted, closed to others
     * @throws IllegalArgumentException if it cannot; the message begins with {@code cert: } or {@code key: }
     */
    static ServerCertificate read(Path cert, Path key, Instant now) {
        List<X509Certificate> chain = certificates("cert", cert);
        X509Certificate own = chain.get(0);
        if (now.isAfter(own.getNotAfter().toInstant())) {
            throw new IllegalArgumentException("cert: " + cert + " expired on "
                    + own.getNotAfter().toInstant() + " (expected: one that is valid)");
        }
        if (now.isBefore(own.getNotBefore().toInstant())) {
            throw new IllegalArgumentException("cert: " + cert + " is not valid before "
                    + own.getNotBefore().toInstant() + " (expected: one that is valid)");
        }
        PrivateKey secret = key(key);
        if (!fits(secret, own.getPublicKey())) {
            throw new IllegalArgumentException(
                    "key: " + key + " is not that of " + cert + " (expected: the key of its first certificate)");
        }
        return new ServerCertificate(cert.toString(), chain, secret);
    }

    private static List<X509Certificate> certificates(String setting, Path file) {
        try {
            return Pem.certificates(file);
        } catch (IOException e) {
            throw new IllegalArgumentException(setting + ": " + file + " cannot be read: " + reason(e), e);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(setting + ": " + file + " cannot be read: " + e.getMessage(), e);
        }
    }

    private static PrivateKey key(Path key) {
        try {
            checkClosed(key);
            return Pem.privateKey(key);
        } catch (IOException e) {
            throw new IllegalArgumentException("key: " + key + " cannot be read: " + reason(e), e);
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException("key: " + key + " cannot be used: " + e.getMessage(), e);
        }
    }

    private static void checkClosed(Path key) throws IOException {
        Set<PosixFilePermission> mode;
        try {
            mode = EnumSet.copyOf(Files.getPosixFilePermissions(key));
        } catch (UnsupportedOperationException | IllegalArgumentException e) {
            return; // a file system without owners, or a file that cannot be examined
        }
        if (!ALLOWED.containsAll(mode)) {
            throw new IllegalArgumentException("key: " + key + " is " + PosixFilePermissions.toString(mode)
                    + " (expected: 0600, or 0640 for a group; chmod 600 " + key + ")");
        }
    }

    /** Whether the certificate's key verifies what the key signs. */
    private static boolean fits(PrivateKey secret, PublicKey certified) {
        try {
            var signature =
                    Signature.getInstance(secret.getAlgorithm().equals("EC") ? "SHA256withECDSA" : "SHA256withRSA");
            var text = new byte[32];
            new SecureRandom().nextBytes(text);
            signature.initSign(secret);
            signature.update(text);
            byte[] signed = signature.sign();
            signature.initVerify(certified);
            signature.update(text);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false; // such as a key of another kind
        }
    }

    /** Why a file cannot be read, in words for a user. */
    private static String reason(IOException failure) {
        if (failure instanceof NoSuchFileException) {
            return "no such file";
        }
        return failure instanceof AccessDeniedException ? "permission denied" : String.valueOf(failure.getMessage());
    }
}
