package io.millrace.server.tls;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.AbstractSniHandler;
import io.netty.util.concurrent.Future;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads the ClientHello, and replaces itself by the handler of the certificate that the client asks for. It closes a
 * connection whose ClientHello is too long, or offers no protocol that is allowed here. It does nothing while the
 * handshake waits for a place.
 */
final class HelloHandler extends AbstractSniHandler<Void> {
    /** The most bytes of a ClientHello. Those of browsers have 2 KiB. */
    static final int MOST_BYTES = 16 * 1024;

    /** The same with the heads of its records. */
    private static final int MOST_BUFFERED = 2 * MOST_BYTES;

    /** A fatal alert in a record of its own: no_application_protocol. */
    private static final byte[] NO_PROTOCOL = {21, 3, 3, 0, 2, 2, 120};

    private final ServerTls tls;
    private final HandshakeHandler handshake;
    private boolean refused;

    HelloHandler(ServerTls tls, HandshakeHandler handshake) {
        super(MOST_BYTES, 0);
        this.tls = tls;
        this.handshake = handshake;
    }

    @Override
    protected void decode(ChannelHandlerContext ctx, ByteBuf in, List<Object> out) throws Exception {
        if (handshake.isWaiting()) {
            return;
        }
        if (refused) {
            in.skipBytes(in.readableBytes());
            return;
        }
        super.decode(ctx, in, out);
        if (!ctx.isRemoved() && !refused && in.readableBytes() > MOST_BUFFERED) {
            refused = true;
            handshake.fail(HandshakeFailure.HELLO);
            ctx.close();
        }
    }

    @Override
    protected Future<Void> lookup(ChannelHandlerContext ctx, @Nullable ByteBuf hello) throws Exception {
        refused = hello != null && !ClientHello.speaksOneOf(hello, tls.protocols());
        return super.lookup(ctx, hello);
    }

    @Override
    protected Future<Void> lookup(ChannelHandlerContext ctx, @Nullable String name) {
        return ctx.executor().newSucceededFuture(null);
    }

    @Override
    protected void onLookupComplete(ChannelHandlerContext ctx, @Nullable String name, Future<Void> done) {
        if (refused) {
            handshake.fail(HandshakeFailure.PROTOCOL);
            ctx.writeAndFlush(Unpooled.wrappedBuffer(NO_PROTOCOL)).addListener(ChannelFutureListener.CLOSE);
        } else {
            ServerTls.Begun begun = tls.begin(name, ctx.alloc());
            handshake.begin(begun);
            ctx.pipeline().replace(this, null, begun.handler());
        }
    }
}
