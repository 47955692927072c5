package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.Http2Mock;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.tls.UpstreamTls;
import io.millrace.server.transport.Transport;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.X509Bundle;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The choice of a connection for a request, if some use HTTP/2. */
@Tag("sockets")
class Http2PoolTest {
    @TempDir
    static Path directory;

    private static X509Bundle authority;

    private final Transport transport = Transport.best();
    private final EventLoopGroup group = transport.newEventLoops(1, "pool-test");
    private final EventLoop loop = group.next();
    private final Connector connector = new Connector(transport);
    private final List<SslContext> contexts = new ArrayList<>();

    @BeforeAll
    static void certify() throws Exception {
        authority = new CertificateBuilder()
                .subject("CN=Test CA")
                .setIsCertificateAuthority(true)
                .buildSelfSigned();
        Files.writeString(directory.resolve("ca.pem"), authority.getCertificatePEM());
    }

    @AfterEach
    void stop() {
        connector.close();
        group.shutdownGracefully(0, 10, TimeUnit.SECONDS).awaitUninterruptibly();
        contexts.forEach(ReferenceCountUtil::release);
    }

    @Test
    void crowdSharesFewConnections() throws Exception {
        try (var upstream = Http2Mock.start(request -> {})) {
            UpstreamPool pool = pool(upstream.port(), null, Upstream.Http.Version.HTTP_2, 100);
            var calls = new Calls();
            onLoop(() -> calls.acquire(pool, 50));
            await().until(() -> calls.calls.size() == 50);
            assertThat(upstream.connections()).hasSize(3);
            assertThat(calls.failures).isEmpty();
        }
    }

    /** The emptier ones can then be closed. */
    @Test
    void fullestWithRoomTakesTheNext() throws Exception {
        try (var upstream = Http2Mock.start(request -> {})) {
            UpstreamPool pool = pool(upstream.port(), null, Upstream.Http.Version.HTTP_2, 100);
            var calls = new Calls();
            onLoop(() -> calls.acquire(pool, 25));
            await().until(() -> calls.calls.size() == 25);
            Http2Upstream full = calls.connection(0);
            Http2Upstream other = calls.connection(24);
            assertThat(other).isNotSameAs(full);
            onLoop(() -> {
                calls.calls.get(0).release(0);
                calls.calls.get(1).release(0);
                calls.acquire(pool, 3);
            });
            assertThat(List.of(calls.connection(25), calls.connection(26), calls.connection(27)))
                    .containsExactly(full, full, other);
        }
    }

    /** An upstream says over HTTP/2 which requests it has not processed: a used connection loses none. */
    @Test
    void whoTakesNoUsedConnectionSharesOneAllTheSame() throws Exception {
        try (var upstream = Http2Mock.start(request -> {})) {
            UpstreamPool pool = pool(upstream.port(), null, Upstream.Http.Version.HTTP_2, 100);
            var calls = new Calls();
            calls.takesUsed = false;
            onLoop(() -> calls.acquire(pool, 1));
            await().until(() -> calls.calls.size() == 1);
            onLoop(() -> {
                calls.calls.get(0).release(0);
                calls.acquire(pool, 1);
            });
            assertThat(calls.connection(1)).isSameAs(calls.connection(0));
            assertThat(upstream.connections()).hasSize(1);
        }
    }

    @Test
    void requestThatFitsOnNoConnectionIsRefused() throws Exception {
        try (var upstream = Http2Mock.start(request -> {})) {
            UpstreamPool pool = pool(upstream.port(), null, Upstream.Http.Version.HTTP_2, 1);
            var calls = new Calls();
            onLoop(() -> calls.acquire(pool, 20));
            await().until(() -> calls.calls.size() == 20);
            onLoop(() -> calls.acquire(pool, 1));
            assertThat(calls.failures).extracting(ConnectFailure::kind).containsExactly(ConnectFailure.Kind.FULL);
        }
    }

    @Test
    void atMostFourConnectWhileItIsNotKnownWhatIsSpoken() throws Exception {
        try (var upstream = Http2Mock.start(server("h2", "http/1.1"), request -> {})) {
            UpstreamPool pool = pool(upstream.port(), tls(Upstream.Http.Version.AUTO), Upstream.Http.Version.AUTO, 100);
            var calls = new Calls();
            onLoop(() -> calls.acquire(pool, 40));
            await().until(() -> calls.calls.size() == 40);
            assertThat(upstream.connections()).hasSizeLessThanOrEqualTo(4);
            assertThat(calls.calls).allMatch(Http2Call.class::isInstance);
        }
    }

    @Test
    void autoFallsBackToHttp11WithoutALostRequest() throws Exception {
        try (var upstream = MockServer.start(MockConfig.defaults().withSsl(server("http/1.1")))) {
            UpstreamPool pool = pool(upstream.port(), tls(Upstream.Http.Version.AUTO), Upstream.Http.Version.AUTO, 100);
            var calls = new Calls();
            onLoop(() -> calls.acquire(pool, 30));
            await().until(() -> calls.calls.size() == 30);
            assertThat(calls.failures).isEmpty();
            assertThat(calls.calls).allMatch(Http1Call.class::isInstance);
            assertThat(upstream.stats().connections()).isEqualTo(30);
        }
    }

