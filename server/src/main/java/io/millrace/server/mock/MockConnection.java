package io.millrace.server.mock;

import io.netty.buffer.ByteBufUtil;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import java.io.ByteArrayOutputStream;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** One client connection. It reads requests, one at a time, and notices at once when the client closes. */
final class MockConnection extends ChannelInboundHandlerAdapter {
    private static final int MAX_BODY = 64 << 20;
    private static final int BUFFER_KEPT = 64 * 1024;

    private final MockServer server;
    private final MockRoutes routes;
    private final MockCounters counters;
    private ByteArrayOutputStream body = new ByteArrayOutputStream();

    private boolean bodyTooLarge;
    private @Nullable HttpRequest head;
    private @Nullable MockRequest request;
    private @Nullable MockExchange exchange;

    MockConnection(MockServer server, MockRoutes routes, MockCounters counters) {
        this.server = server;
        this.routes = routes;
        this.counters = counters;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        counters.open.increment();
        counters.connections.increment();
        if (routes.defaults().flag(SpecKey.CLOSE_ON_ACCEPT)) {
            ctx.close();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        counters.open.decrement();
        boolean byPeer = !server.isClosing() && (exchange == null || !exchange.isClosing());
        if (request != null && byPeer) {
            request.closedNs().set(System.nanoTime());
        }
        if (exchange != null) {
            exchange.onClosed(byPeer);
            exchange = null;
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        try {
            if (message instanceof HttpRequest received) {
                readHead(ctx, received);
            }
            if (message instanceof HttpContent content && head != null) {
                readBody(ctx, head, content);
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (exchange != null) {
            exchange.pump();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close(); // a reset by the peer, or bytes that are not TLS; channelInactive counts it
    }

    private void readHead(ChannelHandlerContext ctx, HttpRequest received) {
        if (exchange != null || received.decoderResult().isFailure()) {
            ctx.close(); // pipelined or not HTTP; no test of this mock should send it
            return;
        }
        head = received;
        resetBody();
        if (HttpUtil.is100ContinueExpected(received)) {
            ctx.writeAndFlush(ByteBufUtil.writeUtf8(ctx.alloc(), "HTTP/1.1 100 Continue\r\n\r\n"), ctx.voidPromise());
        }
    }

    private void readBody(ChannelHandlerContext ctx, HttpRequest begun, HttpContent content) {
        if (content.content().readableBytes() > MAX_BODY - body.size()) {
            resetBody();
            bodyTooLarge = true;
        }
        if (!bodyTooLarge) {
            byte[] bytes = ByteBufUtil.getBytes(content.content());
            body.write(bytes, 0, bytes.length);
        }
        if (content instanceof LastHttpContent) {
            head = null;
            answer(ctx, begun);
        }
    }

    /** Releases the buffer of a large body, so that small bodies after it do not keep it. */
    private void resetBody() {
        bodyTooLarge = false;
        if (body.size() > BUFFER_KEPT) {
            body = new ByteArrayOutputStream();
        }
        body.reset();
    }

    private void answer(ChannelHandlerContext ctx, HttpRequest complete) {
        request = new MockRequest(
                counters.requests.incrementAndGet(),
                ctx.channel().id().asShortText(),
                complete.method().name(),
                complete.uri(),
                complete.headers(),
                body.toByteArray(),
                new AtomicLong());
        boolean tooLarge = bodyTooLarge;
        resetBody();
        server.record(request);
        var routed = tooLarge ? routes.tooLarge(request) : routes.route(request);
        boolean chunks = complete.protocolVersion().isKeepAliveDefault(); // HTTP/1.0 has no chunked coding
        exchange = new MockExchange(
                ctx,
                chunks ? routed.spec() : routed.spec().with("chunk=none"),
                routed.reply(),
                HttpUtil.isKeepAlive(complete),
                request.number(),
                counters,
                () -> exchange = null);
        exchange.start();
    }
}
