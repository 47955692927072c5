package io.millrace.server.tls;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last handler of a connection until its handshake is over. Its states: waiting for a place, unread meanwhile; in
 * progress; over. It ends a handshake that takes too long or fails, and counts the reason. Confined to the connection's
 * event loop.
 */
final class HandshakeHandler extends ChannelInboundHandlerAdapter implements Handshakes.Waiting {
    private static final Logger LOG = LoggerFactory.getLogger(HandshakeHandler.class);

    private final Handshakes handshakes;
    private final ServerTls.Listener listener;
    private final long timeoutNs;
    private @Nullable ChannelHandlerContext context;
    private @Nullable ScheduledFuture<?> timeout;
    private ServerTls.@Nullable Begun begun;
    private boolean waiting;
    private boolean over;

    HandshakeHandler(Handshakes handshakes, long timeoutNs, ServerTls.Listener listener) {
        this.handshakes = handshakes;
        this.timeoutNs = timeoutNs;
        this.listener = listener;
    }

    /** The ClientHello was read. */
    void begin(ServerTls.Begun next) {
        begun = next;
    }

    /** The handshake has failed. The caller closes the connection. */
    void fail(HandshakeFailure reason) {
        if (!over) {
            end();
            handshakes.failed(reason);
        }
    }

    /** Whether it has no place yet. */
    boolean isWaiting() {
        return waiting;
    }

    @Override
    public void onPlace() {
        ChannelHandlerContext ctx = Objects.requireNonNull(context);
        ctx.executor().execute(() -> resume(ctx));
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        limitTime(ctx);
        waiting = !handshakes.begin(this);
        if (waiting) {
            ctx.channel().config().setAutoRead(false);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        fail(HandshakeFailure.CLOSED);
    }

    private void resume(ChannelHandlerContext ctx) {
        if (over) {
            handshakes.end();
            return;
        }
        waiting = false;
        limitTime(ctx);
        ctx.channel().config().setAutoRead(true);
        ctx.pipeline().fireChannelRead(Unpooled.EMPTY_BUFFER); // has what came behind a PROXY head decoded
    }

    private void limitTime(ChannelHandlerContext ctx) {
        if (timeout != null) {
            timeout.cancel(false);
        }
        timeout = ctx.executor().schedule(() -> onTimeout(ctx), timeoutNs, TimeUnit.NANOSECONDS);
    }

    private void onTimeout(ChannelHandlerContext ctx) {
        fail(waiting ? HandshakeFailure.LIMIT : HandshakeFailure.TIMEOUT);
        ctx.close();
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof SslHandshakeCompletionEvent completion && !over) {
            if (completion.isSuccess() && begun != null) {
                onSuccess(ctx, begun);
            } else {
                HandshakeFailure reason = HandshakeFailure.of(completion.cause());
                log(ctx, reason, completion.cause());
                fail(reason);
            }
        }
    }

    /** Data that is not TLS may be a request with its key, and Netty's exception contains it. */
    private static void log(ChannelHandlerContext ctx, HandshakeFailure reason, Throwable cause) {
        String detail = reason == HandshakeFailure.NOT_TLS ? "" : ", " + cause.getMessage();
        LOG.debug("[{}] handshake failed: {}{}", ctx.channel().id(), reason.label(), detail);
    }

    private void onSuccess(ChannelHandlerContext ctx, ServerTls.Begun handshake) {
        end();
        ctx.pipeline().remove(this);
        listener.onSecure(ctx.channel(), handshake.secured());
    }

    private void end() {
        over = true;
        if (waiting) {
            handshakes.leave(this); // a place that is on its way is given back when it arrives
        } else {
            handshakes.end();
        }
        if (timeout != null) {
            timeout.cancel(false);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        ReferenceCountUtil.release(msg);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(HandshakeFailure.of(cause));
        ctx.close();
    }
}
