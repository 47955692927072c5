package io.millrace.server.downstream;

import io.millrace.server.timing.Closers;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Answers the first request of connections that have no place with 503, and closes them. A connection costs its
 * descriptor and more than 1 KiB of heap until then, so only some may wait for their request. The others are answered
 * before it comes: their client may see a reset in place of the answer.
 */
final class Refusals {
    /** As many as one turn of an event loop accepts. */
    static final int MOST_WAITING = 1024;

    private static final long MAX_WAIT_MS = 5_000;
    private static final byte[] ANSWER = answer();

    private final AtomicInteger waiting = new AtomicInteger();

    private static byte[] answer() {
        String body = "{\"error\":{\"message\":\"The relay has as many clients as it can serve. Try again.\","
                + "\"type\":\"server_error\",\"param\":null,\"code\":\"relay_overloaded\"}}";
        String head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\n"
                + "connection: close\r\ncontent-length: " + body.length() + "\r\n\r\n";
        return (head + body).getBytes(StandardCharsets.US_ASCII);
    }

    /** Refuses a connection without TLS, on its event loop. */
    void refuse(Channel connection) {
        if (waiting.incrementAndGet() > MOST_WAITING) {
            waiting.decrementAndGet();
            answer(connection);
            return;
        }
        connection.closeFuture().addListener(closed -> waiting.decrementAndGet());
        connection.pipeline().addLast(new Wait());
        Closers.closeAfter(connection, MAX_WAIT_MS);
    }

    private static void answer(Channel connection) {
        connection.writeAndFlush(Unpooled.wrappedBuffer(ANSWER)).addListener(ChannelFutureListener.CLOSE);
    }

    /** Waits for the first bytes of the request. */
    private static final class Wait extends ChannelInboundHandlerAdapter {
        private boolean answered;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            ReferenceCountUtil.release(msg);
            if (!answered) {
                answered = true;
                answer(ctx.channel());
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
            ctx.close();
        }
    }
}
