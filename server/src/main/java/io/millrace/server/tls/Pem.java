package io.millrace.server.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads PEM files (RFC 7468). Other keys and text between the certificates are ignored. */
final class Pem {
    private static final Pattern CERTIFICATE =
            Pattern.compile("-----BEGIN (?:X509 )?CERTIFICATE-----([^-]*)-----END (?:X509 )?CERTIFICATE-----");
    private static final Pattern KEY =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----(.*?)-----END", Pattern.DOTALL);
    private static final List<String> ALGORITHMS = List.of("EC", "RSA");
    private static final long LONGEST = 1 << 20;

    private Pem() {}

    /**
     * The certificates of a file, in their order, at least one.
     *
     * @throws CertificateException if one cannot be read, or there is none
     */
    static List<X509Certificate> certificates(Path file) throws IOException, CertificateException {
        var factory = CertificateFactory.getInstance("X.509");
        var found = new ArrayList<X509Certificate>();
        Matcher block = CERTIFICATE.matcher(read(file));
        while (block.find()) {
            byte[] der = decode(block.group(1));
            found.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(der)));
        }
        if (found.isEmpty()) {
            throw new CertificateException("no certificate in it");
        }
        return found;
    }

    /**
     * The only key of a file.
     *
     * @throws InvalidKeySpecException if there is none, or none that can be used; says nothing of the key itself
     */
    static PrivateKey privateKey(Path file) throws IOException, GeneralSecurityException {
        Matcher block = KEY.matcher(read(file));
        if (!block.find()) {
            throw new InvalidKeySpecException("no key in it (expected: PEM, BEGIN PRIVATE KEY)");
        }
        String kind = block.group(1).strip();
        if (!kind.isEmpty()) {
            throw new InvalidKeySpecException("it is " + kind + " PRIVATE KEY (expected: PKCS#8 without a password,"
                    + " as openssl pkcs8 -topk8 -nocrypt writes it)");
        }
        var encoded = new PKCS8EncodedKeySpec(decode(block.group(2)));
        for (String algorithm : ALGORITHMS) {
            PrivateKey key = privateKey(algorithm, encoded);
            if (key != null) {
                return key;
            }
        }
        throw new InvalidKeySpecException(
                "no key that can be used (expected: " + String.join(" or ", ALGORITHMS) + ")");
    }

    /** Null if it is a key of another algorithm. */
    private static @Nullable PrivateKey privateKey(String algorithm, PKCS8EncodedKeySpec encoded)
            throws GeneralSecurityException {
        try {
            return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
        } catch (InvalidKeySpecException e) {
            return null;
        }
    }

    private static byte[] decode(String base64) throws CertificateException {
        try {
            return Base64.getMimeDecoder().decode(base64);
        } catch (IllegalArgumentException e) {
            throw new CertificateException("its Base64 is broken", e);
        }
    }

    private static String read(Path file) throws IOException {
        if (Files.size(file) > LONGEST) {
            throw new IOException("it has " + Files.size(file) + " bytes (expected: <= " + LONGEST + ")");
        }
        return Files.readString(file, StandardCharsets.ISO_8859_1);
    }
}
