package io.millrace.bench.stats;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.bench.stream.Behaviours;
import io.millrace.bench.stream.Clients;
import io.millrace.bench.stream.Endpoint;
import io.millrace.bench.stream.Prompts;
import io.millrace.bench.stream.RequestTemplate;
import io.millrace.bench.stream.StreamLimits;
import io.millrace.bench.stream.StreamPlan;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.tls.UpstreamTls;
import io.millrace.server.transport.Transport;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.netty.util.ReferenceCountUtil;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("sockets")
class TlsTest {
    private static X509Bundle authority;
    private static SslContext server;

    @TempDir
    private static Path directory;

    @BeforeAll
    static void makeCertificates() throws Exception {
        authority = new CertificateBuilder()
                .subject("CN=Test CA")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        var leaf = new CertificateBuilder()
                .subject("CN=localhost")
                .addSanDnsName("localhost")
                .buildIssuedBy(authority);
        server = SslContextBuilder.forServer(leaf.toKeyManagerFactory()).build();
        Files.writeString(directory.resolve("ca.pem"), authority.getCertificatePEM());
    }

    @AfterAll
    static void releaseContext() {
        ReferenceCountUtil.release(server);
    }

    private static RunResult run(SslContext client) throws Exception {
        try (var mock = MockServer.start(MockConfig.defaults().withSsl(server));
                var runner = new Runner(Transport.best(), 1)) {
            var endpoint = Endpoint.of("https://localhost:" + mock.port() + "/v1", null, "mock");
            var template = RequestTemplate.of(endpoint, "mock").header("x-mock: tokens=9,ttft_ms=100,digest=1,stamp=1");
            long minuteNs = TimeUnit.MINUTES.toNanos(1);
            var plan = new StreamPlan(
                    template.build(),
                    mock.address(),
                    client,
                    Prompts.fixed("Hello"),
                    Bench.closed(3, 12),
                    Clients.of(Behaviours.NONE, new StreamLimits(60_000, minuteNs, minuteNs, minuteNs)),
                    1);
            return runner.run(plan, null, null, Runner.Watcher.NONE);
        } finally {
            ReferenceCountUtil.release(client);
        }
    }

    @Test
    void measuresStreamsBehindTls() throws Exception {
        var result = run(UpstreamTls.context(directory.resolve("ca.pem")));

        assertThat(result.errors()).isEmpty();
        assertThat(result.completed()).isEqualTo(12);
        assertThat(result.of(Metric.TTFT_SENT).min()).isGreaterThan(99);
        assertThat(result.of(Metric.CONNECT).count()).isEqualTo(3);
        assertThat(result.of(Metric.TRANSIT).count()).isEqualTo(12 * 9);
    }

    @Test
    void namesACertificateThatIsNotTrusted() throws Exception {
        var result = run(UpstreamTls.context(null));

        assertThat(result.completed()).isZero();
        assertThat(result.errors().keySet()).allMatch(error -> error.startsWith("tls: "));
    }
}
