package io.millrace.server.listen;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketReadMode;
import io.netty.channel.unix.FileDescriptor;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The new process's side of the conversation in {@link ControlLines}. */
final class TakingHandler extends ChannelInboundHandlerAdapter {
    private static final int UNKNOWN = -1;

    private final CompletableFuture<InheritedSockets> sockets = new CompletableFuture<>();
    private final CompletableFuture<Void> gone = new CompletableFuture<>();
    private final InheritedSockets taken = new InheritedSockets();
    private final List<String> names = new ArrayList<>();
    private int expected = UNKNOWN;
    private int received;

    /** Completes when all sockets have arrived. */
    CompletableFuture<InheritedSockets> sockets() {
        return sockets;
    }

    /** Completes when the other process accepts no more connections. */
    CompletableFuture<Void> gone() {
        return gone;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        ControlLines.say(ctx.channel(), ControlLines.HELLO);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws IOException {
        if (message instanceof FileDescriptor descriptor) {
            onSocket(ctx, descriptor);
        } else if (message instanceof String line) {
            onLine(ctx, line);
        } else {
            ReferenceCountUtil.release(message);
        }
    }

    private void onLine(ChannelHandlerContext ctx, String line) {
        if (expected == UNKNOWN && line.startsWith(ControlLines.SOCKETS)) {
            expected = Integer.parseInt(line.substring(ControlLines.SOCKETS.length()));
        } else if (expected != UNKNOWN && names.size() < expected) {
            names.add(line);
        } else if (sockets.isDone() && line.equals(ControlLines.GONE)) {
            gone.complete(null);
        } else {
            fail(ctx, "'" + line + "' was not expected");
        }
        if (!sockets.isDone() && names.size() == expected) {
            if (expected == 0) {
                sockets.complete(taken);
            } else {
                // From here on descriptors are read. Nothing else is sent until all have arrived.
                channel(ctx).config().setReadMode(DomainSocketReadMode.FILE_DESCRIPTORS);
            }
            ControlLines.say(ctx.channel(), ControlLines.READY);
        }
    }

    private void onSocket(ChannelHandlerContext ctx, FileDescriptor descriptor) throws IOException {
        if (received == names.size()) {
            descriptor.close();
            fail(ctx, "more sockets than were named");
            return;
        }
        taken.add(names.get(received++), descriptor.intValue());
        if (received == names.size()) {
            channel(ctx).config().setReadMode(DomainSocketReadMode.BYTES);
            sockets.complete(taken);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        fail(ctx, "the process there ended the conversation");
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        fail(ctx, cause.toString());
    }

    private void fail(ChannelHandlerContext ctx, String reason) {
        var failure = new IOException(reason);
        if (sockets.completeExceptionally(failure)) {
            taken.closeLeft();
        }
        gone.completeExceptionally(failure);
        ctx.close();
    }

    private static EpollDomainSocketChannel channel(ChannelHandlerContext ctx) {
        return (EpollDomainSocketChannel) ctx.channel();
    }
}
