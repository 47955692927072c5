package io.millrace.server.upstream;

import io.millrace.server.http.HeadWriter;
import io.millrace.server.timing.Turns;
import io.millrace.server.transport.SocketReads;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestEncoder;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One HTTP/1.1 connection to an upstream, kept by a pool; the last handler of its pipeline. It carries one {@link
 * Http1Call} at a time and returns to its pool only after a body that ended cleanly. It closes at any byte that
 * belongs to no response. Confined to its event loop.
 */
final class Http1Connection extends ChannelInboundHandlerAdapter
        implements ChannelFutureListener, UpstreamConnection, SocketReads.Receiver {
    private static final Logger LOG = LoggerFactory.getLogger(Http1Connection.class);
    private static final int HEAD_BYTES = 512;
    /** A body up to this size is copied after the head, which costs less than writing two buffers. */
    private static final int MAX_BODY_COPIED = 16 * 1024;

    private final Owner owner;
    private final ResponseDecoder decoder;
    private final StaleRule stale = new StaleRule();
    private final long openedNs = System.nanoTime();
    private Channel channel;
    /** Writes from this context bypass the encoder. */
    private ChannelHandlerContext encoder;
    /** The response in progress; null if none is expected. */
    private @Nullable Http1Response response;

    private long idleSinceNs;
    private boolean used;
    private boolean reusable = true;
    private boolean readingWanted = true;
    private boolean awaitsTurn;
    private boolean inRead;
    private boolean returning;

    /** The neighbours among the idle connections of the owner. Only the owner sets them. */
    @Nullable
    Http1Connection older;

    @Nullable
    Http1Connection newer;

    /** The owner, to which the connection returns. */
    interface Owner {
        Origin origin();

        /** The queue in which connections with more to read wait for their turn. */
        Turns reads();

        /** The connection is idle. */
        void put(Http1Connection connection);

        /** The connection is closed. It was idle or in use. */
        void onClosed(Http1Connection connection);
    }

    @SuppressWarnings("NullAway.Init") // its pipeline sets channel and encoder when it is added
    Http1Connection(Owner owner, ResponseDecoder decoder) {
        this.owner = owner;
        this.decoder = decoder;
    }

    @Override
    public Channel channel() {
        return channel;
    }

    ResponseDecoder decoder() {
        return decoder;
    }

    /**
     * Whether it has carried a request before. If it then ends before a response, the upstream's idle limit may be the
     * cause.
     */
    boolean used() {
        return used;
    }

    StaleRule stale() {
        return stale;
    }

    long idleSinceNs() {
        return idleSinceNs;
    }

    @Override
    public long openedNs() {
        return openedNs;
    }

    /**
     * Whether a connection was closed before the request that was sent at {@code sentNs} reached the upstream, as far
     * as the timing can tell.
     */
    boolean wasStale(long sentNs, boolean handedOver) {
        return used && stale.wasStale(sentNs, handedOver);
    }

    /**
     * Whether the upstream has closed the connection in an orderly way. With TLS it must have sent close_notify (RFC
     * 8446 section 6.1).
     */
    boolean closedCleanly() {
        SslHandler tls = channel.pipeline().get(SslHandler.class);
        return tls == null || tls.sslCloseFuture().isSuccess();
    }

    /** Expects the response to {@code next}. The response to a HEAD has no body. */
    void expect(Http1Response next, boolean toHead) {
        response = next;
        decoder.expectResponse(toHead);
    }

    /** Writes a whole request without the encoder and without a flush; {@code body} remains with the caller. */
    ChannelPromise writeWhole(HttpRequest request, ByteBuf body) {
        int length = body.readableBytes();
        boolean inOne = length <= MAX_BODY_COPIED;
        ByteBuf out = channel.alloc().ioBuffer(HEAD_BYTES + (inOne ? length : 0));
        HeadWriter.write(request, out);
        if (inOne) {
            out.writeBytes(body, body.readerIndex(), length);
        }
        ChannelPromise written = newWritten();
        encoder.write(out, inOne ? written : encoder.voidPromise());
        if (!inOne) {
            encoder.write(body.retainedDuplicate(), written);
        }
        return written;
    }

    /** Writes a part of a request, without a flush. */
    void write(Object part) {
        channel.write(part, channel.voidPromise());
    }

    /** Writes the last part of a request, without a flush. */
    ChannelPromise writeLast(Object part) {
        ChannelPromise written = newWritten();
        channel.write(part, written);
        return written;
    }

    void flush() {
        channel.flush();
    }

    /** Stops or resumes reading the socket. */
    void reading(boolean on) {
        readingWanted = on;
        channel.config().setAutoRead(on && !awaitsTurn);
    }

    /** Closes at once. The rest of the response is not reported. */
    void close() {
        response = null;
        channel.close();
    }

    /** Closes. The response is told when the connection is closed. */
    void cut() {
        reusable = false;
        channel.close();
    }

    /** Makes the connection close after its request, because it is for one request only. */
    void closeAfterUse() {
        reusable = false;
    }

    /** Returns the connection to the pool, or closes it if no other request may have it. */
    void giveBack() {
        if (reusable && channel.isActive()) {
            reading(true);
            idleSinceNs = System.nanoTime();
            owner.put(this);
        } else {
            channel.close();
        }
    }

    /** The response is over. {@code clean} says whether another one may follow it. */
    void onResponseEnd(boolean clean) {
        response = null;
        used = true;
        reusable &= clean && !decoder.hasLeftover();
        decoder.expectNothing();
        // The rest of this read belongs to no response, and must not reach the next one.
        if (inRead) {
            returning = true;
        } else {
            giveBack();
        }
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        channel = ctx.channel();
        encoder = ctx.pipeline().context(HttpRequestEncoder.class);
    }

    @Override
    public void onBytes(ByteBuf bytes) {
        inRead = true;
        if (response == null) {
            cut();
        } else {
            response.onStreamBytes(bytes);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        inRead = true;
        Http1Response current = response;
        if (current == null) {
            onUnasked(msg);
        } else if (msg instanceof ByteBuf bytes) {
            try {
                current.onStreamBytes(bytes);
            } finally {
                bytes.release();
            }
        } else if (msg instanceof HttpResponse head) {
            current.onHead(head);
        } else if (msg instanceof HttpContent content) {
            current.onContent(content);
        } else {
            ReferenceCountUtil.release(msg);
        }
    }

    /** Skips the empty last content that Netty adds to empty bodies. */
    private void onUnasked(Object msg) {
        boolean harmless =
                msg instanceof HttpContent content && content.decoderResult().isSuccess();
        ReferenceCountUtil.release(msg);
        if (!harmless) {
            cut();
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        var reads = channel.unsafe().recvBufAllocHandle();
        onBytesEnd(reads.lastBytesRead() > 0 && reads.lastBytesRead() == reads.attemptedBytesRead());
    }

    @Override
    public void onBytesEnd(boolean filled) {
        inRead = false;
        if (response != null) {
            response.onReadComplete();
        }
        if (returning) {
            returning = false;
            giveBack();
        }
        if (readingWanted && filled && !owner.reads().take()) {
            awaitTurn();
        }
    }

    private void awaitTurn() {
        if (!awaitsTurn) {
            awaitsTurn = true;
            channel.config().setAutoRead(false);
            owner.reads().later(this::onTurn);
        }
    }

    private void onTurn() {
        awaitsTurn = false;
        if (readingWanted && channel.isActive()) {
            channel.config().setAutoRead(true);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (response != null) {
            response.onWritable(ctx.channel().isWritable());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (isSendFailure(cause)) {
            onSendFailure(cause);
            return;
        }
        Throwable failure = cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause;
        log(failure);
        if (response != null) {
            response.onFailure(failure);
        }
        ctx.close();
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        owner.onClosed(this);
        if (response != null) {
            response.onClosed();
        }
    }

    /** The kernel has the whole request, or cannot take it. */
    @Override
    public void operationComplete(ChannelFuture written) {
        if (!written.isSuccess() && isSendFailure(written.cause())) {
            onSendFailure(written.cause());
        }
    }

    private ChannelPromise newWritten() {
        return channel.newPromise().addListener(this);
    }

    /** A failed write closes the output only, so that what the upstream has sent can still be read. */
    private boolean isSendFailure(Throwable cause) {
        return cause instanceof IOException
                && channel.isActive()
                && channel instanceof DuplexChannel duplex
                && duplex.isOutputShutdown();
    }

    private void onSendFailure(Throwable cause) {
        reusable = false;
        if (response == null) {
            channel.close();
        } else {
            response.onSendFailure(cause);
        }
    }

    private void log(Throwable failure) {
        if (failure instanceof OutOfMemoryError) {
            LOG.debug(
                    "[{}] no memory for what {} sends",
                    channel.id(),
                    owner.origin().name());
        } else if (failure instanceof IOException || failure instanceof DecoderException) {
            LOG.info(
                    "[{}] the connection to {} broke: {}",
                    channel.id(),
                    owner.origin().name(),
                    failure.getMessage());
        } else {
            LOG.warn(
                    "[{}] closing the connection to {}",
                    channel.id(),
                    owner.origin().name(),
                    failure);
        }
    }
}
