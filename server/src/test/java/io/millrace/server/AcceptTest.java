package io.millrace.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.server.transport.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("sockets")
class AcceptTest {
    private static final int WAITING = 100;
    private static final int A_TURN = 16;

    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void thoseThatWaitAreAcceptedManyAtATurn(Transport transport) throws Exception {
        var batches = new LinkedBlockingQueue<Integer>();
        var connected = new CountDownLatch(1);
        var clients = new ArrayList<Socket>();
        EventLoopGroup loop = transport.newEventLoops(1, "accept");
        try {
            var listener = listen(loop, transport, batches);
            var heldUp = new CountDownLatch(1);
            loop.execute(() -> {
                heldUp.countDown();
                await(connected);
            });
            await(heldUp);
            // The kernel completes the handshakes, not the event loop.
            for (int i = 0; i < WAITING; i++) {
                clients.add(new Socket(InetAddress.getLoopbackAddress(), listener.getPort()));
            }
            connected.countDown();
            int accepted = batches.poll(10, TimeUnit.SECONDS);
            assertEquals(A_TURN, accepted);
            while (accepted < WAITING) {
                accepted += batches.poll(10, TimeUnit.SECONDS);
                // A turn that was long accepts a multiple.
                assertTrue(accepted == WAITING || accepted % A_TURN == 0, "accepted: " + accepted);
            }
            assertEquals(WAITING, accepted);
        } finally {
            connected.countDown();
            for (Socket client : clients) {
                client.close();
            }
            loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
        }
    }

    private static InetSocketAddress listen(EventLoopGroup loop, Transport transport, BlockingQueue<Integer> batches) {
        var bound = new ServerBootstrap()
                .group(loop)
                .channel(transport.serverChannel())
                .option(ChannelOption.SO_BACKLOG, WAITING)
                .option(ChannelOption.RECVBUF_ALLOCATOR, Transport.ACCEPTS)
                .handler(new Batches(batches))
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {}
                })
                .bind(InetAddress.getLoopbackAddress(), 0)
                .syncUninterruptibly();
        return (InetSocketAddress) bound.channel().localAddress();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** How many connections each read of the listener brought. */
    private static final class Batches extends ChannelInboundHandlerAdapter {
        private final BlockingQueue<Integer> batches;
        private int accepted;

        Batches(BlockingQueue<Integer> batches) {
            this.batches = batches;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            accepted++;
            ctx.fireChannelRead(msg);
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext ctx) {
            batches.add(accepted);
            accepted = 0;
            ctx.fireChannelReadComplete();
        }
    }
}
