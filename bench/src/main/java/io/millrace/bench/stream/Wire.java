package io.millrace.bench.stream;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2ResetFrame;
import io.netty.util.ReferenceCountUtil;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One connection and its streams, one after another. It sends a request, removes the framing of HTTP from the response,
 * and passes the body to its {@link BodyReader}. Lives on its lane's event loop.
 */
final class Wire extends ChannelInboundHandlerAdapter {
    private static final int MAX_ERROR_BYTES = 2048;
    private static final long LINGER_NS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int SLOW_READ_BYTES = 512;
    private static final long SLOW_READ_MS = 100;

    private final Lane lane;
    private final Channel channel;
    private final @Nullable ReadClock clock;
    private final BodyReader body;
    private final Framing response;
    private final StringBuilder refusal = new StringBuilder();

    /** The stream in progress; null if there is none. */
    private @Nullable StreamSample stream;

    private boolean used;
    private boolean answered;
    private long lastReadNs;

    /**
     * @param clock takes the time of reads if TLS or HTTP/2 comes before this handler; null otherwise
     * @param framing makes the framing of the channel
     */
    Wire(
            Lane lane,
            Channel channel,
            @Nullable ReadClock clock,
            BodyReader body,
            Function<Framing.Body, Framing> framing) {
        response = framing.apply(this::onBody);
        this.lane = lane;
        this.channel = channel;
        this.clock = clock;
        this.body = body;
    }

    /** Whether a stream is in progress. */
    boolean isBusy() {
        return stream != null;
    }

    /** Whether a stream is in progress and has brought output. */
    boolean isStreaming() {
        return stream != null && body.outputs() > 0;
    }

    /** Whether another stream can be sent on it. */
    boolean isOpen() {
        return channel.isActive();
    }

    /** Begins a stream; the request is released by the write. */
    void send(StreamSample stream, ByteBuf request) {
        this.stream = stream;
        answered = false;
        refusal.setLength(0);
        response.reset();
        switch (stream.behaviour().kind()) {
            case SLOW -> beginSlowReads();
            case CANCEL -> leaveInTime();
            case PLAIN, HALF_OPEN -> {}
        }
        body.begin(stream, channel.alloc());
        stream.sentNs = System.nanoTime();
        lastReadNs = stream.sentNs;
        response.send(channel, request);
    }

    /** Its connection, or its stream of a connection of HTTP/2. */
    Channel channel() {
        return channel;
    }

    /**
     * Ends a stream that has waited too long for its next byte or its end, or whose connection stays open too long
     * after it.
     */
    void sweep(long nowNs, StreamLimits limits) {
        if (stream().terminalNs != 0 && nowNs - stream().terminalNs > LINGER_NS) {
            endBody();
        } else if (isSilent()) {
            return; // this client itself fell silent, and its stream ended then
        } else if (nowNs - lastReadNs > limits.idleNs()) {
            end(Outcome.IDLE, body.outputs() == 0 ? "before the first output" : "");
        } else if (nowNs - stream().sentNs > limits.totalNs()) {
            end(Outcome.TIMEOUT, body.outputs() == 0 ? "before the first output" : "");
        }
    }

    /** Ends the stream at the end of the run, with this outcome. A client that was to stay half-open has done so. */
    void abandon(Outcome outcome) {
        end(isSilent() ? Outcome.LEFT : outcome, "");
    }

