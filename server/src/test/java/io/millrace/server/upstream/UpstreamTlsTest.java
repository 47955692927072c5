package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.millrace.server.RelayServer;
import io.millrace.server.config.AccessLog;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RawClient;
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
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
    void refusesACertificateOfAnotherHost() throws Exception {
        assertRefused(certificate(authority, "example.com"), "localhost");
    }

    @Test
    void refusesACertificateOfAnUnknownAuthority() throws Exception {
        assertRefused(certificate(stranger, "localhost"), "localhost");
    }

    @Test
    void refusesAServerWithoutTls() throws Exception {
        try (var mock = MockServer.start(MockConfig.defaults());
                var relay = relay("localhost", mock.port())) {
            assertThat(ask(relay).status()).isEqualTo(502);
            assertThat(mock.stats().requests()).isZero();
        }
    }

    @Test
    void namesTheHostInItsHello() throws Exception {
        SslContext context = UpstreamTls.context(directory.resolve("ca.pem"));
        try {
            var handler = context.newHandler(UnpooledByteBufAllocator.DEFAULT, "api.example.com", 443);
            var channel = new EmbeddedChannel(handler);
            ByteBuf hello = channel.readOutbound();
            assertThat(hello.toString(StandardCharsets.ISO_8859_1)).contains("api.example.com");
            hello.release();
            channel.finishAndReleaseAll();
        } finally {
            ReferenceCountUtil.release(context);
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
        var upstream =
                Upstream.of("tls", URI.create("https://" + host + ":" + port)).withCa(directory.resolve("ca.pem"));
        return RelayServer.start(
                RelayConfig.relayTo(upstream).withAccessLog(AccessLog.OFF).withEventLoops(1));
    }
}