    /** One that knows no ALPN chooses nothing. */
    @Test
    void autoFallsBackWhereTheServerChoosesNothing() throws Exception {
        try (var upstream = MockServer.start(MockConfig.defaults().withSsl(server()))) {
            UpstreamPool pool = pool(upstream.port(), tls(Upstream.Http.Version.AUTO), Upstream.Http.Version.AUTO, 100);
            var calls = new Calls();
            onLoop(() -> calls.acquire(pool, 2));
            await().until(() -> calls.calls.size() == 2);
            assertThat(calls.calls).allMatch(Http1Call.class::isInstance);
        }
    }

    @Test
    void http2IsNotReplacedWhereItWasAskedFor() throws Exception {
        try (var upstream = MockServer.start(MockConfig.defaults().withSsl(server("http/1.1")))) {
            UpstreamPool pool =
                    pool(upstream.port(), tls(Upstream.Http.Version.HTTP_2), Upstream.Http.Version.HTTP_2, 100);
            var calls = new Calls();
            onLoop(() -> calls.acquire(pool, 3));
            await().until(() -> calls.failures.size() == 3);
            assertThat(upstream.stats().requests()).isZero();
        }
    }

    @Test
    void whoWaitsFailsWithTheLastConnection() throws Exception {
        int port;
        try (var nobody = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = nobody.getLocalPort();
        }
        UpstreamPool pool = pool(port, null, Upstream.Http.Version.HTTP_2, 100);
        var calls = new Calls();
        onLoop(() -> calls.acquire(pool, 30));
        await().until(() -> calls.failures.size() == 30);
    }

    @Test
    void silentUpstreamIsAskedAndThenGivenUp() throws Exception {
        try (var upstream = Http2Mock.start(request -> {})) {
            UpstreamPool pool = pool(upstream.port(), null, Upstream.Http.Version.HTTP_2, 100);
            var calls = new Calls();
            onLoop(() -> calls.acquire(pool, 2));
            await().until(() -> calls.calls.size() == 2);
            List<CallRecorder> told = calls.send();
            await().until(() -> upstream.requests().size() == 2);
            long nowNs = System.nanoTime();
            sweep(pool, nowNs);
            sweep(pool, nowNs + Liveness.SILENCE_NS + 1);
            await().until(() -> upstream.pings() == 1);
            await().untilAsserted(() -> {
                sweep(pool, nowNs + Liveness.SILENCE_NS + 2);
                assertThat(calls.connection(0).calls()).isEqualTo(2);
            });
            upstream.ignorePings();
            long laterNs = nowNs + 10 * Liveness.SILENCE_NS;
            sweep(pool, laterNs); // heard the answer
            sweep(pool, laterNs + Liveness.SILENCE_NS + 1);
            await().until(() -> upstream.pings() >= 2);
            sweep(pool, laterNs + Liveness.SILENCE_NS + Liveness.ANSWER_NS + 2);
            assertThat(told).extracting(CallRecorder::said).containsOnly(" broken CLOSED_UNUSED");
            await().until(() -> upstream.openConnections() == 0);
        }
    }

    @Test
    void whatIsGoneFromTheConfigurationEndsBehindItsCalls() throws Exception {
        try (var upstream = Http2Mock.start(request -> {})) {
            UpstreamPool pool = pool(upstream.port(), null, Upstream.Http.Version.HTTP_2, 100);
            var calls = new Calls();
            onLoop(() -> calls.acquire(pool, 2));
            await().until(() -> calls.calls.size() == 2);
            onLoop(pool::close);
            onLoop(() -> calls.calls.get(0).release(0));
            assertThat(calls.connection(0).channel().isActive()).isTrue();
            onLoop(() -> calls.calls.get(1).abort());
            await().until(() -> upstream.openConnections() == 0);
        }
    }

