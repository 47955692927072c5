package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.server.config.Listener;
import io.millrace.server.test.Certificates;
import io.millrace.server.test.RawClient;
import io.millrace.server.test.RelayHarness;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The two flags that are enough for TLS, with each of its implementations in a process of its own. */
@Tag("sockets")
class TlsProcessTest {
    private static final Pattern PORT = Pattern.compile("https://127\\.0\\.0\\.1:(\\d+)");

    @TempDir
    private Path directory;

    private Certificates certificates;
    private Listener.Tls.Certificate files;
    private SSLContext client;

    @BeforeEach
    void makeCertificate() throws Exception {
        certificates = Certificates.in(directory);
        files = certificates.server("web", "localhost");
        client = certificates.client();
    }

    private LauncherProcess start(boolean noBoringSsl) {
        return LauncherProcess.start(
                List.of(
                        "-Xmx128m",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-Dio.netty.handler.ssl.noOpenSsl=" + noBoringSsl),
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--tls-cert",
                files.cert().toString(),
                "--tls-key",
                files.key().toString());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void servesWithACertificateAndAKeyAndTakesOthersOnSighup(boolean noBoringSsl) throws Exception {
        try (var launcher = start(noBoringSsl)) {
            if (noBoringSsl) {
                launcher.awaitErr(line -> line.contains("TLS runs on the JDK's implementation"));
            }
            int port = port(launcher.awaitErr(line -> line.contains(" listening on https://")));
            stream(port);
            certificates.server("web", "localhost", "other.example");
            launcher.signal("HUP");
            launcher.awaitErr(line -> line.contains("configuration reloaded"));
            stream(port);
            try (var own = new RawClient(port, certificates.client())) {
                assertThat(((SSLSocket) own.socket())
                                .getSession()
                                .getPeerCertificates()[0]
                                .toString())
                        .contains("other.example");
            }
            launcher.signal("TERM");
            assertThat(launcher.awaitExit()).isZero();
        }
    }

    private void stream(int port) throws IOException {
        try (var own = new RawClient(port, client)) {
            own.post(RelayHarness.withSpec("/v1/chat/completions", "tokens=3"), "m", "");
            assertThat(own.readAll().text()).endsWith("data: [DONE]\n\n");
        }
    }

    @Test
    void theJdksImplementationDoesNotNegotiateAgainEither() throws Exception {
        try (var launcher = start(true)) {
            int port = port(launcher.awaitErr(line -> line.contains(" listening on https://")));
            try (var own = new RawClient(port, client)) {
                var socket = (SSLSocket) own.socket();
                socket.setEnabledProtocols(new String[] {"TLSv1.2"});
                own.send("GET", "/healthz", "");
                assertThat(own.readAll().status()).isEqualTo(200);
                assertThatThrownBy(() -> {
                            socket.startHandshake();
                            own.send("GET", "/healthz", "");
                            own.readHead();
                        })
                        .isInstanceOf(IOException.class);
            }
        }
    }

    private static int port(String line) {
        Matcher address = PORT.matcher(line);
        assertThat(address.find()).as(line).isTrue();
        return Integer.parseInt(address.group(1));
    }
}
