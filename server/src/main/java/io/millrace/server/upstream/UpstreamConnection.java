package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.HeadWriter;
import io.millrace.server.http.ReadListener;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.upstream.CallListener.Breakage;
import io.millrace.server.upstream.CallListener.Breakage.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestEncoder;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection to an upstream: the last handler of its pipeline. Carries one request at a time and goes back to its
 * pool only after a body that ended cleanly; a byte that nobody asked for closes it. Confined to its event loop.
 */
final class UpstreamConnection extends ChannelInboundHandlerAdapter implements UpstreamCall {
    private static final Logger LOG = LoggerFactory.getLogger(UpstreamConnection.class);
    private static final int MAX_INTERIM_RESPONSES = 8;
    private static final int HEAD_BYTES = 512;
    /** How long an upstream that takes no more of a request may take to say why. */
    private static final long ANSWER_LIMIT_MS = 1_000;
    /** A body up to this size is copied behind the head, which costs less than writing two buffers. */
    private static final int MAX_BODY_COPIED = 16 * 1024;

    /** What two machines may take, beside a round trip, to tell that a connection is closed. */
    private static final long STALE_NS = TimeUnit.MILLISECONDS.toNanos(15);
    /** The same while the request is being sent: no upstream acts on a part of it. */
    private static final long STALE_SENDING_NS = TimeUnit.SECONDS.toNanos(1);
    /** A connection whose making took longer has lost a packet. */
    private static final long MAX_ROUND_TRIP_NS = TimeUnit.MILLISECONDS.toNanos(300);

    private final UpstreamPool pool;
    private final ResponseDecoder decoder;
    private ChannelHandlerContext context;
    private ChannelHandlerContext encoderContext;
    private CallListener listener;
    private StreamBody stream;
    private boolean used;
    private boolean sent;
    private long sentNs;
    private boolean responseBegun;
    private boolean plainBodyEnded;
    private boolean requestSent;
    private boolean reusable;
    private boolean inRead;
    private boolean returning;
    private int interimResponses;
    private long roundTripNs;
    private ChannelPromise requestWritten;
    private final ChannelFutureListener onRequestWritten = this::onRequestWritten;
    private boolean readingWanted = true;
    private boolean goingOn;
    private boolean awaitsTurn;
    private boolean gone;
    private int inflating;
    private ScheduledFuture<?> drainLimit;
    private boolean endsWithConnection;
    private Throwable failure;
    /** Why the request could not be sent to its end; the answer may be there all the same. */
    private Throwable sendFailure;

    private ScheduledFuture<?> answerLimit;
    private final long openedNs = System.nanoTime();
    private long idleSinceNs;
    /** Its neighbours among the idle ones of its pool, which alone sets them. */
    UpstreamConnection older;

    UpstreamConnection newer;
    boolean pooled;

    UpstreamConnection(UpstreamPool pool, ResponseDecoder decoder) {
        this.pool = pool;
        this.decoder = decoder;
    }

    /** For its address and event loop. */
    Channel channel() {
        return context.channel();
    }

    @Override
    public boolean isActive() {
        return context.channel().isActive();
    }

    @Override
    public boolean mayBeStale() {
        return used && !(sent && responseBegun);
    }

    /** How long the kernel's first packet took to be answered, when the connection was made. */
    void roundTripNs(long measuredNs) {
        roundTripNs = measuredNs;
    }

    @Override
    public boolean requestHandedOver() {
        return requestWritten != null && requestWritten.isSuccess();
    }

    @Override
    public boolean isWritable() {
        return context.channel().isWritable();
    }

    @Override
    public void sendWhole(HttpRequest request, ByteBuf body, CallListener listener) {
        begin(request, listener);
        requestSent = true;
        int length = body.readableBytes();
        boolean inOne = length <= MAX_BODY_COPIED;
        ByteBuf out = context.alloc().ioBuffer(HEAD_BYTES + (inOne ? length : 0));
        HeadWriter.write(request, out);
        if (inOne) {
            out.writeBytes(body, body.readerIndex(), length);
        }
        requestWritten = context.newPromise().addListener(onRequestWritten);
        encoderContext.write(out, inOne ? requestWritten : context.voidPromise());
        if (!inOne) {
            encoderContext.write(body.retainedDuplicate(), requestWritten);
        }
        context.flush();
    }

    @Override
    public void send(HttpRequest request, CallListener listener) {
        begin(request, listener);
        context.write(request, context.voidPromise());
    }

    private void begin(HttpRequest request, CallListener listener) {
        this.listener = listener;
        sent = true;
        sentNs = System.nanoTime();
        responseBegun = false;
        requestSent = false;
        reusable = false;
        interimResponses = 0;
        failure = null;
        requestWritten = null;
        sendFailure = null;
        decoder.expectResponse(request.method().equals(HttpMethod.HEAD));
    }

