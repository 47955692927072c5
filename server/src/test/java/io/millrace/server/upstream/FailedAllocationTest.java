package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Upstream;
import io.millrace.server.mock.MockConfig;
import io.millrace.server.mock.MockServer;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.transport.Transport;
import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.ReflectiveChannelFactory;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.resolver.DefaultAddressResolverGroup;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("sockets")
class FailedAllocationTest {
    private static final byte[] BODY = "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"
            .getBytes(StandardCharsets.US_ASCII);

    private final Full full = new Full();

    @Test
    void endsOneResponseAndNotTheEventLoop() throws Exception {
        Transport transport = Transport.best();
        var group = transport.newEventLoops(1, "no-memory");
        EventLoop loop = group.next();
        try (var mock = MockServer.start(MockConfig.defaults());
                var connector = new Connector(
                        transport,
                        DefaultAddressResolverGroup.INSTANCE,
                        new ReflectiveChannelFactory<Channel>(transport.clientChannel()))) {
            var origin = new Origin(
                    "up",
                    "127.0.0.1",
                    mock.port(),
                    null,
                    null,
                    9,
                    TimeUnit.HOURS.toNanos(1),
                    2_000,
                    Upstream.Http.DEFAULT);
            var pool = new UpstreamPool(
                    origin, connector, new Sweeper(loop, TimeUnit.HOURS.toNanos(1)), (upstream, tookNs) -> {});
            assertThat(ask(pool, loop, channel -> channel.config().setAllocator(full)))
                    .isEqualTo("broken NO_MEMORY");
            assertThat(ask(pool, loop, channel -> {})).isEqualTo("200 whole");
        } finally {
            group.shutdownGracefully(0, 10, TimeUnit.SECONDS).awaitUninterruptibly();
        }
    }

    /** What comes of a request whose channel is changed once it has left. */
    private static String ask(UpstreamPool pool, EventLoop loop, Consumer<Channel> change) throws Exception {
        var outcome = new CompletableFuture<String>();
        loop.execute(() -> pool.acquireNew(new Upstreams.Waiter() {
            @Override
            public void onCall(UpstreamCall call) {
                call.sendWhole(request(), Unpooled.wrappedBuffer(BODY), new Heard(call, outcome));
                change.accept(((Http1Call) call).connection().channel());
            }

            @Override
            public void onConnectFailure(ConnectFailure failure) {
                outcome.complete(failure.toString());
            }
        }));
        return outcome.get(5, TimeUnit.SECONDS);
    }

    private static HttpRequest request() {
        var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/v1/chat/completions");
        request.headers().set(HttpHeaderNames.HOST, "up").set(HttpHeaderNames.CONTENT_LENGTH, BODY.length);
        return request;
    }

    private static final class Heard implements CallListener {
        private final UpstreamCall call;
        private final CompletableFuture<String> outcome;
        private int status;

        private Heard(UpstreamCall call, CompletableFuture<String> outcome) {
            this.call = call;
            this.outcome = outcome;
        }

        @Override
        public void onHead(HttpResponse head) {
            status = head.status().code();
        }

        @Override
        public void onBody(ByteBuf content) {
            content.release();
        }

        @Override
        public void onBodyEnd() {
            call.release(0);
            outcome.complete(status + " whole");
        }

        @Override
        public void onBroken(Breakage breakage) {
            outcome.complete("broken " + breakage.kind());
        }

        @Override
        public void onReadComplete() {}

        @Override
        public void onUpstreamWritable(boolean writable) {}
    }

    /** Has nothing left. */
    private static final class Full extends AbstractByteBufAllocator {
        private Full() {
            super(true);
        }

        @Override
        protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
            return UnpooledByteBufAllocator.DEFAULT.heapBuffer(initialCapacity, maxCapacity);
        }

        @Override
        protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            throw new OutOfMemoryError("none left");
        }

        @Override
        public boolean isDirectBufferPooled() {
            return false;
        }
    }
}
