package io.millrace.server.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Listener.Tls.ClientMode;
import io.millrace.server.test.Certificates;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.netty.util.ReferenceCountUtil;
import java.io.EOFException;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("sockets")
class ServerTlsTest {
    private static final int PROTOCOL_VERSION = 70;
    private static final int HANDSHAKE_FAILURE = 40;

    @TempDir
    private Path directory;

    private Certificates certificates;
    private SSLContext client;

    @BeforeEach
    void makeAuthority() throws Exception {
        certificates = Certificates.in(directory);
        client = certificates.client();
    }

    @Engines
    void choosesTheCertificateByTheNameThatIsAskedFor(SslProvider engine) throws Exception {
        Listener.Tls settings = Certificates.tls(
                certificates.server("first", "first.example"),
                certificates.server("api", "api.example.com"),
                certificates.server("any", "*.example.com", "api.example.com"));
        try (var bed = new TlsBed(settings, engine)) {
            assertThat(subject(bed, "first.example")).isEqualTo("CN=first.example");
            assertThat(subject(bed, "api.example.com")).isEqualTo("CN=api.example.com");
            assertThat(subject(bed, "API.Example.COM")).isEqualTo("CN=api.example.com");
            assertThat(subject(bed, "other.example.com")).isEqualTo("CN=*.example.com");
            assertThat(subject(bed, "two.labels.example.com")).isEqualTo("CN=first.example");
            assertThat(subject(bed, "example.com")).isEqualTo("CN=first.example");
            assertThat(subject(bed, "unknown")).isEqualTo("CN=first.example");
            assertThat(subject(bed, null)).isEqualTo("CN=first.example");
        }
    }

    /** Of the certificate that is shown to a client that asks for {@code host}. */
    private String subject(TlsBed bed, String host) throws Exception {
        try (SSLSocket socket = bed.connect(certificates.client(), host)) { // without sessions of before
            socket.startHandshake();
            var shown = (X509Certificate) socket.getSession().getPeerCertificates()[0];
            return shown.getSubjectX500Principal().getName();
        }
    }

    @Engines
    void speaksBothVersionsUnlessToldOtherwise(SslProvider engine) throws Exception {
        Listener.Tls settings = certificates.tls("localhost");
        try (var bed = new TlsBed(settings, engine)) {
            assertThat(askWith(bed, "TLSv1.3")).contains("version=TLSv1.3");
            assertThat(askWith(bed, "TLSv1.2")).contains("version=TLSv1.2");
        }
        try (var bed = new TlsBed(settings.with(t -> t.minVersion = Listener.Tls.Version.V1_3), engine)) {
            assertThat(askWith(bed, "TLSv1.3")).contains("version=TLSv1.3");
            assertThatThrownBy(() -> askWith(bed, "TLSv1.2")).isInstanceOf(SSLHandshakeException.class);
            await().until(() -> bed.failed(HandshakeFailure.VERSION) == 1);
        }
    }

    private String askWith(TlsBed bed, String version) throws IOException {
        SSLSocket socket = bed.connect(client, "localhost");
        socket.setEnabledProtocols(new String[] {version});
        return TlsBed.ask(socket);
    }

