package io.millrace.server.downstream;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.util.ReferenceCountUtil;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Bytes to a client by either way: past its pipeline, and through it. */
@Tag("sockets")
class ClientOutputTest {
    private enum Way {
        PLAIN(null, false),
        BORING_SSL(SslProvider.OPENSSL_REFCNT, false),
        JDK_TLS(SslProvider.JDK, false),
        NIO(null, true);

        final SslProvider tls;
        final boolean nio;

        Way(SslProvider tls, boolean nio) {
            this.tls = tls;
            this.nio = nio;
        }

        boolean passesPipeline() {
            return this == PLAIN || this == BORING_SSL;
        }
    }

    private final List<EventLoopGroup> groups = new ArrayList<>();
    private final Seen seen = new Seen();
    private SslContext tls;
    private Channel client;
    private Channel served;
    private ClientOutput output;

    /** Counts what passes between the output and the socket. */
    private static final class Seen extends ChannelOutboundHandlerAdapter {
        final AtomicInteger writes = new AtomicInteger();

        @Override
        public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise) {
            writes.incrementAndGet();
            ctx.write(msg, promise);
        }
    }

    /** Keeps what a client gets. */
    @ChannelHandler.Sharable
    private static final class Got extends ChannelInboundHandlerAdapter {
        final ByteBuf all = Unpooled.buffer();
        volatile int length;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            var bytes = (ByteBuf) msg;
            all.writeBytes(bytes);
            length = all.readableBytes();
            bytes.release();
        }
    }

    private final Got got = new Got();

    @AfterEach
    void close() throws Exception {
        if (client != null) {
            client.close().sync();
            served.close().sync();
        }
        for (EventLoopGroup group : groups) {
            group.shutdownGracefully(0, 5, SECONDS).sync();
        }
        ReferenceCountUtil.release(tls);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void theOnlyWriteOfATurnPassesThePipelineByWhereItCan(Way way) throws Exception {
        open(way);
        int before = seen.writes.get();

        boolean taken = onLoop(() -> {
            output.write(bytes("data: a\n\n"));
            return output.flush();
        });

        until(() -> got("data: a\n\n"));
        assertThat(taken).isEqualTo(way.passesPipeline());
        assertThat(seen.writes.get() - before).isEqualTo(way.passesPipeline() ? 0 : 1);
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void fewBytesOfATurnLeaveTogether(Way way) throws Exception {
        open(way);

        boolean taken = onLoop(() -> {
            for (String part : List.of("a", "b", "c")) {
                output.write(bytes(part));
            }
            return output.flush();
        });

        until(() -> got("abc"));
        assertThat(taken).isEqualTo(way.passesPipeline());
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void writesOfOtherHandlersKeepTheirPlace(Way way) throws Exception {
        open(way);

        onLoop(() -> {
            output.write(bytes("1"));
            served.write(bytes("2"));
            output.write(bytes("3"));
            served.writeAndFlush(bytes("4"));
            output.write(bytes("5"));
            served.write(bytes("6"));
            output.flush();
            served.write(bytes("7"));
            output.write(bytes("8"), output.newPromise());
            return output.flush();
        });

        until(() -> got("12345678"));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void allComesInOrderWhateverTheSizes(Way way) throws Exception {
        open(way);
        var random = new Random(7);
        ByteBuf sent = Unpooled.buffer();

        for (int turn = 0; turn < 300; turn++) {
            onLoop(() -> {
                for (int i = random.nextInt(4); i >= 0; i--) {
                    var part = new byte[1 + random.nextInt(random.nextInt(10) == 0 ? 100_000 : 500)];
                    random.nextBytes(part);
                    sent.writeBytes(part);
                    ByteBuf buffer = output.alloc().directBuffer(part.length).writeBytes(part);
                    switch (random.nextInt(8)) {
                        case 0 -> served.write(buffer);
                        case 1 -> output.write(buffer, output.newPromise());
                        default -> output.write(buffer);
                    }
                }
                return output.flush();
            });
        }

        until(() -> got.length == sent.readableBytes());
        assertThat(onLoopOf(client, () -> got.all.equals(sent))).isTrue();
    }

    /** A client that reads nothing leaves the kernel's buffers full in the middle of a write. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void whatTheKernelDoesNotTakeWaits(Way way) throws Exception {
        open(way);
        client.config().setAutoRead(false);
        ByteBuf sent = Unpooled.buffer();
        var part = new byte[10_000];
        for (boolean full = false; !full; ) {
            new Random(sent.readableBytes()).nextBytes(part);
            sent.writeBytes(part);
            full = onLoop(() -> {
                output.write(output.alloc().directBuffer(part.length).writeBytes(part));
                output.flush();
                return output.isBackedUp();
            });
        }
        assertThat(onLoop(() -> {
                    output.write(bytes("the last"));
                    return output.flush();
                }))
                .isFalse();
        sent.writeBytes("the last".getBytes(US_ASCII));

        client.config().setAutoRead(true);

        until(() -> got.length == sent.readableBytes());
        assertThat(onLoopOf(client, () -> got.all.equals(sent))).isTrue();
        until(() -> onLoop(() -> !output.isBackedUp() && output.isWritable()));
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatWasWrittenBeforeACloseArrives(Way way) throws Exception {
        open(way);

        onLoop(() -> {
            output.write(bytes("end"));
            served.flush();
            output.write(bytes("dropped"));
            return served.close();
        });

        client.closeFuture().sync();
        assertThat(got("end")).isTrue();
    }

    @ParameterizedTest
    @EnumSource(Way.class)
    void whatIsWrittenToAClosedConnectionIsReleased(Way way) throws Exception {
        open(way);
        ByteBuf before = bytes("before");
        ByteBuf after = bytes("after");
        onLoop(() -> {
            output.write(before);
            served.unsafe().close(served.unsafe().voidPromise());
            return null;
        });
        served.closeFuture().sync();

        onLoop(() -> {
            output.write(after);
            output.flush();
            return null;
        });

        until(() -> before.refCnt() == 0 && after.refCnt() == 0);
    }

    /** The socket is broken before the relay has been told. */
    @ParameterizedTest
    @EnumSource(Way.class)
    void aWriteToAClientThatIsGoneClosesTheConnection(Way way) throws Exception {
        open(way);
        onLoop(() -> served.config().setAutoRead(false));
        client.config().setOption(ChannelOption.SO_LINGER, 0);
        client.close().sync();

        until(() -> onLoop(() -> {
            output.write(bytes("data: a\n\n"));
            output.flush();
            return !served.isOpen();
        }));
    }

    @Test
    void aChannelWithoutASocketGetsAllByItsPipeline() {
        var channel = new EmbeddedChannel();
        ClientOutput embedded = Outputs.first(channel);

        embedded.write(bytes("a"));
        assertThat(embedded.flush()).isFalse();

        ByteBuf out = channel.readOutbound();
        assertThat(out.toString(US_ASCII)).isEqualTo("a");
        out.release();
        channel.finishAndReleaseAll();
    }

    private void open(Way way) throws Exception {
        boolean epoll = !way.nio && Epoll.isAvailable();
        var factory = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(2, factory);
        groups.add(group);
        SslContext clientTls = null;
        if (way.tls != null) {
            assertThat(OpenSsl.isAvailable()).isTrue();
            var certificate = new CertificateBuilder()
                    .subject("CN=localhost")
                    .setIsCertificateAuthority(true)
                    .buildSelfSigned();
            tls = SslContextBuilder.forServer(certificate.toKeyManagerFactory())
                    .sslProvider(way.tls)
                    .build();
            clientTls = SslContextBuilder.forClient()
                    .sslProvider(SslProvider.JDK)
                    .trustManager(InsecureTrustManagerFactory.INSTANCE)
                    .endpointIdentificationAlgorithm(null)
                    .build();
        }
        var accepted = group.next().<Channel>newPromise();
        SslContext secure = tls;
        Channel server = new ServerBootstrap()
                .group(group)
                .channel(epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(seen);
                        if (secure != null) {
                            channel.pipeline().addLast(secure.newHandler(channel.alloc()));
                        }
                        accepted.setSuccess(channel);
                    }
                })
                .bind("127.0.0.1", 0)
                .sync()
                .channel();
        SslContext trusting = clientTls;
        client = new Bootstrap()
                .group(group)
                .channel(epoll ? EpollSocketChannel.class : NioSocketChannel.class)
                .handler(new ChannelInitializer<>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        if (trusting != null) {
                            channel.pipeline().addLast(trusting.newHandler(channel.alloc()));
                        }
                        channel.pipeline().addLast(got);
                    }
                })
                .connect((InetSocketAddress) server.localAddress())
                .sync()
                .channel();
        served = accepted.sync().getNow();
        server.close().sync();
        if (tls != null) {
            served.pipeline().get(SslHandler.class).handshakeFuture().sync();
            client.pipeline().get(SslHandler.class).handshakeFuture().sync();
        }
        output = onLoop(() -> {
            var made = new ClientOutput(served);
            served.pipeline().addLast(made, new ChannelInboundHandlerAdapter() {
                @Override
                public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
                    ctx.close();
                }
            });
            return made;
        });
    }

    private boolean got(String text) throws Exception {
        return onLoopOf(client, () -> got.all.toString(US_ASCII).equals(text));
    }

    private <T> T onLoop(Callable<T> call) throws Exception {
        return onLoopOf(served, call);
    }

    private static <T> T onLoopOf(Channel channel, Callable<T> call) throws Exception {
        return channel.eventLoop().submit(call).get(10, SECONDS);
    }

    private static void until(Callable<Boolean> condition) {
        await().atMost(10, SECONDS).until(condition);
    }

    private static ByteBuf bytes(String text) {
        return Unpooled.directBuffer(text.length()).writeBytes(text.getBytes(US_ASCII));
    }
}
