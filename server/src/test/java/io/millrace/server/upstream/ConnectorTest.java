package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.RelayConfig;
import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.transport.Transport;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFactory;
import io.netty.channel.EventLoop;
import io.netty.resolver.AddressResolver;
import io.netty.resolver.AddressResolverGroup;
import io.netty.resolver.InetNameResolver;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.Promise;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("sockets")
class ConnectorTest {
    /** Loopback addresses on which nothing listens: the mock has one address only. */
    private static final List<String> DEAD = List.of("127.0.0.2", "127.0.0.3");

    @Test
    void triesEveryAddressUntilOneAnswers() throws Exception {
        assertThat(connect(List.of("127.0.0.2", "127.0.0.3", "127.0.0.1"), 1)).isEqualTo("/127.0.0.1");
        assertThat(connect(List.of("127.0.0.1", "127.0.0.2"), 1)).isEqualTo("/127.0.0.1");
    }

    @Test
    void saysWhyNoneAnswered() throws Exception {
        assertThat(connect(DEAD, 1)).isEqualTo("cannot connect to up: connection refused");
        assertThat(connect(List.of(), 1)).isEqualTo("cannot connect to up: the name of its host does not resolve");
    }

    @Test
    void opensNoMoreConnectionsThanAllowed() throws Exception {
        assertThat(connect(List.of("127.0.0.1"), 0)).isEqualTo("all 0 connections to up are busy");
    }

    @Test
    void tellsItsOwnShortageOnItsOwnLoop() throws Exception {
        ChannelFactory<Channel> none = () -> {
            throw new ChannelException("no channel", new IOException("Too many open files"));
        };
        Transport transport = Transport.best();
        var group = transport.newEventLoops(1, "connector-test");
        try (var connector = new Connector(transport, new FixedAddresses(List.of("127.0.0.1")), none)) {
            EventLoop loop = group.next();
            var origin = new Origin("up", "up.example", 9, null, null, 2, 1_000_000_000L, 2_000, Upstream.Http.DEFAULT);
            var pool = new UpstreamPool(origin, connector, new Sweeper(loop, 1_000_000L), (upstream, tookNs) -> {});
            for (int i = 0; i < 5; i++) {
                var failed = new CompletableFuture<ConnectFailure>();
                loop.execute(() -> pool.acquire(new Upstreams.Waiter() {
                    @Override
                    public void onCall(UpstreamCall call) {
                        failed.completeExceptionally(new AssertionError("a connection without a channel"));
                    }

                    @Override
                    public void onConnectFailure(ConnectFailure failure) {
                        assertThat(loop.inEventLoop()).isTrue();
                        failed.complete(failure);
                    }
                }));
                ConnectFailure failure = failed.get(5, TimeUnit.SECONDS);
                assertThat(failure.kind()).isEqualTo(ConnectFailure.Kind.OWN);
                assertThat(failure.detail()).isEqualTo("the relay could open no connection to up");
            }
        } finally {
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "::1"})
    void reachesLocalhostOnBothLoopbacks(String address) throws Exception {
        try (var listener = new ServerSocket(0, 5, InetAddress.getByName(address))) {
            var upstream = URI.create("http://localhost:" + listener.getLocalPort());
            var answering = new Thread(() -> {
                try (Socket socket = listener.accept()) {
                    socket.getInputStream().read();
                    socket.getOutputStream()
                            .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                                    .getBytes(StandardCharsets.US_ASCII));
                    socket.getInputStream().readAllBytes();
                } catch (IOException e) {
                    // The relay closes.
                }
            });
            answering.setDaemon(true);
            answering.start();
            try (var harness = RelayHarness.start(
                            config -> RelayConfig.relayTo(upstream).with(c -> c.accessLog = config.accessLog()));
                    var client = harness.client()) {
                client.send("GET", "/v1/models", "");
                assertThat(client.readAll().text()).isEqualTo("ok");
            }
        }
    }

    /** The address connected to, or the reason why there is none. */
    private static String connect(List<String> addresses, int maxConnections) throws Exception {
        Transport transport = Transport.best();
        var group = transport.newEventLoops(1, "connector-test");
        try (var mock = MockServer.start(MockConfig.defaults());
                var connector = new Connector(transport, new FixedAddresses(addresses))) {
            EventLoop loop = group.next();
            var origin = new Origin(
                    "up",
                    "up.example",
                    mock.port(),
                    null,
                    null,
                    maxConnections,
                    1_000_000_000L,
                    2_000,
                    Upstream.Http.DEFAULT);
            var result = new CompletableFuture<String>();
            loop.execute(() -> new UpstreamPool(
                            origin, connector, new Sweeper(loop, 1_000_000L), (upstream, tookNs) -> {})
                    .acquire(new Upstreams.Waiter() {
                        @Override
                        public void onCall(UpstreamCall call) {
                            var remote = (InetSocketAddress)
                                    ((Http1Call) call).connection().channel().remoteAddress();
                            call.abort();
                            result.complete("/" + remote.getAddress().getHostAddress());
                        }

                        @Override
                        public void onConnectFailure(ConnectFailure failure) {
                            result.complete(failure.detail());
                        }
                    }));
            return result.get(5, TimeUnit.SECONDS);
        } finally {
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    /** Resolves every name to the same addresses. */
    private static final class FixedAddresses extends AddressResolverGroup<InetSocketAddress> {
        private final List<String> addresses;

        FixedAddresses(List<String> addresses) {
            this.addresses = addresses;
        }

        @Override
        protected AddressResolver<InetSocketAddress> newResolver(EventExecutor executor) {
            return new InetNameResolver(executor) {
                @Override
                protected void doResolve(String name, Promise<InetAddress> promise) {
                    throw new UnsupportedOperationException("only all addresses are asked for");
                }

                @Override
                protected void doResolveAll(String name, Promise<List<InetAddress>> promise) throws Exception {
                    if (addresses.isEmpty()) {
                        promise.setFailure(new UnknownHostException(name));
                        return;
                    }
                    var resolved = new ArrayList<InetAddress>();
                    for (String address : addresses) {
                        resolved.add(InetAddress.getByName(address));
                    }
                    promise.setSuccess(resolved);
                }
            }.asAddressResolver();
        }
    }
}