    /** BoringSSL's client still speaks what the JDK's will not. */
    @Engines
    void refusesOldVersions(SslProvider engine) throws Exception {
        try (var bed = new TlsBed(certificates.tls("localhost"), engine)) {
            for (String version : List.of("TLSv1", "TLSv1.1")) {
                assertThat(alertTo(bed, version, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"))
                        .isEqualTo(PROTOCOL_VERSION);
            }
            await().until(() -> bed.failed(HandshakeFailure.VERSION) == 2);
        }
    }

    /** Which alert a client of BoringSSL gets that speaks nothing else. */
    private static int alertTo(TlsBed bed, String version, String suite) throws IOException {
        SslContext context = SslContextBuilder.forClient()
                .sslProvider(SslProvider.OPENSSL_REFCNT)
                .protocols(version)
                .ciphers(List.of(suite))
                .trustManager(InsecureTrustManagerFactory.INSTANCE)
                .build();
        SSLEngine engine = context.newEngine(UnpooledByteBufAllocator.DEFAULT);
        try (Socket socket = bed.connect()) {
            socket.getOutputStream().write(helloOf(engine));
            byte[] answer = socket.getInputStream().readAllBytes();
            assertThat(answer).as(suite).hasSize(7).startsWith(21); // a record with an alert, and nothing else
            return answer[6];
        } finally {
            ReferenceCountUtil.release(engine);
            ReferenceCountUtil.release(context);
        }
    }

    private static byte[] helloOf(SSLEngine engine) throws SSLException {
        engine.setUseClientMode(true);
        ByteBuffer hello = ByteBuffer.allocate(64 * 1024);
        SSLEngineResult.HandshakeStatus status;
        do {
            status = engine.wrap(ByteBuffer.allocate(0), hello).getHandshakeStatus();
        } while (status == SSLEngineResult.HandshakeStatus.NEED_WRAP);
        return Arrays.copyOf(hello.array(), hello.position());
    }

    @Engines
    void refusesWeakCipherSuites(SslProvider engine) throws Exception {
        X509Bundle rsa = new CertificateBuilder()
                .rsa2048()
                .subject("CN=localhost")
                .addSanDnsName("localhost")
                .buildIssuedBy(certificates.authority());
        try (var ofEc = new TlsBed(certificates.tls("localhost"), engine);
                var ofRsa = new TlsBed(Certificates.tls(certificates.write("rsa", rsa)), engine)) {
            for (String suite :
                    List.of("TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA")) {
                assertThat(alertTo(ofEc, "TLSv1.2", suite)).isEqualTo(HANDSHAKE_FAILURE);
            }
            for (String suite : List.of("TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "TLS_RSA_WITH_AES_128_GCM_SHA256")) {
                assertThat(alertTo(ofRsa, "TLSv1.2", suite)).isEqualTo(HANDSHAKE_FAILURE);
            }
            assertThatThrownBy(() -> askWithSuite(ofRsa, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"))
                    .isInstanceOf(SSLHandshakeException.class);
            await().until(() -> ofEc.failed(HandshakeFailure.CIPHER) == 2);
            await().until(() -> ofRsa.failed(HandshakeFailure.CIPHER) == 3);
            assertThat(askWithSuite(ofEc, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"))
                    .contains("TLSv1.2");
            assertThat(askWithSuite(ofRsa, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"))
                    .contains("TLSv1.2");
        }
    }

    private String askWithSuite(TlsBed bed, String suite) throws IOException {
        SSLSocket socket = bed.connect(client, "localhost");
        socket.setEnabledProtocols(new String[] {"TLSv1.2"});
        socket.setEnabledCipherSuites(new String[] {suite});
        return TlsBed.ask(socket);
    }

    /**
     * Many times for the price of one, it would keep an event loop busy. Of the JDK's engine {@code TlsProcessTest} shows it:
     * it is told for a whole process.
     */
    @Test
    void refusesToNegotiateAgain() throws Exception {
        try (var bed = new TlsBed(certificates.tls("localhost"), SslProvider.OPENSSL_REFCNT);
                SSLSocket socket = bed.connect(client, "localhost")) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            socket.startHandshake();
            assertThatThrownBy(() -> {
                        socket.startHandshake();
                        TlsBed.ask(socket);
                    })
                    .isInstanceOfAny(SSLException.class, SocketException.class, EOFException.class);
        }
    }

    @Engines
    void agreesOnWhatIsSpokenInside(SslProvider engine) throws Exception {
        List<Protocol> both = List.of(Protocol.H2, Protocol.HTTP_1_1);
        try (var bed = new TlsBed(certificates.tls("localhost"), engine, both, 512);
                var old = new TlsBed(certificates.tls("localhost"), engine, List.of(Protocol.HTTP_1_1), 512)) {
            assertThat(askFor(bed, "http/1.1", "h2")).contains("protocol=h2");
            assertThat(askFor(bed, "spdy/3", "http/1.1")).contains("protocol=http/1.1");
            assertThat(askFor(old, "h2", "http/1.1")).contains("protocol=http/1.1");
            assertThat(askFor(bed)).contains("protocol=null");
            assertThatThrownBy(() -> askFor(old, "h2"))
                    .isInstanceOf(SSLHandshakeException.class)
                    .hasMessageContaining("no_application_protocol");
            await().until(() -> old.failed(HandshakeFailure.PROTOCOL) == 1);
        }
    }

    private String askFor(TlsBed bed, String... protocols) throws IOException {
        SSLSocket socket = bed.connect(client, "localhost");
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setApplicationProtocols(protocols);
        socket.setSSLParameters(parameters);
        return TlsBed.ask(socket);
    }

    @Engines
    void asksForAClientsCertificate(SslProvider engine) throws Exception {
        Listener.Tls required = mutual(ClientMode.REQUIRED);
        Listener.Tls optional = mutual(ClientMode.OPTIONAL);
        var others = Certificates.in(directory); // of the same name: clients send nothing of an authority not asked for
        X509Bundle right = bundle(certificates, "CN=web,O=acme");
        X509Bundle wrong = bundle(others, "CN=web,O=acme");
        try (var must = new TlsBed(required, engine);
                var may = new TlsBed(optional, engine)) {
            assertThat(askAs(must, right)).contains("client=CN=web,O=acme");
            assertThat(askAs(may, right)).contains("client=CN=web,O=acme");
            assertThat(askAs(may, null)).contains("client=null");
            assertNoAnswer(must, null);
            await().until(() -> must.failed(HandshakeFailure.CLIENT_CERTIFICATE) == 1);
            assertNoAnswer(must, wrong);
            await().until(() -> must.failed(HandshakeFailure.CLIENT_CERTIFICATE) == 2);
            assertNoAnswer(may, wrong);
            await().until(() -> may.failed(HandshakeFailure.CLIENT_CERTIFICATE) == 1);
        }
    }

    @Engines
    void callsAClientByTheFirstUriThenTheFirstHost(SslProvider engine) throws Exception {
        X509Bundle both = new CertificateBuilder()
                .subject("CN=web")
                .addSanDnsName("web.example")
                .addSanUriName("spiffe://acme/web")
                .addSanUriName("spiffe://acme/other")
                .buildIssuedBy(certificates.authority());
        X509Bundle host = new CertificateBuilder()
                .subject("CN=web")
                .addSanIpAddress("10.1.1.1")
                .addSanDnsName("web.example")
                .buildIssuedBy(certificates.authority());
        try (var bed = new TlsBed(mutual(ClientMode.REQUIRED), engine)) {
            assertThat(askAs(bed, both)).contains("client=spiffe://acme/web,");
            assertThat(askAs(bed, host)).contains("client=web.example,");
        }
    }

    /** A certificate of a server, which its extended key usage says, is none of a client. */
    @Engines
    void refusesACertificateForAnotherUse(SslProvider engine) throws Exception {
        X509Bundle server = new CertificateBuilder()
                .subject("CN=web")
                .addExtendedKeyUsageServerAuth()
                .buildIssuedBy(certificates.authority());
        try (var bed = new TlsBed(mutual(ClientMode.REQUIRED), engine)) {
            assertNoAnswer(bed, server);
            await().until(() -> bed.failed(HandshakeFailure.CLIENT_CERTIFICATE) == 1);
        }
    }

    private Listener.Tls mutual(ClientMode mode) throws Exception {
        Path ca = certificates.ca();
        return certificates.tls("localhost").with(t -> t.clientCa = ca).with(t -> t.clientMode = mode);
    }

    private static X509Bundle bundle(Certificates issuer, String subject) throws Exception {
        return new CertificateBuilder().subject(subject).buildIssuedBy(issuer.authority());
    }

    private String askAs(TlsBed bed, X509Bundle own) throws Exception {
        return TlsBed.ask(bed.connect(certificates.client(own), "localhost"));
    }

    /** In TLS 1.3 the client has finished its part of the handshake before it is refused. */
    private void assertNoAnswer(TlsBed bed, X509Bundle own) {
        assertThatThrownBy(() -> askAs(bed, own)).isInstanceOfAny(SSLException.class, SocketException.class);
    }

    @Engines
    void readsAHelloOf16KibInPiecesOfOneByte(SslProvider engine) throws Exception {
        try (var bed = new TlsBed(certificates.tls("localhost"), engine);
                Socket socket = bed.connect()) {
            byte[] hello = longHello(15_800);
            for (byte each : hello) {
                socket.getOutputStream().write(each);
            }
            assertThat(socket.getInputStream().read())
                    .as("a record of the handshake")
                    .isEqualTo(22);
        }
    }

    @Engines
    void refusesALongerHello(SslProvider engine) throws Exception {
        try (var bed = new TlsBed(certificates.tls("localhost"), engine);
                Socket one = bed.connect()) {
            one.getOutputStream().write(longHello(17_000));
            assertThat(endOf(one)).isTrue();
            await().until(() -> bed.failed(HandshakeFailure.HELLO) == 1);
            assertThat(bed.handshakes.open()).isZero();
        }
        try (var bed = new TlsBed(certificates.tls("localhost"), engine);
                Socket other = bed.connect()) {
            var records = new byte[60_000]; // of one record, whose end does not come
            System.arraycopy(new byte[] {22, 3, 1, (byte) 0xff, (byte) 0xff, 1, 0, 0x30, 0}, 0, records, 0, 9);
            other.getOutputStream().write(records);
            assertThat(endOf(other)).isTrue();
            await().until(() -> bed.failed(HandshakeFailure.HELLO) == 1);
        }
    }

    /** Whether the server ends the connection. */
    private static boolean endOf(Socket socket) {
        try {
            while (socket.getInputStream().read() >= 0) {}
        } catch (SocketException e) {
            return true;
        } catch (IOException e) {
            return false;
        }
        return true;
    }

    /** A hello of about so many bytes, which names many protocols. */
    private byte[] longHello(int bytes) throws SSLException {
        SSLEngine engine = client.createSSLEngine("localhost", 1);
        engine.setUseClientMode(true);
        var names = new ArrayList<String>();
        names.add("http/1.1");
        for (int left = bytes - 400; left > 0; left -= 256) {
            names.add("a".repeat(Math.min(255, Math.max(1, left - 1))));
        }
        SSLParameters parameters = engine.getSSLParameters();
        parameters.setApplicationProtocols(names.toArray(String[]::new));
        engine.setSSLParameters(parameters);
        byte[] hello = helloOf(engine);
        assertThat(hello.length).isBetween(bytes - 400, bytes + 600);
        return hello;
    }

    @Engines
    void endsASlowHandshake(SslProvider engine) throws Exception {
        try (var bed = new TlsBed(certificates.tls("localhost"), engine)) {
            bed.timeoutNs = TimeUnit.MILLISECONDS.toNanos(200);
            try (Socket silent = bed.connect();
                    Socket begun = bed.connect();
                    Socket greeted = bed.connect()) {
                begun.getOutputStream().write(new byte[] {22, 3, 1, 2});
                greeted.getOutputStream().write(longHello(1000));
                for (Socket each : List.of(silent, begun, greeted)) {
                    assertThat(endOf(each)).isTrue();
                }
            }
            await().until(() -> bed.failed(HandshakeFailure.TIMEOUT) == 3);
            assertThat(bed.handshakes.open()).isZero();
        }
    }

    /** The bytes that follow a PROXY head have been read with it. */
    @Engines
    void keepsWhatItReadBeforeItsPlace(SslProvider engine) throws Exception {
        var handshakes = new Handshakes(() -> 1);
        ServerTls tls = ServerTls.of(certificates.tls("localhost"), List.of(Protocol.HTTP_1_1), handshakes, engine);
        var first = new EmbeddedChannel();
        var second = new EmbeddedChannel();
        for (EmbeddedChannel each : List.of(first, second)) {
            tls.secure(each, TimeUnit.SECONDS.toNanos(10), (channel, secured) -> {});
        }

        second.writeInbound(Unpooled.wrappedBuffer(longHello(1000)));
        assertThat(second.outboundMessages()).isEmpty();
        first.close();
        second.runPendingTasks();

        assertThat(second.outboundMessages()).isNotEmpty();
        second.finishAndReleaseAll();
        assertThat(handshakes.open()).isZero();
        tls.close();
    }

    @Engines
    void handshakesOverTheLimitWaitForAPlace(SslProvider engine) throws Exception {
        try (var bed = new TlsBed(certificates.tls("localhost"), engine, List.of(Protocol.HTTP_1_1), 3)) {
            var held = new ArrayList<Socket>();
            for (int i = 0; i < 3; i++) {
                held.add(bed.connect());
            }
            await().until(() -> bed.handshakes.open() == 3);
            bed.timeoutNs = TimeUnit.MILLISECONDS.toNanos(100);
            try (Socket fourth = bed.connect()) {
                assertThat(endOf(fourth)).isTrue();
            }
            assertThat(bed.failed(HandshakeFailure.LIMIT)).isEqualTo(1);
            bed.timeoutNs = TimeUnit.SECONDS.toNanos(10);

            var fifth = new FutureTask<>(() -> askFor(bed));
            new Thread(fifth).start();
            await().until(() -> bed.handshakes.waiting() == 1);
            held.get(0).close();

            assertThat(fifth.get()).contains("TLSv1.3");
            assertThat(bed.failed(HandshakeFailure.CLOSED)).isEqualTo(1);
            assertThat(bed.failed(HandshakeFailure.LIMIT)).isEqualTo(1);
            for (Socket each : held) {
                each.close();
            }
            await().until(() -> bed.handshakes.open() == 0);
        }
    }

    @Engines
    void endsWhatIsNoTls(SslProvider engine) throws Exception {
        try (var bed = new TlsBed(certificates.tls("localhost"), engine)) {
            for (String text : List.of("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\u0015\u0000\u0000\u0000\u0000\u0000")) {
                try (Socket socket = bed.connect()) {
                    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
                    assertThat(endOf(socket)).isTrue();
                }
            }
            await().until(() -> bed.failed(HandshakeFailure.NOT_TLS) == 2);
        }
    }

    @Engines
    void countsAClientThatRefusesTheCertificate(SslProvider engine) throws Exception {
        SSLContext stranger = Certificates.in(directory, "Other CA").client();
        try (var bed = new TlsBed(certificates.tls("localhost"), engine)) {
            assertThatThrownBy(() -> TlsBed.ask(bed.connect(stranger, "localhost")))
                    .isInstanceOf(SSLHandshakeException.class);
            await().untilAsserted(() ->
                    assertThat(bed.handshakes.failures()).containsEntry(HandshakeFailure.BY_CLIENT.label(), 1L));
        }
    }

    @Engines
    void newConnectionsGetTheNewFilesAndOldOnesKeepTheirs(SslProvider engine) throws Exception {
        Listener.Tls settings = certificates.tls("localhost");
        try (var bed = new TlsBed(settings, engine);
                SSLSocket old = bed.connect(client, "localhost")) {
            old.startHandshake();
            bed.tls.look();
            assertThat(bed.tls.reloads(true)).as("nothing has changed").isZero();
            certificates.server("localhost", "localhost", "new.example");
            bed.tls.look();
            assertThat(bed.tls.reloads(true)).isEqualTo(1);
            try (SSLSocket next = bed.connect(client, "localhost")) {
                next.startHandshake();
                var shown = (X509Certificate) next.getSession().getPeerCertificates()[0];
                assertThat(shown.getSubjectAlternativeNames()).anyMatch(name -> name.contains("new.example"));
            }
            assertThat(TlsBed.ask(old)).contains("TLSv1.3");
        }
    }

    @Engines
    void keepsTheOldFilesIfTheNewOnesAreWrong(SslProvider engine) throws Exception {
        Listener.Tls settings = certificates.tls("localhost");
        try (var bed = new TlsBed(settings, engine)) {
            Files.writeString(settings.certificates().get(0).cert(), "nonsense");
            bed.tls.look();
            bed.tls.look();
            assertThat(bed.tls.reloads(false)).as("once for each change").isEqualTo(1);
            assertThat(askFor(bed)).contains("TLSv1.3");
            certificates.server("localhost", "localhost");
            bed.tls.look();
            assertThat(bed.tls.reloads(true)).isEqualTo(1);
            assertThatThrownBy(() -> bed.tls.prepare(Certificates.tls(
                            new Listener.Tls.Certificate(directory.resolve("none"), directory.resolve("none")))))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("no such file");
            assertThat(bed.tls.reloads(false)).isEqualTo(2);
            assertThat(bed.tls.ends())
                    .hasSize(1)
                    .containsKey(directory.resolve("localhost.pem").toString());
        }
    }

    private enum Version {
        TLS_1_2("TLSv1.2"),
        TLS_1_3("TLSv1.3");

        private final String label;

        Version(String label) {
            this.label = label;
        }
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void sessionsGoOnAlsoAfterAReload(Version version) throws Exception {
        Listener.Tls settings = certificates.tls("localhost");
        try (var bed = new TlsBed(settings, SslProvider.OPENSSL_REFCNT)) {
            assertThat(resumes(bed, client, version)).isTrue();
            bed.tls.take(bed.tls.prepare(settings));
            assertThat(resumes(bed, client, version)).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void sessionsOfTheJdksEngineGoOnUntilAReload(Version version) throws Exception {
        try (var bed = new TlsBed(certificates.tls("localhost"), SslProvider.JDK)) {
            assertThat(resumes(bed, client, version)).isTrue();
        }
    }

    /** What was agreed on by other rules would go round these. */
    @ParameterizedTest
    @EnumSource(Version.class)
    void sessionsEndWithTheRulesForClients(Version version) throws Exception {
        Listener.Tls open = certificates.tls("localhost");
        SSLContext known = certificates.client(bundle(certificates, "CN=web"));
        try (var bed = new TlsBed(open, SslProvider.OPENSSL_REFCNT)) {
            assertThat(resumes(bed, known, version)).isTrue();
            bed.tls.take(bed.tls.prepare(mutual(ClientMode.REQUIRED)));
            SSLSocket next = bed.connect(known, "localhost");
            next.setEnabledProtocols(new String[] {version.label});
            assertThat(TlsBed.ask(next)).contains("client=CN=web");
        }
    }

    @ParameterizedTest
    @EnumSource(Version.class)
    void aSessionThatGoesOnKnowsItsClient(Version version) throws Exception {
        SSLContext known = certificates.client(bundle(certificates, "CN=web"));
        try (var bed = new TlsBed(mutual(ClientMode.REQUIRED), SslProvider.OPENSSL_REFCNT)) {
            assertThat(resumes(bed, known, version)).isTrue();
            SSLSocket next = bed.connect(known, "localhost");
            next.setEnabledProtocols(new String[] {version.label});
            assertThat(TlsBed.ask(next)).contains("client=CN=web");
        }
    }

    /** Whether the second of two connections goes on with the first one's session: the time of its making stays. */
    private static boolean resumes(TlsBed bed, SSLContext context, Version version) throws Exception {
        long first = sessionMade(bed, context, version);
        await().until(() -> System.currentTimeMillis() > first + 2);
        return sessionMade(bed, context, version) == first;
    }

    private static long sessionMade(TlsBed bed, SSLContext context, Version version) throws IOException {
        SSLSocket socket = bed.connect(context, "localhost");
        socket.setEnabledProtocols(new String[] {version.label});
        assertThat(TlsBed.ask(socket)).contains(version.label); // tickets come behind the handshake
        return socket.getSession().getCreationTime();
    }
}
