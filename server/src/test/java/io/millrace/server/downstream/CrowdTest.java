package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Limits;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.memory.MemoryAccount;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Turns;
import io.millrace.server.transport.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Clients that come all at once leave turns of the event loop to others. */
@Tag("sockets")
class CrowdTest {
    private static final int CLIENTS = 100;
    private static final int REQUESTS_A_TURN = 4;

    private final List<Socket> clients = new ArrayList<>();
    private MultiThreadIoEventLoopGroup loops;
    private Crowd crowd;

    @AfterEach
    void close() throws Exception {
        for (Socket client : clients) {
            client.close();
        }
        assertThat(crowd.gone.await(10, TimeUnit.SECONDS)).isTrue();
        loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    }

    @ParameterizedTest
    @MethodSource("io.millrace.server.test.RelayHarness#transports")
    void othersHaveTheirTurnBetweenAFewRequests(Transport transport) throws Exception {
        loops = transport.newEventLoops(1, "crowd");
        EventLoop loop = loops.next();
        crowd = new Crowd(loop);
        int port = listen(transport);
        var heldUp = new CountDownLatch(1);
        var connected = new CountDownLatch(1);
        loop.execute(() -> {
            heldUp.countDown();
            await(connected);
            crowd.watch();
        });
        await(heldUp);
        byte[] request = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < CLIENTS; i++) {
            var client = new Socket(InetAddress.getLoopbackAddress(), port);
            client.setSoTimeout(10_000);
            client.getOutputStream().write(request);
            clients.add(client);
        }
        connected.countDown();
        for (Socket client : clients) {
            assertThat(client.getInputStream().read()).isEqualTo('H');
        }
        // What is left of a turn behind the task that watches, and then what comes before it in the next turn.
        assertThat(crowd.most).isBetween(1, 2 * REQUESTS_A_TURN);
    }

    private int listen(Transport transport) {
        EventLoop loop = crowd.loop;
        LoopMemory memory = new MemoryAccount(1, new MemoryBudget(1 << 30, 1 << 30)).loop(0);
        var sweeper = new Sweeper(loop, TimeUnit.MILLISECONDS.toNanos(100));
        var turns = new Turns(loop, REQUESTS_A_TURN);
        var shared = new ClientPipeline.Shared(
                transport, crowd, channel -> sweeper, channel -> memory, channel -> turns, RelayConfig::defaults);
        var pipeline = new ClientPipeline(
                Listener.at(new HostAndPort("127.0.0.1", 0)),
                new Admission(() -> 0, () -> Limits.DEFAULT),
                shared,
                null);
        var bound = new ServerBootstrap()
                .group(loops)
                .channel(transport.serverChannel())
                .option(ChannelOption.SO_BACKLOG, CLIENTS)
                .option(ChannelOption.RECVBUF_ALLOCATOR, Transport.ACCEPTS)
                .childHandler(pipeline)
                .bind(InetAddress.getLoopbackAddress(), 0)
                .syncUninterruptibly();
        return ((InetSocketAddress) bound.channel().localAddress()).getPort();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Answers requests, and counts those that begin between two runs of a task. */
    private static final class Crowd implements RequestHandler, RequestListener {
        private final EventLoop loop;
        private int begun;
        private volatile int most;
        private final CountDownLatch gone = new CountDownLatch(CLIENTS);

        Crowd(EventLoop loop) {
            this.loop = loop;
        }

        void watch() {
            most = Math.max(most, begun);
            begun = 0;
            if (!loop.isShuttingDown()) {
                loop.schedule(this::watch, 0, TimeUnit.NANOSECONDS);
            }
        }

        @Override
        public RequestListener onRequest(ClientStream stream, HttpRequest request) {
            begun++;
            stream.respond(200, new byte[2], new DefaultHttpHeaders());
            return this;
        }

        @Override
        public void onConnected(ClientConnection connection) {}

        @Override
        public void onDisconnected(ClientConnection connection) {
            gone.countDown();
        }

        @Override
        public void onRefused(ClientStream stream, HttpRequest request, int status, String code) {}

        @Override
        public void onRequestBody(ByteBuf content) {
            content.release();
        }

        @Override
        public void onRequestEnd() {}

        @Override
        public void onRequestReadComplete() {}

        @Override
        public void onRequestRefused(int status, String code, String message) {}

        @Override
        public void onClientGone(String reason) {}

        @Override
        public void onWritable(boolean writable) {}

        @Override
        public void onSweep(long nowNs) {}
    }
}
