package io.millrace.server.downstream;

import io.millrace.server.memory.WarmBuffers;
import io.millrace.server.tls.Sealer;
import io.millrace.server.transport.SocketSend;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.handler.ssl.SslHandler;
import org.jspecify.annotations.Nullable;

/**
 * The way of a stream's bytes to one client; the first handler of its pipeline, or the first behind TLS. If they are all
 * that a turn of the event loop writes to a connection, and nothing waits there, they go to the socket at once. Nearly
 * every frame of a stream does so. All other writes go through the pipeline, and the order of both is kept. Confined to
 * the connection's event loop.
 */
final class ClientOutput extends ChannelOutboundHandlerAdapter {
    /** What is written in a turn is gathered in one buffer up to this length. */
    private static final int GATHERED_BYTES = 4 * 1024;

    private final Channel.Unsafe queue;
    private final @Nullable SocketSend socket;
    private final @Nullable Sealer sealer;
    private final boolean direct;
    private final WarmBuffers buffers = WarmBuffers.current();
    private ChannelHandlerContext context;
    private boolean removed;

    /** Was written, and nothing was before it since the last flush. */
    private @Nullable ByteBuf only;

    private boolean gathered;
    private boolean inPipeline;
    /** Whether something may wait in the channel. Only then is that asked of it, because each look costs a cache miss. */
    private boolean mayWait;

    /** For the connection of {@code channel}. If its pipeline has TLS, the handshake is over. */
    @SuppressWarnings("NullAway.Init") // its pipeline sets the context when it is added
    ClientOutput(Channel channel) {
        queue = channel.unsafe();
        socket = SocketSend.of(channel);
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        sealer = tls == null ? null : Sealer.of(tls);
        direct = socket != null && (tls == null || sealer != null);
    }

    ByteBufAllocator alloc() {
        return context.alloc();
    }

    ChannelPromise newPromise() {
        return context.newPromise();
    }

    /** Whether the bytes that wait for the client are below the high watermark. */
    boolean isWritable() {
        if (!mayWait && socket != null) {
            return socket.isOpen();
        }
        var waiting = queue.outboundBuffer();
        return waiting != null && waiting.isWritable();
    }

    /** Whether the kernel did not take everything that was flushed. */
    boolean isBackedUp() {
        if (!mayWait && socket != null) {
            return !socket.isOpen();
        }
        var waiting = queue.outboundBuffer();
        return waiting == null || !waiting.isEmpty();
    }

    /** Writes {@code bytes}, which are taken over, without a flush. */
    void write(ByteBuf bytes) {
        if (removed) {
            bytes.release();
        } else if (inPipeline || !direct) {
            pipe(bytes, context.voidPromise());
        } else if (only == null) {
            only = bytes;
        } else if (only.readableBytes() + bytes.readableBytes() <= GATHERED_BYTES) {
            gather(only, bytes);
        } else {
            pipe(bytes, context.voidPromise());
        }
    }

    /** Writes {@code bytes}, which are taken over, without a flush. The kernel's taking them completes {@code taken}. */
    void write(ByteBuf bytes, ChannelPromise taken) {
        pipe(bytes, taken);
    }

    /**
     * Flushes what was written.
     *
     * @return whether the kernel took it all at once, and nothing waits
     */
    boolean flush() {
        ByteBuf bytes = only;
        if (bytes != null && socket != null && isFree(socket)) {
            only = null;
            gathered = false;
            return sealer == null ? send(socket, bytes) : send(socket, sealer, bytes);
        }
        flush(context);
        return false;
    }

    /** TLS may have sent something of its own, which waits. */
    private boolean isFree(SocketSend to) {
        if ((mayWait || sealer != null) && !to.isIdle()) {
            return false;
        }
        mayWait = false;
        return to.isOpen();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        removed = true;
        if (only != null) {
            only.release();
            only = null;
        }
    }

    @Override
    public void write(ChannelHandlerContext ctx, Object msg, ChannelPromise promise) {
        pipe(msg, promise);
    }

    @Override
    public void flush(ChannelHandlerContext ctx) {
        pipeOnly();
        inPipeline = false;
        ctx.flush();
    }

    @Override
    public void close(ChannelHandlerContext ctx, ChannelPromise promise) {
        pipeOnly();
        ctx.close(promise);
    }

    private void pipe(Object msg, ChannelPromise promise) {
        pipeOnly();
        inPipeline = true;
        mayWait = true;
        context.write(msg, promise);
    }

    private void pipeOnly() {
        ByteBuf bytes = only;
        if (bytes != null) {
            only = null;
            gathered = false;
            inPipeline = true;
            mayWait = true;
            context.write(bytes, context.voidPromise());
        }
    }

    /** Copies a few bytes: one write of one buffer costs less than one of several. */
    private void gather(ByteBuf first, ByteBuf next) {
        ByteBuf all = first;
        if (!gathered) {
            all = context.alloc().ioBuffer(GATHERED_BYTES).writeBytes(first);
            first.release();
            only = all;
            gathered = true;
        }
        all.writeBytes(next);
        next.release();
    }

    private boolean send(SocketSend to, ByteBuf bytes) {
        if (to.offer(bytes)) {
            buffers.giveBack(bytes);
            return true;
        }
        return pass(bytes);
    }

    private boolean send(SocketSend to, Sealer seals, ByteBuf bytes) {
        ByteBuf sealed = seals.seal(bytes, context.alloc());
        boolean taken = sealed == null || to.offer(sealed);
        if (sealed != null && taken) {
            buffers.giveBack(sealed);
        } else if (sealed != null) {
            mayWait = true;
            to.queue(sealed);
        }
        if (!bytes.isReadable()) {
            buffers.giveBack(bytes);
            return taken;
        }
        return pass(bytes);
    }

    private boolean pass(ByteBuf bytes) {
        mayWait = true;
        context.write(bytes, context.voidPromise());
        context.flush();
        return false;
    }
}