    @Override
    public void sendBody(ByteBuf content) {
        context.write(new DefaultHttpContent(content), context.voidPromise());
    }

    @Override
    public void endRequest() {
        requestSent = true;
        requestWritten = context.newPromise().addListener(onRequestWritten);
        context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT, requestWritten);
    }

    @Override
    public void flush() {
        context.flush();
    }

    @Override
    public void beginStream(
            HttpResponse head, SseFrameDecoder frames, StreamListener frameListener, ReadListener reads) {
        stream = StreamBody.of(head, frames, frameListener, reads);
        decoder.beginRaw();
    }

    @Override
    public boolean isStreaming() {
        return stream != null;
    }

    @Override
    public void handOver(CallListener next, StreamListener frameListener, ReadListener reads) {
        listener = next;
        stream.handOver(frameListener, reads);
        reading(true);
    }

    @Override
    public void reading(boolean on) {
        readingWanted = on;
        boolean suspended = stream != null && stream.suspended();
        if (on && suspended) {
            goOnSoon();
        } else if (!on || !awaitsTurn) {
            context.channel().config().setAutoRead(on);
        }
    }

    @Override
    public void abort() {
        listener = null;
        context.close();
        closeStream();
    }

    @Override
    public void release(long graceMs) {
        if (!sent) {
            idleSinceNs = System.nanoTime();
            pool.put(this);
            return;
        }
        listener = null;
        if (bodyEnded()) {
            backToPool();
            return;
        }
        if (stream == null || stream.endsWithConnection() || !context.channel().isActive()) {
            abort();
            return;
        }
        stream.discardRest();
        if (stream.ended()) {
            decoder.endRaw(); // its end was seen, and was not yet one while something was left to be inflated
            backToPool();
            return;
        }
        reading(true);
        drainLimit = context.executor().schedule(this::abort, graceMs, TimeUnit.MILLISECONDS);
    }

    long idleSinceNs() {
        return idleSinceNs;
    }

    long openedNs() {
        return openedNs;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
        encoderContext = ctx.pipeline().context(HttpRequestEncoder.class);
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        inRead = true;
        if (msg instanceof ByteBuf raw) {
            readStream(raw);
        } else if (msg instanceof HttpResponse head) {
            onHead(head);
        } else if (msg instanceof HttpContent content) {
            onContent(content);
        } else {
            ReferenceCountUtil.release(msg);
        }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        inRead = false;
        // What a read that broke the connection brought is told together with that.
        if (listener != null && failure == null) {
            listener.onReadComplete();
        }
        if (returning) {
            returning = false;
            putOrClose();
        }
        countInflating();
        if (inflating > 0) {
            context.channel().config().setAutoRead(false);
            if (readingWanted) {
                goOnSoon();
            }
        } else if (readingWanted && hasMoreToRead() && !pool.reads().take()) {
            awaitTurn();
        }
    }

    /** Whether a read took less than was there. */
    private boolean hasMoreToRead() {
        var reads = context.channel().unsafe().recvBufAllocHandle();
        return reads.lastBytesRead() > 0 && reads.lastBytesRead() == reads.attemptedBytesRead();
    }

    private void awaitTurn() {
        if (!awaitsTurn) {
            awaitsTurn = true;
            context.channel().config().setAutoRead(false);
            pool.reads().later(this::onTurn);
        }
    }

    private void onTurn() {
        awaitsTurn = false;
        boolean suspended = stream != null && stream.suspended();
        if (readingWanted && !suspended && context.channel().isActive()) {
            context.channel().config().setAutoRead(true);
        }
    }

    /** What one read brought is more, inflated, than is handled at once. */
    private void goOnSoon() {
        if (!goingOn) {
            goingOn = true;
            context.executor().execute(this::goOn);
        }
    }

    private void goOn() {
        goingOn = false;
        if (stream == null || !stream.suspended() || !readingWanted) {
            return;
        }
        try {
            inflate();
        } catch (RuntimeException | OutOfMemoryError e) {
            failure = e;
            broken(breakage());
        }
        if (gone && stream != null && !stream.suspended()) {
            onGone();
        } else if (stream != null && readingWanted) {
            reading(true);
        }
    }

    private void inflate() {
        try {
            stream.goOn();
            if (stream.ended()) {
                onStreamEnd();
            }
        } catch (DecoderException e) {
            broken(new Breakage(Kind.PROTOCOL, message(e)));
        }
        if (listener != null) {
            listener.onReadComplete();
        }
        countInflating();
    }

    private void countInflating() {
        int now = stream == null ? 0 : stream.suspendedBytes();
        if (now != inflating) {
            LoopMemory memory = LoopMemory.current();
            if (memory != null) {
                memory.add(Held.INFLATING, now - inflating);
            }
            inflating = now;
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (listener != null) {
            listener.onUpstreamWritable(ctx.channel().isWritable());
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (isSendFailure(ctx, cause)) {
            awaitAnswer(ctx, cause);
            return;
        }
        failure = cause instanceof DecoderException && cause.getCause() != null ? cause.getCause() : cause;
        if (failure instanceof OutOfMemoryError) {
            LOG.debug(
                    "[{}] no memory for what {} sends",
                    ctx.channel().id(),
                    pool.origin().name());
        } else if (!(failure instanceof IOException || failure instanceof DecoderException)) {
            LOG.warn(
                    "[{}] closing the connection to {}",
                    ctx.channel().id(),
                    pool.origin().name(),
                    failure);
        }
        ctx.close();
    }

    /** A failed write shuts the output only, so that what the upstream has sent can be read. */
    private static boolean isSendFailure(ChannelHandlerContext ctx, Throwable cause) {
        return cause instanceof IOException
                && ctx.channel().isActive()
                && ctx.channel() instanceof DuplexChannel duplex
                && duplex.isOutputShutdown();
    }

    private void onRequestWritten(ChannelFuture written) {
        if (!written.isSuccess() && isSendFailure(context, written.cause())) {
            awaitAnswer(context, written.cause());
        }
    }

    /** Who refuses an upload often says so and closes before it has read it. */
    private void awaitAnswer(ChannelHandlerContext ctx, Throwable cause) {
        reusable = false;
        if (sendFailure != null) {
            return;
        }
        sendFailure = cause;
        if (listener == null) {
            ctx.close();
        } else if (!responseBegun) {
            reading(true);
            answerLimit = ctx.executor().schedule(() -> ctx.close(), ANSWER_LIMIT_MS, TimeUnit.MILLISECONDS);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        pool.onClosed(this);
        cancelDrainLimit();
        cancelAnswerLimit();
        if (stream != null && stream.suspended() && failure == null) {
            gone = true; // what it brought is still to be inflated
        } else {
            onGone();
        }
    }

    private void onGone() {
        CallListener current = listener;
        listener = null;
        if (current != null) {
            boolean endsBody = stream != null && stream.endsWithConnection() && endedCleanly();
            if (endsBody) {
                current.onBodyEnd();
            } else {
                tell(current, breakage());
            }
        }
        closeStream();
    }

    /** An ending that finds no memory for its last words still is one. */
    private static void tell(CallListener listener, Breakage breakage) {
        try {
            listener.onBroken(breakage);
        } catch (OutOfMemoryError e) {
            listener.onBroken(new Breakage(Kind.NO_MEMORY, message(e)));
        }
    }

    private void readStream(ByteBuf raw) {
        try {
            if (stream == null) {
                closeUnsolicited();
                return;
            }
            stream.read(raw);
            if (stream.endSeen()) {
                reusable &= !raw.isReadable();
            }
            if (stream.ended()) {
                onStreamEnd();
            }
        } catch (DecoderException e) {
            broken(new Breakage(Kind.PROTOCOL, message(e)));
        } finally {
            raw.release();
        }
    }

    private void onStreamEnd() {
        decoder.endRaw();
        CallListener current = listener;
        if (current != null) {
            current.onBodyEnd();
        }
        if (listener == null && drainLimit != null) {
            cancelDrainLimit();
            backToPool();
        }
    }

    private void onHead(HttpResponse head) {
        if (listener == null || responseBegun) {
            closeUnsolicited();
            return;
        }
        String refusal = verify(head);
        if (refusal != null) {
            broken(new Breakage(Kind.PROTOCOL, refusal));
            return;
        }
        if (head.status().code() < 200) {
            return;
        }
        responseBegun = true;
        cancelAnswerLimit();
        reusable = HttpUtil.isKeepAlive(head) && sendFailure == null;
        endsWithConnection = !HttpUtil.isTransferEncodingChunked(head) && !HttpUtil.isContentLengthSet(head);
        try {
            listener.onHead(head);
        } catch (CorruptedFrameException e) {
            broken(new Breakage(Kind.PROTOCOL, message(e)));
            return;
        }
        if (stream != null && stream.ended()) {
            onStreamEnd();
        }
    }

    private void onContent(HttpContent content) {
        boolean last = content instanceof LastHttpContent;
        if (last && listener != null && endsWithConnection && !context.channel().isActive() && !endedCleanly()) {
            // Netty ends a body that is delimited by close at a reset too.
            content.release();
            broken(breakage());
            return;
        }
        if (content.decoderResult().isFailure()) {
            content.release();
            broken(new Breakage(Kind.PROTOCOL, message(content.decoderResult().cause())));
            return;
        }
        if (listener == null || !responseBegun) {
            content.release();
            return;
        }
        if (content.content().isReadable()) {
            listener.onBody(content.content());
        } else {
            content.release();
        }
        if (last && listener != null && stream == null) {
            plainBodyEnded = true;
            listener.onBodyEnd();
        }
    }

    /** Whether the upstream has closed the connection in an orderly way: behind TLS it has said so, RFC 8446 section 6.1. */
    private boolean endedCleanly() {
        SslHandler tls = context.pipeline().get(SslHandler.class);
        return failure == null && (tls == null || tls.sslCloseFuture().isSuccess());
    }

    private boolean bodyEnded() {
        return stream != null ? stream.ended() : plainBodyEnded;
    }

    private void backToPool() {
        closeStream();
        plainBodyEnded = false;
        sent = false;
        used = true;
        reusable &= !decoder.hasLeftover();
        decoder.expectNothing();
        // What this read may still hold belongs to nobody: it must not meet the next request's listener.
        if (inRead) {
            returning = true;
        } else {
            putOrClose();
        }
    }

    private void putOrClose() {
        if (reusable && requestSent && context.channel().isActive()) {
            reading(true);
            idleSinceNs = System.nanoTime();
            pool.put(this);
        } else {
            context.close();
        }
    }

    private void closeUnsolicited() {
        reusable = false;
        context.close();
    }

    private String verify(HttpResponse head) {
        if (head.decoderResult().isFailure()) {
            return "response head: " + message(head.decoderResult().cause());
        }
        int status = head.status().code();
        if (status == 101 || status < 100 || status > 599) {
            return "response status: " + status + " (expected: 200 to 599)";
        }
        if (status < 200 && ++interimResponses > MAX_INTERIM_RESPONSES) {
            return "interim responses: more than " + MAX_INTERIM_RESPONSES;
        }
        if (!isServed(head.protocolVersion())) {
            return "response version: " + head.protocolVersion() + " (expected: HTTP/1.1, in capitals)";
        }
        List<String> codings = head.headers().getAll(HttpHeaderNames.TRANSFER_ENCODING);
        if (codings.size() > 1
                || (codings.size() == 1 && !isKnownCoding(codings.get(0).trim()))) {
            return "response transfer coding: " + codings + " (expected: chunked)";
        }
        return null;
    }

    /** The decoder makes these two constants of their exact names only: of {@code http/1.1} it makes another, equal one. */
    @SuppressWarnings("ReferenceEquality")
    private static boolean isServed(HttpVersion version) {
        return version == HttpVersion.HTTP_1_1 || version == HttpVersion.HTTP_1_0;
    }

    private static boolean isKnownCoding(String coding) {
        return coding.equalsIgnoreCase("chunked") || coding.equalsIgnoreCase("identity");
    }

    private void broken(Breakage breakage) {
        CallListener current = listener;
        listener = null;
        context.close();
        if (current != null) {
            tell(current, breakage);
        }
        closeStream();
    }

    private Breakage breakage() {
        if (failure instanceof OutOfMemoryError) {
            return new Breakage(Kind.NO_MEMORY, message(failure));
        }
        if (failure == null) {
            failure = sendFailure;
        }
        if (failure != null && !(failure instanceof IOException)) {
            return new Breakage(Kind.PROTOCOL, message(failure));
        }
        if (!decoder.sawByte()) {
            String detail = failure == null ? "closed before a response" : message(failure);
            return new Breakage(wasStale() ? Kind.STALE : Kind.CLOSED_UNUSED, detail);
        }
        return failure == null
                ? new Breakage(Kind.TRUNCATED, "closed inside the response")
                : new Breakage(Kind.RESET, message(failure));
    }

    /** Whether a reused connection was closed before the request reached the upstream, as far as the time can tell. */
    private boolean wasStale() {
        if (!used) {
            return false;
        }
        long tripNs = Math.min(roundTripNs, MAX_ROUND_TRIP_NS);
        long limitNs = requestHandedOver() ? tripNs + tripNs / 4 + STALE_NS : STALE_SENDING_NS;
        return System.nanoTime() - sentNs < limitNs;
    }

    private void cancelAnswerLimit() {
        if (answerLimit != null) {
            answerLimit.cancel(false);
            answerLimit = null;
        }
    }

    private void cancelDrainLimit() {
        if (drainLimit != null) {
            drainLimit.cancel(false);
            drainLimit = null;
        }
    }

    private void closeStream() {
        if (stream != null) {
            stream.close();
            stream = null;
            countInflating();
        }
    }

    private static String message(Throwable cause) {
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }
}
