package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RawClient;
import io.millrace.server.tls.UpstreamTls;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.security.auth.x500.X500Principal;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

@Tag("sockets")
class UpstreamTlsTest {
    private static X509Bundle authority;
    private static X509Bundle stranger;

    @TempDir
    private static Path directory;

    @BeforeAll
    static void makeAuthorities() throws Exception {
        authority = new CertificateBuilder()
                .subject("CN=Test CA")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        stranger = new CertificateBuilder()
                .subject("CN=Other CA")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        Files.writeString(directory.resolve("ca.pem"), authority.getCertificatePEM());
    }

    @Test
    void relaysToAnUpstreamWhoseCertificateIsTrusted() throws Exception {
        for (String host : List.of("localhost", "127.0.0.1")) {
            try (var mock = tlsMock(certificate(authority, "localhost"));
                    var relay = relay(host, mock.port());
                    var client = new RawClient(relay.addresses().get(0).getPort())) {
                client.post("/v1/chat/completions?mock=tokens%3D3", "m", "");
                RawClient.Response response = client.readAll();
                assertThat(response.text()).endsWith("data: [DONE]\n\n");
                client.send("GET", "/v1/models", "");
                assertThat(client.readAll().status()).isEqualTo(200);
                assertThat(mock.stats().connections()).isEqualTo(1);
            }
        }
    }

    @Test
    void findsTheCertificatesAmongKeysAndText() throws Exception {
        Path mixed = Files.writeString(
                directory.resolve("mixed.pem"),
                "Certificate:\n    Data:\n" + stranger.getPrivateKeyPEM() + stranger.getCertificatePEM()
                        + "subject=Test CA\n" + authority.getCertificatePEM() + "\n");
        try (var mock = tlsMock(certificate(authority, "localhost"));
                var relay = relay("localhost", mock.port(), mixed)) {
            assertThat(ask(relay).status()).isEqualTo(200);
        }
    }

    @Test
    void refusesACertificateOfAnotherHost() throws Exception {
        assertRefused(certificate(authority, "example.com"), "localhost");
    }

    @Test
    void refusesACertificateOfAnUnknownAuthority() throws Exception {
        assertRefused(certificate(stranger, "localhost"), "localhost");
    }

    @Test
    void refusesACertificateThatHasExpired() throws Exception {
        Instant now = Instant.now();
        assertThat(reasonOf(valid(now.minus(2, ChronoUnit.DAYS), now.minus(1, ChronoUnit.DAYS))))
                .contains("NotAfter");
    }

    @Test
    void refusesACertificateThatIsNotValidYet() throws Exception {
        Instant now = Instant.now();
        assertThat(reasonOf(valid(now.plus(1, ChronoUnit.DAYS), now.plus(2, ChronoUnit.DAYS))))
                .contains("NotBefore");
    }

    private static X509Bundle valid(Instant from, Instant until) throws Exception {
        return new CertificateBuilder()
                .subject("CN=localhost")
                .addSanDnsName("localhost")
                .notBefore(from)
                .notAfter(until)
                .buildIssuedBy(authority);
    }

    @Test
    void refusesACertificateThatIsSignedByItself() throws Exception {
        X509Bundle certificate = new CertificateBuilder()
                .subject("CN=localhost")
                .addSanDnsName("localhost")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        assertThat(reasonOf(certificate)).contains("certification path");
    }

