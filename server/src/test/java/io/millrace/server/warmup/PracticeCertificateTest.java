package io.millrace.server.warmup;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.tls.CertificateFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;

class PracticeCertificateTest {
    @Test
    void canBeServedAndLeavesNothingBehind() throws Exception {
        Path key;
        try (var certificate = PracticeCertificate.make()) {
            key = certificate.key();
            CertificateFiles.check(certificate.cert(), key);
            assertThat(certificate.trust().getProtocol()).isEqualTo("TLS");
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(key.getParent())))
                    .isEqualTo("rwx------");
        }

        assertThat(key.getParent()).doesNotExist();
    }
}
