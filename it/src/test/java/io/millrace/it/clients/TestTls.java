package io.millrace.it.clients;

import io.millrace.server.config.Listener;
import io.millrace.server.test.Certificates;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import javax.net.ssl.X509TrustManager;

/**
 * A new certificate for 127.0.0.1, and the authority that signed it.
 *
 * @param listener what a relay serves with it
 * @param client for clients that trust the authority
 * @param trust the same, for clients that ask for it apart
 * @param ca the authority's certificate in a file
 */
public record TestTls(Listener.Tls listener, SSLContext client, X509TrustManager trust, Path ca) {
    /** Makes both. Their files are deleted when the JVM ends. */
    public static TestTls make() {
        try {
            Path directory = Files.createTempDirectory("millrace-tls-");
            var certificates = Certificates.in(directory);
            var made = new TestTls(
                    certificates.tls("relay.test"),
                    certificates.client(),
                    (X509TrustManager)
                            certificates.authority().toTrustManagerFactory().getTrustManagers()[0],
                    certificates.ca());
            try (var files = Files.list(directory)) {
                files.forEach(file -> file.toFile().deleteOnExit());
            }
            directory.toFile().deleteOnExit();
            return made;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
