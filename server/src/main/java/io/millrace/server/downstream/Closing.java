package io.millrace.server.downstream;

import io.millrace.server.timing.Closers;
import io.netty.channel.Channel;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.ssl.SslHandler;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The ways to close a client's connection. */
final class Closing {
    private static final Logger LOG = LoggerFactory.getLogger(Closing.class);
    /** How long an upload is read that nobody needs. */
    static final long UPLOAD_MS = 1_000;
    /** How long a client has to take the last frames and to give back their windows. */
    static final long LAST_FRAMES_MS = 5_000;
    /** How long the last frame of a cut body has to reach the client before the reset. */
    private static final long RESET_DELAY_MS = 50;

    private Closing() {}

    /** Closes at once. The client sees a reset. */
    static void withReset(Channel channel) {
        if (channel.isActive()) {
            try {
                channel.config().setOption(ChannelOption.SO_LINGER, 0);
            } catch (ChannelException e) {
                LOG.debug("[{}] closing without a reset", channel.id(), e);
            }
        }
        // Bypasses TLS, whose close_notify (RFC 8446 section 6.1) would say that everything was sent. A client that
        // takes nothing would not take it either.
        ChannelHandlerContext tls = channel.pipeline().context(SslHandler.class);
        if (tls == null) {
            channel.close();
        } else {
            tls.close();
        }
    }

    /** Closes after {@code written}, the last bytes for the client, on a connection whose input was read to its end. */
    static void behind(ChannelFuture written) {
        written.addListener(ChannelFutureListener.CLOSE);
    }

    /** Runs {@code reset} when the client has had time to take {@code written}. */
    static void soonBehind(ChannelPromise written, Runnable reset) {
        EventLoop loop = written.channel().eventLoop();
        written.addListener(done -> loop.schedule(reset, RESET_DELAY_MS, TimeUnit.MILLISECONDS));
    }

    private static void endOutput(DuplexChannel channel) {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        if (tls == null) {
            channel.shutdownOutput();
        } else {
            tls.closeOutbound().addListener(said -> channel.shutdownOutput());
        }
    }

    /**
     * Closes after {@code written} while the client may still be sending. A close with unread bytes makes the kernel
     * send a reset, which can destroy what was written. So these bytes are read first, until the client closes or {@code lingerMs} have passed.
     */
    static void lingering(ChannelFuture written, long lingerMs) {
        Channel channel = written.channel();
        channel.config().setAutoRead(true);
        written.addListener(done -> {
            if (channel instanceof DuplexChannel duplex && channel.isActive()) {
                endOutput(duplex);
            }
            Closers.closeAfter(channel, lingerMs);
        });
    }
}
