package io.millrace.server.address;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the PROXY head of a connection, before TLS and HTTP. Until then it is the only handler of the connection. It
 * closes a connection that sends something else, or no complete head within three seconds.
 */
public final class ProxyHeadHandler extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ProxyHeadHandler.class);
    private static final long LIMIT_MS = 3_000;

    private final Consumer<Channel> open;
    private @Nullable ByteBuf read;
    private @Nullable Future<?> limit;

    /**
     * For one connection.
     *
     * @param open adds the handlers of the connection behind this one, once {@link ClientAddress#of(Channel)} gives what the
     *     head says. They are told then that the connection is active, and get what follows the head
     */
    public ProxyHeadHandler(Consumer<Channel> open) {
        this.open = open;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        limit = ctx.executor().schedule(() -> tooLate(ctx), LIMIT_MS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        if (limit != null) {
            limit.cancel(false);
        }
        if (read != null) {
            read.release();
            read = null;
        }
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        // Not passed on yet, because the connection may be refused for the address in its head.
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        if (!(msg instanceof ByteBuf bytes)) {
            ctx.fireChannelRead(msg);
            return;
        }
        ByteBuf all = read == null ? ctx.alloc().buffer(bytes.readableBytes()) : read;
        read = all;
        all.writeBytes(bytes);
        bytes.release();
        try {
            ProxyHead head = ProxyHead.read(all);
            if (head != null) {
                read = null;
                goOn(ctx, head, all);
            }
        } catch (ProxyHead.Malformed e) {
            LOG.warn("a connection from {} is closed: {}", text(ctx), e.getMessage());
            ctx.close();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        // The handlers after this one are told when they exist.
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        ctx.close();
    }

    private void goOn(ChannelHandlerContext ctx, ProxyHead head, ByteBuf all) {
        if (head.source() != null) {
            ClientAddress.proxied(ctx.channel(), head.source());
        }
        all.skipBytes(head.length());
        open.accept(ctx.channel());
        ctx.fireChannelActive();
        if (all.isReadable()) {
            ctx.fireChannelRead(all);
        } else {
            all.release();
        }
        ctx.pipeline().remove(this);
    }

    private void tooLate(ChannelHandlerContext ctx) {
        LOG.warn("a connection from {} is closed: no PROXY head came in time", text(ctx));
        ctx.close();
    }

    private static String text(ChannelHandlerContext ctx) {
        return ClientAddress.text(ClientAddress.peer(ctx.channel()));
    }
}