    /** The upstream did not look at the request. It and all later ones go over HTTP/1.1; what is in progress ends as usual. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void upstreamThatRequiresHttp11GetsIt(boolean reset) throws Exception {
        var count = new AtomicInteger();
        try (var upstream = Http2Mock.start(server("h2", "http/1.1"), request -> {
            if (count.getAndIncrement() == 0) {
                request.stream();
            } else if (reset) {
                request.reset(Http2Error.HTTP_1_1_REQUIRED);
            } else {
                request.connection().goAway(request.id() - 2, Http2Error.HTTP_1_1_REQUIRED);
            }
        })) {
            UpstreamPool pool = pool(upstream.port(), tls(Upstream.Http.Version.AUTO), Upstream.Http.Version.AUTO, 100);
            var earlier = new Calls();
            onLoop(() -> earlier.acquire(pool, 1));
            await().until(() -> earlier.calls.size() == 1);
            List<CallRecorder> served = earlier.send();
            await().until(() -> served.get(0).said().contains("200"));
            var refused = new Calls();
            onLoop(() -> refused.acquire(pool, 1));
            List<CallRecorder> told = refused.send();
            await().untilAsserted(() -> assertThat(told.get(0).said()).isEqualTo(" broken STALE"));
            var later = new Calls();
            onLoop(() -> later.acquire(pool, 3));
            await().until(() -> later.calls.size() == 3);
            assertThat(later.calls).allMatch(Http1Call.class::isInstance);
            assertThat(upstream.connections()).hasSize(1);
            upstream.requests().get(0).end();
            await().untilAsserted(() -> assertThat(served.get(0).said()).endsWith(" whole"));
            await().until(() -> upstream.openConnections() == 3);
        }
    }

    /** The configuration says HTTP/2, so nothing else is tried. */
    @Test
    void http11IsNotSpokenWhereHttp2WasAskedFor() throws Exception {
        try (var upstream =
                Http2Mock.start(server("h2", "http/1.1"), request -> request.reset(Http2Error.HTTP_1_1_REQUIRED))) {
            UpstreamPool pool =
                    pool(upstream.port(), tls(Upstream.Http.Version.HTTP_2), Upstream.Http.Version.HTTP_2, 100);
            var calls = new Calls();
            onLoop(() -> calls.acquire(pool, 1));
            await().until(() -> calls.calls.size() == 1);
            List<CallRecorder> told = calls.send();
            await().untilAsserted(() -> assertThat(told.get(0).said()).isEqualTo(" broken CLOSED_UNUSED"));
            onLoop(() -> calls.acquire(pool, 1));
            assertThat(calls.calls.get(1)).isInstanceOf(Http2Call.class);
        }
    }

    private void sweep(UpstreamPool pool, long nowNs) throws Exception {
        onLoop(() -> pool.onSweep(nowNs));
    }

    private void onLoop(Runnable task) throws Exception {
        loop.submit(task).get(5, TimeUnit.SECONDS);
    }

    private UpstreamPool pool(int port, SslContext tls, Upstream.Http.Version version, int maxConnections)
            throws IOException {
        var http = Upstream.Http.DEFAULT.with(h -> h.version = version);
        SslContext http1Tls =
                tls != null && version == Upstream.Http.Version.AUTO ? tls(Upstream.Http.Version.HTTP_1_1) : null;
        var origin = new Origin(
                "up", "localhost", port, tls, http1Tls, maxConnections, TimeUnit.HOURS.toNanos(1), 5_000, http);
        return new UpstreamPool(
                origin, connector, new Sweeper(loop, TimeUnit.HOURS.toNanos(1)), (upstream, tookNs) -> {});
    }

    private SslContext tls(Upstream.Http.Version version) throws IOException {
        contexts.add(UpstreamTls.context(directory.resolve("ca.pem"), version));
        return contexts.get(contexts.size() - 1);
    }

    private static SslContext server(String... protocols) throws Exception {
        X509Bundle certificate = new CertificateBuilder()
                .subject("CN=localhost")
                .addSanDnsName("localhost")
                .buildIssuedBy(authority);
        var builder =
                SslContextBuilder.forServer(certificate.toKeyManagerFactory()).sslProvider(SslProvider.JDK);
        if (protocols.length > 0) {
            builder.applicationProtocolConfig(new ApplicationProtocolConfig(
                    ApplicationProtocolConfig.Protocol.ALPN,
                    ApplicationProtocolConfig.SelectorFailureBehavior.NO_ADVERTISE,
                    ApplicationProtocolConfig.SelectedListenerFailureBehavior.ACCEPT,
                    protocols));
        }
        return builder.build();
    }

    /** Calls as they are given, and why others are not. */
    private final class Calls implements Upstreams.Waiter {
        private final List<UpstreamCall> calls = new ArrayList<>();
        private final List<ConnectFailure> failures = new ArrayList<>();
        private boolean takesUsed = true;

        void acquire(UpstreamPool pool, int count) {
            for (int i = 0; i < count; i++) {
                pool.acquire(this);
            }
        }

        Http2Upstream connection(int call) {
            return ((Http2Call) calls.get(call)).connection();
        }

        List<CallRecorder> send() throws Exception {
            Callable<List<CallRecorder>> sending = () -> {
                var told = new ArrayList<CallRecorder>();
                for (UpstreamCall call : calls) {
                    var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/");
                    request.headers().set("host", "localhost");
                    told.add(new CallRecorder(call, Unpooled.EMPTY_BUFFER.alloc()));
                    call.sendWhole(request, Unpooled.EMPTY_BUFFER, told.get(told.size() - 1));
                }
                return told;
            };
            return loop.submit(sending).get(5, TimeUnit.SECONDS);
        }

        @Override
        public boolean takesUsed() {
            return takesUsed;
        }

        @Override
        public void onCall(UpstreamCall call) {
            calls.add(call);
        }

        @Override
        public void onConnectFailure(ConnectFailure failure) {
            failures.add(failure);
        }
    }
}
