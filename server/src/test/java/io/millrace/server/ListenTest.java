package io.millrace.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Timeouts;
import io.millrace.server.test.RelayHarness;
import io.millrace.server.transport.Transport;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.uring.IoUringChannelOption;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("sockets")
class ListenTest {
    static List<Transport> transports() {
        return RelayHarness.transports();
    }

    @ParameterizedTest
    @MethodSource("transports")
    void servesOnIpv4OnlyWhereItListensOnThat(Transport transport) throws IOException {
        for (String listen : List.of(":0", "0.0.0.0:0", "127.0.0.1:0")) {
            try (var harness = RelayHarness.start(config -> config.with(
                            c -> c.listeners = Listener.at(List.of(HostAndPort.parse(listen))))
                    .with(c -> c.transport = transport))) {
                assertThat(answers("127.0.0.1", harness.port())).isTrue();
                assertThat(answers("::1", harness.port())).isFalse();
                if (transport == Transport.EPOLL || transport == Transport.NIO) {
                    assertThat(harness.relay.addresses().get(0).getAddress()).isInstanceOf(Inet4Address.class);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void servesOnIpv6WhereItListensOnThat(Transport transport) throws IOException {
        try (var harness = RelayHarness.start(config -> config.with(
                        c -> c.listeners = Listener.at(List.of(HostAndPort.parse("[::1]:0"))))
                .with(c -> c.transport = transport))) {
            assertThat(answers("::1", harness.port())).isTrue();
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void hasTheKernelNoticeThatAPeerHasVanishedOnBothSides(Transport transport) throws Exception {
        var group = transport.newEventLoops(1, "listen-test");
        var accepted = new ArrayBlockingQueue<Channel>(1);
        try {
            var server = new ServerBootstrap()
                    .group(group)
                    .channel(transport.serverChannel())
                    .childHandler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {
                            accepted.add(channel);
                        }
                    });
            transport.watchPeers(server);
            var listener = server.bind(InetAddress.getLoopbackAddress(), 0)
                    .syncUninterruptibly()
                    .channel();
            var client = new Bootstrap()
                    .group(group)
                    .channel(transport.clientChannel())
                    .handler(new ChannelInitializer<Channel>() {
                        @Override
                        protected void initChannel(Channel channel) {}
                    });
            transport.watchPeer(client);
            assertWatched(
                    transport,
                    client.connect(listener.localAddress())
                            .syncUninterruptibly()
                            .channel());
            assertWatched(transport, accepted.poll(5, TimeUnit.SECONDS));
        } finally {
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    /** A client that reads nothing is waited for as long as it was configured, by the kernel too. */
    @ParameterizedTest
    @MethodSource("transports")
    void theKernelWaitsAsLongAsAClientMayStall(Transport transport) throws Exception {
        Channel channel = transport.clientChannel().getDeclaredConstructor().newInstance();
        ChannelOption<Integer> limit = transport == Transport.IO_URING
                ? IoUringChannelOption.TCP_USER_TIMEOUT
                : EpollChannelOption.TCP_USER_TIMEOUT;
        Integer set = transport == Transport.EPOLL || transport == Transport.IO_URING ? 90_000 : null;
        transport.allowStall(channel, Duration.ofSeconds(90));
        assertThat(channel.config().getOption(limit)).isEqualTo(set);
        transport.allowStall(channel, Timeouts.DEFAULT.writeStall());
        assertThat(channel.config().getOption(limit)).as("not less").isEqualTo(set);
        channel.unsafe().closeForcibly();
    }

    private static void assertWatched(Transport transport, Channel channel) {
        assertThat(channel.config().getOption(ChannelOption.SO_KEEPALIVE)).isTrue();
        if (transport == Transport.EPOLL) {
            assertThat(channel.config().getOption(EpollChannelOption.TCP_USER_TIMEOUT))
                    .isEqualTo(25_000);
            assertThat(channel.config().getOption(EpollChannelOption.TCP_KEEPIDLE))
                    .isEqualTo(10);
            assertThat(channel.config().getOption(EpollChannelOption.TCP_KEEPINTVL))
                    .isEqualTo(5);
            assertThat(channel.config().getOption(EpollChannelOption.TCP_KEEPCNT))
                    .isEqualTo(3);
        } else if (transport == Transport.IO_URING) {
            assertThat(channel.config().getOption(IoUringChannelOption.TCP_USER_TIMEOUT))
                    .isEqualTo(25_000);
            assertThat(channel.config().getOption(IoUringChannelOption.TCP_KEEPIDLE))
                    .isEqualTo(10);
        } else if (transport == Transport.NIO) {
            assertThat(channel.config().getOptions().keySet().toString()).contains("TCP_KEEPIDLE");
        }
    }

    /** Whether the relay serves at {@code address}: a connection that is closed at once is none. */
    private static boolean answers(String address, int port) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getByName(address), port), 2000);
            socket.setSoTimeout(5000);
            socket.getOutputStream()
                    .write("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            return socket.getInputStream().read() == 'H';
        } catch (IOException e) {
            return false;
        }
    }
}