    /** Closes the connection. A stream in progress is not reported. */
    void close() {
        stream = null;
        body.close();
        channel.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        lastReadNs = clock == null ? System.nanoTime() : clock.nowNs();
        try {
            if (stream == null) {
                channel.close(); // no request has asked for these bytes
            } else {
                answered = true;
                read(message);
            }
        } catch (DecoderException e) {
            if (stream != null) {
                end(Outcome.GARBLED, body.detailOf(e));
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    /** The server takes back a stream of HTTP/2. */
    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
        if (event instanceof Http2ResetFrame reset && stream != null) {
            var code = Http2Error.valueOf(reset.errorCode());
            lose("RST_STREAM " + (code == null ? reset.errorCode() : code));
        }
        ctx.fireUserEventTriggered(event);
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (stream == null) {
            body.close();
        } else if (response.endsAtClose()) {
            lastReadNs = System.nanoTime();
            endBody();
        } else {
            lose("closed");
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (stream != null) {
            lose("reset");
        } else {
            channel.close();
        }
    }

    private StreamSample stream() {
        return requireNonNull(stream, "no stream");
    }

    private boolean isSilent() {
        return stream().behaviour().kind() == Behaviour.Kind.HALF_OPEN
                && !channel.config().isAutoRead();
    }

    private void lose(String how) {
        if (!answered && used && !stream().retried && lane.asksAgain()) {
            // The server closed the idle connection while the request was on its way.
            var again = stream();
            again.retried = true;
            close();
            lane.onStale(this, again);
        } else if (!answered || response.status() == 0) {
            end(Outcome.NO_ANSWER, how);
        } else if (stream().terminalNs != 0) {
            endBody();
        } else {
            end(response.status() == 200 ? Outcome.RESET : Outcome.STATUS, how);
        }
    }

    private void read(Object message) {
        response.read(message);
        if (stream == null) {
            return; // the client has left meanwhile
        }
        if (stream().status == 0 && response.status() != 0) {
            onHead();
        }
        if (response.ended()) {
            if (message instanceof ByteBuf in && in.isReadable()) {
                end(Outcome.GARBLED, "bytes after the response");
            } else {
                endBody();
            }
        }
    }

    private void onHead() {
        stream().status = response.status();
        if (stream().status == 200) {
            body.onHead(response);
        }
    }

    private void onBody(ByteBuf bytes) {
        if (stream == null) {
            bytes.skipBytes(bytes.readableBytes()); // the client left during this read
            return;
        }
        if (stream().firstByteNs == 0) {
            onFirstByte();
        }
        if (stream().status != 200) {
            keepRefusal(bytes);
            return;
        }
        stream().bytes += bytes.readableBytes();
        body.read(bytes, lastReadNs);
        if (!stream().behaviour().isPlain()) {
            behave();
        }
    }

    private void onFirstByte() {
        if (stream().status == 0) {
            onHead();
        }
        stream().firstByteNs = lastReadNs;
        lane.observer().onFirstByte(stream().sentNs, lastReadNs);
    }

    private void keepRefusal(ByteBuf bytes) {
        int length = Math.min(bytes.readableBytes(), MAX_ERROR_BYTES - refusal.length());
        refusal.append(bytes.toString(bytes.readerIndex(), length, StandardCharsets.UTF_8));
        bytes.skipBytes(bytes.readableBytes());
    }

    private void behave() {
        var behaviour = stream().behaviour();
        if (behaviour.afterOutputs() < 0 || body.outputs() < behaviour.afterOutputs()) {
            return;
        }
        if (behaviour.kind() == Behaviour.Kind.CANCEL) {
            end(Outcome.LEFT, "");
        } else if (behaviour.kind() == Behaviour.Kind.HALF_OPEN) {
            channel.config().setAutoRead(false);
        }
    }

    private void endBody() {
        if (response.status() != 200) {
            lane.observer().onRefusal(response.status(), refusal.toString());
            end(Outcome.STATUS, Integer.toString(response.status()));
            return;
        }
        var outcome = body.endBody();
        if (outcome != Outcome.TRUNCATED) {
            end(outcome, body.detail());
        } else if (isCoded()) {
            end(Outcome.CODED, response.field("content-encoding"));
        } else if (body.outputs() == 0 && !response.field("content-type").contains("event-stream")) {
            end(Outcome.NOT_A_STREAM, response.field("content-type"));
        } else {
            end(Outcome.TRUNCATED, body.detail());
        }
    }

    private boolean isCoded() {
        String coding = response.field("content-encoding");
        return !coding.isEmpty() && !coding.equals("identity");
    }

    private void end(Outcome outcome, String detail) {
        var ended = stream();
        boolean reusable = response.ended()
                && response.keepAlive()
                && isOpen()
                && ended.behaviour().isPlain();
        body.close();
        ended.endNs = ended.terminalNs != 0 && outcome == Outcome.COMPLETED ? ended.terminalNs : lastReadNs;
        ended.outcome = outcome;
        ended.detail = detail;
        stream = null;
        used = true;
        if (!reusable) {
            channel.close();
        }
        lane.onEnd(this, ended, body.details(), reusable);
    }

    private void beginSlowReads() {
        channel.config().setAutoRead(false);
        channel.config().setOption(ChannelOption.SO_RCVBUF, 8 * SLOW_READ_BYTES);
        channel.config().setRecvByteBufAllocator(new FixedRecvByteBufAllocator(SLOW_READ_BYTES).maxMessagesPerRead(1));
        readSlowly();
    }

    private void readSlowly() {
        if (channel.isActive()) {
            channel.read();
            channel.eventLoop().schedule(this::readSlowly, SLOW_READ_MS, TimeUnit.MILLISECONDS);
        }
    }

    private void leaveInTime() {
        if (stream().behaviour().afterOutputs() >= 0) {
            return;
        }
        var mine = stream();
        channel.eventLoop()
                .schedule(
                        () -> {
                            if (stream == mine) {
                                end(Outcome.LEFT, "");
                            }
                        },
                        stream().behaviour().afterNs(),
                        TimeUnit.NANOSECONDS);
    }
}
