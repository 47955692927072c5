package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Upstream;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.transport.Transport;
import io.netty.channel.EventLoop;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("sockets")
class ConnectTurnTest {
    /**
     * The kernel reports a socket that is not connected as hung up, and the event loop then closes it. So registration
     * and connect must be in one turn of the loop.
     */
    @Test
    void connectsInTheTurnInWhichItIsAsked() throws Exception {
        Transport transport = Transport.EPOLL.isAvailable() ? Transport.EPOLL : Transport.NIO;
        var group = transport.newEventLoops(1, "connect-turn-test");
        try (var listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                var connector = new Connector(transport)) {
            listener.setSoTimeout(5_000);
            EventLoop loop = group.next();
            var origin = new Origin(
                    "up",
                    "127.0.0.1",
                    listener.getLocalPort(),
                    null,
                    null,
                    1,
                    1_000_000_000L,
                    2_000,
                    Upstream.Http.DEFAULT);
            var outcome = new CompletableFuture<String>();
            loop.submit(() -> {
                        new UpstreamPool(origin, connector, new Sweeper(loop, 1_000_000L), (upstream, tookNs) -> {})
                                .acquire(new Outcome(outcome));
                        listener.accept().close();
                        return null;
                    })
                    .get(10, TimeUnit.SECONDS);
            assertThat(outcome.get(5, TimeUnit.SECONDS)).isEqualTo("connected");
        } finally {
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    private record Outcome(CompletableFuture<String> told) implements Upstreams.Waiter {
        @Override
        public void onCall(UpstreamCall call) {
            call.abort();
            told.complete("connected");
        }

        @Override
        public void onConnectFailure(ConnectFailure failure) {
            told.complete(failure.detail());
        }
    }
}
