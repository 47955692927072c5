package io.millrace.server.warmup;

import io.millrace.server.config.Listener;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A certificate of this process's own for {@code localhost}, valid for a month. It is for practice only: its key is in a
 * directory that nobody else can read, and {@link #close} deletes it.
 */
public final class PracticeCertificate implements AutoCloseable {
    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int BIT_STRING = 0x03;
    private static final int OCTET_STRING = 0x04;
    private static final int UTF8_STRING = 0x0c;
    private static final int UTC_TIME = 0x17;
    private static final int VERSION = 0xa0;
    private static final int EXTENSIONS = 0xa3;
    private static final int DNS_NAME = 0x82;
    private static final int IP_ADDRESS = 0x87;
    private static final byte[] VERSION_3 = {0x02, 0x01, 0x02};
    private static final byte[] SERIAL_1 = {0x02, 0x01, 0x01};
    private static final byte[] ECDSA_WITH_SHA256 = {0x06, 0x08, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 4, 3, 2};
    private static final byte[] COMMON_NAME = {0x06, 0x03, 0x55, 0x04, 0x03};
    private static final byte[] ALTERNATIVE_NAMES = {0x06, 0x03, 0x55, 0x1d, 0x11};
    private static final byte[] LOOPBACK = {127, 0, 0, 1};
    private static final String HOST = "localhost";
    private static final DateTimeFormatter UTC =
            DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final Duration MONTH = Duration.ofDays(30);

    private final Path directory;
    private final Path cert;
    private final Path key;
    private final X509Certificate certificate;

    private PracticeCertificate(Path directory, byte[] der, byte[] secret)
            throws IOException, GeneralSecurityException {
        this.directory = directory;
        cert = directory.resolve("practice.pem");
        key = directory.resolve("practice.key");
        certificate = (X509Certificate)
                CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(der));
        Files.writeString(cert, pem("CERTIFICATE", der));
        Files.writeString(key, pem("PRIVATE KEY", secret));
        key.toFile().setReadable(false, false);
        key.toFile().setReadable(true, true);
    }

    /**
     * Makes one, with its files in a new directory.
     *
     * @throws IOException if they cannot be written
     */
    public static PracticeCertificate make() throws IOException, GeneralSecurityException {
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair pair = generator.generateKeyPair();
        byte[] body = body(pair.getPublic().getEncoded(), Instant.now());
        var signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(pair.getPrivate());
        signature.update(body);
        byte[] der =
                der(SEQUENCE, body, der(SEQUENCE, ECDSA_WITH_SHA256), der(BIT_STRING, new byte[1], signature.sign()));
        Path directory = Files.createTempDirectory("millrace-practice");
        return new PracticeCertificate(directory, der, pair.getPrivate().getEncoded());
    }

    /** The certificate's PEM file. */
    public Path cert() {
        return cert;
    }

    /** The PEM file of its key. */
    public Path key() {
        return key;
    }

    /** Settings of a listener that uses it. */
    Listener.Tls settings() {
        return Listener.Tls.DEFAULT.with(tls -> tls.certificates = List.of(new Listener.Tls.Certificate(cert, key)));
    }

    /** A client's context that trusts it and nothing else. */
    public SSLContext trust() throws GeneralSecurityException, IOException {
        var trusted = KeyStore.getInstance(KeyStore.getDefaultType());
        trusted.load(null, null);
        trusted.setCertificateEntry(HOST, certificate);
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(trusted);
        var context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        return context;
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(key);
        Files.deleteIfExists(cert);
        Files.deleteIfExists(directory);
    }

    /** The part of a certificate that is signed (RFC 5280 section 4.1). */
    private static byte[] body(byte[] publicKey, Instant now) {
        byte[] host = HOST.getBytes(StandardCharsets.US_ASCII);
        byte[] name = der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(UTF8_STRING, host))));
        byte[] validity = der(SEQUENCE, time(now.minus(MONTH)), time(now.plus(MONTH)));
        byte[] names = der(SEQUENCE, der(DNS_NAME, host), der(IP_ADDRESS, LOOPBACK));
        byte[] extension = der(SEQUENCE, ALTERNATIVE_NAMES, der(OCTET_STRING, names));
        return der(
                SEQUENCE,
                der(VERSION, VERSION_3),
                SERIAL_1,
                der(SEQUENCE, ECDSA_WITH_SHA256),
                name,
                validity,
                name,
                publicKey,
                der(EXTENSIONS, der(SEQUENCE, extension)));
    }

    private static byte[] time(Instant at) {
        return der(UTC_TIME, UTC.format(at).getBytes(StandardCharsets.US_ASCII));
    }

    /** A value of ASN.1 with its tag and length. */
    private static byte[] der(int tag, byte[]... parts) {
        var content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        var out = new ByteArrayOutputStream();
        out.write(tag);
        if (content.size() < 0x80) {
            out.write(content.size());
        } else {
            byte[] length = BigInteger.valueOf(content.size()).toByteArray();
            int from = length[0] == 0 ? 1 : 0;
            out.write(0x80 | length.length - from);
            out.write(length, from, length.length - from);
        }
        out.writeBytes(content.toByteArray());
        return out.toByteArray();
    }

    private static String pem(String label, byte[] der) {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return "-----BEGIN " + label + "-----\n" + text + "\n-----END " + label + "-----\n";
    }
}
