package io.millrace.server.listen;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The connections that wait at a listener until it accepts them. The kernel resets those that wait when it closes. */
final class Backlog {
    private static final Logger LOG = LoggerFactory.getLogger(Backlog.class);
    private static final int MAX_ADDRESS_BYTES = 26;
    private static final int NONE = -1;

    private Backlog() {}

    /** Accepts whoever waits at {@code listener}, and closes it. Then, on its event loop, {@code closed} runs. */
    static void serveAndClose(Channel listener, Runnable closed) {
        Runnable close = () -> listener.close().addListener(done -> closed.run());
        listener.eventLoop().execute(() -> {
            if (listener instanceof EpollServerSocketChannel epoll) {
                accept(epoll);
                close.run();
            } else {
                var accepted = new Accepted();
                listener.pipeline().addFirst(accepted);
                awaitNone(listener, accepted, close);
            }
        });
    }

    /** Each turn of the event loop accepts some by itself. Runs {@code close} after one in which nobody waited. */
    private static void awaitNone(Channel listener, Accepted accepted, Runnable close) {
        int before = accepted.count;
        listener.eventLoop()
                .schedule(
                        () -> {
                            if (accepted.count == before || accepted.count >= Sockets.BACKLOG) {
                                close.run();
                            } else {
                                awaitNone(listener, accepted, close);
                            }
                        },
                        1,
                        TimeUnit.MILLISECONDS);
    }

    /** Counts connections. */
    private static final class Accepted extends ChannelInboundHandlerAdapter {
        private int count;

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object connection) {
            count++;
            ctx.fireChannelRead(connection);
        }
    }

    /** On a busy event loop some have come since it looked last, and between two looks no time may pass. */
    private static void accept(EpollServerSocketChannel listener) {
        if (!listener.isActive()) {
            return;
        }
        var socket = (Socket) listener.fd();
        var address = new byte[MAX_ADDRESS_BYTES];
        try {
            int accepted;
            while ((accepted = socket.accept(address)) != NONE) {
                listener.pipeline().fireChannelRead(new EpollSocketChannel(accepted));
            }
        } catch (IOException e) {
            LOG.warn("some waiting connections cannot be served: {}", e.getMessage());
        }
        listener.pipeline().fireChannelReadComplete();
    }
}