    @Test
    void refusesAServerWithoutTls() throws Exception {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = relay("localhost", mock.port())) {
            assertThat(ask(relay).status()).isEqualTo(502);
            assertThat(mock.stats().requests()).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"api.example.com", "localhost", "vllm", "vllm.svc"})
    void namesTheHostInItsHello(String host) throws Exception {
        assertThat(hello(host)).contains(host);
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void namesNoAddressInItsHello(String host) throws Exception {
        assertThat(hello(host)).doesNotContain(host);
    }

    private static String hello(String host) throws Exception {
        SslContext context = UpstreamTls.context(directory.resolve("ca.pem"));
        try {
            var channel =
                    new EmbeddedChannel(UpstreamTls.handler(host, 443, context, UnpooledByteBufAllocator.DEFAULT));
            ByteBuf hello = channel.readOutbound();
            String text = hello.toString(StandardCharsets.ISO_8859_1);
            hello.release();
            channel.finishAndReleaseAll();
            return text;
        } finally {
            ReferenceCountUtil.release(context);
        }
    }

    @Test
    void refusesACertificateThatNamesTheHostInItsSubjectOnly() throws Exception {
        X509Bundle certificate =
                new CertificateBuilder().subject("CN=localhost").buildIssuedBy(authority);
        assertThat(reasonOf(certificate)).contains("the certificate names no host in its subjectAltName");
    }

    @Test
    void tellsTheLogWhyACertificateIsRefused() throws Exception {
        assertThat(reasonOf(certificate(authority, "example.com")))
                .contains("No subject alternative DNS name matching");
        assertThat(reasonOf(certificate(stranger, "localhost"))).contains("certification path");
    }

    @Test
    void refusesShortKeys() throws Exception {
        KeyPair keys = rsaKeys(1024);
        X509Certificate own = signed("localhost", keys, "localhost", keys, "SHA256withRSA");
        assertThat(reasonOf(server(keys, own), pem("short", own))).contains("is weak: RSA of 1024 bits");
    }

    @ParameterizedTest
    @CsvSource({"SHA1withRSA, SHA1withRSA", "SHA256withRSA, ''"})
    void refusesOldSignatures(String algorithm, String weakness) throws Exception {
        KeyPair rootKeys = rsaKeys(2048);
        KeyPair keys = rsaKeys(2048);
        X509Certificate root = signed("Old CA", rootKeys, "Old CA", rootKeys, "SHA256withRSA");
        SslContext server = server(keys, signed("localhost", keys, "Old CA", rootKeys, algorithm), root);
        Path trusted = pem(algorithm, root);
        if (weakness.isEmpty()) {
            try (var mock = MockServer.start(MockConfig.defaults().withSsl(server));
                    var relay = relay("localhost", mock.port(), trusted)) {
                assertThat(ask(relay).status()).isEqualTo(200);
            }
        } else {
            assertThat(reasonOf(server, trusted)).contains("the signature of CN=localhost is weak: " + weakness);
        }
    }

    private static KeyPair rsaKeys(int bits) throws Exception {
        var generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(bits);
        return generator.generateKeyPair();
    }

    /** A certificate as weak as the test wants it, which Netty's builder does not make. */
    private static X509Certificate signed(String name, KeyPair keys, String issuer, KeyPair signer, String algorithm)
            throws Exception {
        Instant now = Instant.now();
        var builder = new JcaX509v3CertificateBuilder(
                new X500Principal("CN=" + issuer),
                BigInteger.valueOf(System.nanoTime()),
                Date.from(now.minus(1, ChronoUnit.DAYS)),
                Date.from(now.plus(90, ChronoUnit.DAYS)),
                new X500Principal("CN=" + name),
                keys.getPublic());
        if (name.equals("localhost")) {
            var names = new GeneralNames(new GeneralName(GeneralName.dNSName, name));
            builder.addExtension(Extension.subjectAlternativeName, false, names);
        } else {
            builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
        }
        return new JcaX509CertificateConverter()
                .getCertificate(builder.build(new JcaContentSignerBuilder(algorithm).build(signer.getPrivate())));
    }

    private static SslContext server(KeyPair keys, X509Certificate... chain) throws Exception {
        return SslContextBuilder.forServer(keys.getPrivate(), chain)
                .sslProvider(SslProvider.JDK)
                .build();
    }

    private static Path pem(String name, X509Certificate certificate) throws Exception {
        String text = Base64.getMimeEncoder().encodeToString(certificate.getEncoded());
        return Files.writeString(
                directory.resolve(name + ".pem"),
                "-----BEGIN CERTIFICATE-----\n" + text + "\n-----END CERTIFICATE-----\n");
    }

    @ParameterizedTest
    @CsvSource({
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, 502",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384, 502",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 200",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, 200",
    })
    void takesCiphersOfForwardSecrecyAndAuthenticatedEncryptionOnly(String cipher, int status) throws Exception {
        SslContext server = SslContextBuilder.forServer(
                        certificate(authority, "localhost").toKeyManagerFactory())
                .sslProvider(SslProvider.JDK)
                .protocols("TLSv1.2")
                .ciphers(List.of(cipher))
                .build();
        try (var mock = MockServer.start(MockConfig.defaults().withSsl(server));
                var relay = relay("localhost", mock.port())) {
            assertThat(ask(relay).status()).isEqualTo(status);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "application/json, true",
        "application/json, false",
        "text/event-stream, true",
        "text/event-stream, false"
    })
    void tellsAnEndWithoutCloseNotifyAsACut(String type, boolean notify) throws Exception {
        var tls = SSLContext.getInstance("TLS");
        tls.init(certificate(authority, "localhost").toKeyManagerFactory().getKeyManagers(), null, null);
        try (var listener = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
                var relay = relay("localhost", listener.getLocalPort());
                var client = new RawClient(relay.addresses().get(0).getPort())) {
            var serving = new Thread(() -> serveToTheEnd(listener, tls, type, notify));
            serving.setDaemon(true);
            serving.start();
            client.send("GET", "/mcp", "");
            RawClient.Response response = client.readAll();
            assertThat(response.status()).isEqualTo(200);
            assertThat(response.end() == RawClient.End.COMPLETE)
                    .as(response.text())
                    .isEqualTo(notify);
        }
    }

    /** Answers with a body that the connection's end delimits, which is an orderly one of TCP in any case. */
    private static void serveToTheEnd(ServerSocket listener, SSLContext tls, String type, boolean notify) {
        try (Socket plain = listener.accept()) {
            var socket = (SSLSocket) tls.getSocketFactory().createSocket(plain, null, plain.getPort(), false);
            socket.setUseClientMode(false);
            socket.getInputStream().read();
            String answer = "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\n\r\ndata: {\"a\":1}\n\n";
            socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
            // The request's last bytes must be read, or closing resets the connection.
            socket.getInputStream().skip(socket.getInputStream().available());
            if (notify) {
                socket.close();
            } else {
                plain.shutdownOutput();
                plain.getInputStream().readAllBytes();
            }
        } catch (IOException e) {
            // The relay closes.
        }
    }

    /** What the log says of a handshake that fails, of which the client is told less. */
    private static String reasonOf(X509Bundle certificate) throws Exception {
        SslContext server = SslContextBuilder.forServer(certificate.toKeyManagerFactory())
                .sslProvider(SslProvider.JDK)
                .build();
        return reasonOf(server, directory.resolve("ca.pem"));
    }

    private static String reasonOf(SslContext server, Path ca) throws Exception {
        var logger = (Logger) LoggerFactory.getLogger(UpstreamPool.class);
        var appender = new ListAppender<ILoggingEvent>();
        appender.start();
        logger.addAppender(appender);
        try (var mock = MockServer.start(MockConfig.defaults().withSsl(server));
                var relay = relay("localhost", mock.port(), ca)) {
            RawClient.Response response = ask(relay);
            assertThat(response.status()).isEqualTo(502);
            assertThat(response.text()).contains("cannot connect to tls: TLS handshake failed");
            assertThat(appender.list).isNotEmpty();
            return appender.list.get(0).getFormattedMessage();
        } finally {
            logger.detachAppender(appender);
        }
    }

    @Test
    void refusesAFileThatHoldsNoCertificate() throws IOException {
        Path empty = Files.writeString(directory.resolve("empty.pem"), "nothing");
        assertThatThrownBy(() -> UpstreamTls.context(empty)).isInstanceOf(IllegalArgumentException.class);
    }

    private static void assertRefused(X509Bundle certificate, String host) throws Exception {
        try (var mock = tlsMock(certificate);
                var relay = relay(host, mock.port())) {
            RawClient.Response response = ask(relay);
            assertThat(response.status()).isEqualTo(502);
            assertThat(response.text()).contains("upstream_unreachable").contains("cannot connect to tls");
            assertThat(mock.stats().requests()).isZero();
        }
    }

    private static RawClient.Response ask(RelayServer relay) throws IOException {
        try (var client = new RawClient(relay.addresses().get(0).getPort())) {
            client.send("GET", "/v1/models", "");
            return client.readAll();
        }
    }

    private static X509Bundle certificate(X509Bundle issuer, String name) throws Exception {
        var builder = new CertificateBuilder().subject("CN=" + name).addSanDnsName(name);
        if (name.equals("localhost")) {
            builder.addSanIpAddress("127.0.0.1");
        }
        return builder.buildIssuedBy(issuer);
    }

    private static MockServer tlsMock(X509Bundle certificate) throws Exception {
        SslContext context = SslContextBuilder.forServer(certificate.toKeyManagerFactory())
                .sslProvider(SslProvider.JDK)
                .build();
        return MockServer.start(MockConfig.defaults().withSsl(context));
    }

    private static RelayServer relay(String host, int port) {
        return relay(host, port, directory.resolve("ca.pem"));
    }

    private static RelayServer relay(String host, int port, Path ca) {
        var upstream =
                Upstream.of("tls", URI.create("https://" + host + ":" + port)).with(u -> u.ca = ca);
        return RelayServer.start(RelayConfig.relayTo(upstream)
                .with(c -> c.accessLog = AccessLog.OFF)
                .with(c -> c.eventLoops = 1));
    }
}
