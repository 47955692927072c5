package io.millrace.server.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.server.config.Listener.Tls.Certificate;
import io.millrace.server.test.Certificates;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CertificateFilesTest {
    private final Instant now = Instant.now();

    @TempDir
    private Path directory;

    private Certificates certificates;

    @BeforeEach
    void makeAuthority() throws Exception {
        certificates = Certificates.in(directory);
    }

    @Test
    void readsTheChainTheKeyAndTheNames() throws Exception {
        var files = certificates.server("web", "api.example.com", "*.Example.com");
        ServerCertificate read = CertificateFiles.read(files.cert(), files.key(), now);
        assertThat(read.names()).containsExactly("api.example.com", "*.example.com");
        assertThat(read.chain()).isNotEmpty();
        assertThat(read.toString()).doesNotContain("PRIVATE").contains("web.pem");
    }

    @Test
    void readsKeysOfBothKinds() throws Exception {
        for (CertificateBuilder builder :
                new CertificateBuilder[] {new CertificateBuilder().ecp256(), new CertificateBuilder().rsa2048()}) {
            X509Bundle bundle = builder.subject("CN=a").addSanDnsName("a").buildIssuedBy(certificates.authority());
            Certificate files = certificates.write("a", bundle);
            assertThatCode(() -> CertificateFiles.check(files.cert(), files.key()))
                    .doesNotThrowAnyException();
        }
    }

    @Test
    void refusesTheKeyOfAnother() throws Exception {
        var one = certificates.server("one", "a");
        var other = certificates.server("other", "a");
        assertRefused(one.cert(), other.key())
                .hasMessage("key: " + other.key() + " is not that of " + one.cert()
                        + " (expected: the key of its first certificate)");
        X509Bundle rsa = new CertificateBuilder().rsa2048().subject("CN=a").buildIssuedBy(certificates.authority());
        assertRefused(one.cert(), certificates.write("rsa", rsa).key()).hasMessageContaining("is not that of");
    }

    @Test
    void refusesWhatHasExpiredAndWhatIsNotYetValid() throws Exception {
        var expired = certificates.write("old", between(now.minus(Duration.ofDays(9)), now.minus(Duration.ofDays(1))));
        assertRefused(expired.cert(), expired.key()).hasMessageContaining("old.pem expired on ");
        var early = certificates.write("early", between(now.plus(Duration.ofDays(1)), now.plus(Duration.ofDays(9))));
        assertRefused(early.cert(), early.key()).hasMessageContaining("early.pem is not valid before ");
    }

    private X509Bundle between(Instant start, Instant end) throws Exception {
        return new CertificateBuilder()
                .subject("CN=a")
                .notBefore(start)
                .notAfter(end)
                .buildIssuedBy(certificates.authority());
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-r--r--", "rw----r--", "rw-rw----", "rwxrwxrwx", "rw-----w-"})
    void refusesAKeyThatOthersMayReadOrChange(String mode) throws Exception {
        var files = certificates.server("web", "a");
        Files.setPosixFilePermissions(files.key(), PosixFilePermissions.fromString(mode));
        assertRefused(files.cert(), files.key())
                .hasMessage("key: " + files.key() + " is " + mode + " (expected: 0600, or 0640 for a group; chmod 600 "
                        + files.key() + ")");
    }

    @ParameterizedTest
    @ValueSource(strings = {"rw-------", "r--------", "r--r-----", "rw-r-----"})
    void takesAKeyThatIsClosedToOthers(String mode) throws Exception {
        var files = certificates.server("web", "a");
        Files.setPosixFilePermissions(files.key(), PosixFilePermissions.fromString(mode));
        assertThatCode(() -> CertificateFiles.check(files.cert(), files.key())).doesNotThrowAnyException();
    }

    @Test
    void saysWhatIsWrongWithOtherFiles() throws Exception {
        var files = certificates.server("web", "a");
        Path none = directory.resolve("none");
        assertRefused(none, files.key()).hasMessage("cert: " + none + " cannot be read: no such file");
        assertRefused(files.cert(), none).hasMessage("key: " + none + " cannot be read: no such file");
        assertRefused(files.key(), files.key()).hasMessageEndingWith("cannot be read: no certificate in it");
        assertRefused(files.cert(), key("")).hasMessageEndingWith("no key in it (expected: PEM, BEGIN PRIVATE KEY)");
        assertRefused(files.cert(), key("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"))
                .hasMessageContaining("it is RSA PRIVATE KEY (expected: PKCS#8 without a password");
        assertRefused(
                        files.cert(),
                        key("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY--"))
                .hasMessageContaining("it is ENCRYPTED PRIVATE KEY");
        assertRefused(files.cert(), key("-----BEGIN PRIVATE KEY-----\nU2VjcmV0\n-----END PRIVATE KEY-----"))
                .hasMessageEndingWith("no key that can be used (expected: EC or RSA)");
        assertRefused(files.cert(), key("-----BEGIN PRIVATE KEY-----\nU\n-----END PRIVATE KEY-----"))
                .hasMessageStartingWith("key: ");
        assertThatThrownBy(() -> CertificateFiles.authorities(files.key()))
                .hasMessage("ca: " + files.key() + " cannot be read: no certificate in it");
    }

    private Path key(String text) throws IOException {
        Path key = Files.writeString(directory.resolve("made.key"), text);
        return Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
    }

    private AbstractThrowableAssert<?, ?> assertRefused(Path cert, Path key) {
        return assertThatThrownBy(() -> CertificateFiles.read(cert, key, now))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
