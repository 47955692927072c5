package io.millrace.bench.stream;

import io.millrace.bench.load.ResponseReader;
import io.millrace.codec.dialect.StreamEnd;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.handler.codec.DecoderException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

/** One connection and its streams, one after another. Lives on its lane's event loop. */
final class Wire extends ChannelInboundHandlerAdapter {
    private static final int MAX_ERROR_BYTES = 2048;
    private static final long LINGER_NS = TimeUnit.MILLISECONDS.toNanos(500);
    private static final int SLOW_READ_BYTES = 512;
    private static final long SLOW_READ_MS = 100;

    private final Lane lane;
    private final Channel channel;
    private final ReadClock clock;
    private final OutputReader output;
    private final ResponseReader response = new ResponseReader(this::onBody);
    private final StringBuilder refusal = new StringBuilder();

    private Due due;
    private boolean used;
    private boolean answered;
    private long sentNs;
    private long headNs;
    private long firstByteNs;
    private long lastReadNs;
    private boolean sawHead;

    Wire(Lane lane, Channel channel, ReadClock clock, OutputReader output) {
        this.lane = lane;
        this.channel = channel;
        this.clock = clock;
        this.output = output;
    }

    /** Whether a stream is in progress. */
    boolean isBusy() {
        return due != null;
    }

    /** Whether another stream can be sent on it. */
    boolean isOpen() {
        return channel.isActive();
    }

    /** Output of the stream in progress so far. */
    long outputs() {
        return output.outputs;
    }

    /** Begins a stream; the request is released by the write. */
    void send(Due due, ByteBuf request) {
        this.due = due;
        answered = false;
        sawHead = false;
        headNs = 0;
        firstByteNs = 0;
        refusal.setLength(0);
        response.reset();
        switch (due.behaviour.kind()) {
            case SLOW -> beginSlowReads();
            case CANCEL -> leaveInTime();
            case PLAIN, HALF_OPEN -> {}
        }
        sentNs = System.nanoTime();
        lastReadNs = sentNs;
        output.begin(channel.alloc(), due.scheduledNs, due.counts());
        channel.writeAndFlush(request, channel.voidPromise());
    }

    /** Ends a stream that has waited too long for its next byte or its end, or whose connection lingers behind it. */
    void sweep(long nowNs, StreamLimits limits) {
        if (output.terminalNs != 0 && nowNs - output.terminalNs > LINGER_NS) {
            endBody();
        } else if (due.behaviour.kind() == Behaviour.Kind.HALF_OPEN
                && !channel.config().isAutoRead()) {
            return; // it is this client that is silent, and its stream ended for it when it fell silent
        } else if (nowNs - lastReadNs > limits.idleNs()) {
            end(Outcome.IDLE, output.outputs == 0 ? "before the first output" : "");
        } else if (nowNs - sentNs > limits.totalNs()) {
            end(Outcome.TIMEOUT, output.outputs == 0 ? "before the first output" : "");
        }
    }

    /** The run is over; a client that was to stay half-open has done so. */
    void abandon() {
        boolean asTold = due.behaviour.kind() == Behaviour.Kind.HALF_OPEN
                && !channel.config().isAutoRead();
        end(asTold ? Outcome.LEFT : Outcome.UNFINISHED, "");
    }

    /** Closes the connection; a stream in progress is not reported. */
    void close() {
        due = null;
        output.close();
        channel.close();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        var in = (ByteBuf) message;
        lastReadNs = clock.nowNs();
        try {
            if (due == null) {
                channel.close(); // bytes that nobody asked for
            } else {
                answered = true;
                read(in);
            }
        } catch (DecoderException e) {
            if (due != null) {
                end(Outcome.GARBLED, "");
            }
        } finally {
            in.release();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (due == null) {
            output.close();
        } else if (response.endsAtClose()) {
            lastReadNs = System.nanoTime();
            endBody();
        } else {
            lose("closed");
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        if (due != null) {
            lose("reset");
        } else {
            channel.close();
        }
    }

    private void lose(String how) {
        if (!answered && used && !due.retried) {
            // An idle connection that the server closed while the request was on its way to it.
            var again = due;
            again.retried = true;
            close();
            lane.onStale(this, again);
        } else if (!answered || response.status() == 0) {
            end(Outcome.NO_ANSWER, how);
        } else if (output.terminalNs != 0) {
            endBody();
        } else {
            end(response.status() == 200 ? Outcome.RESET : Outcome.STATUS, how);
        }
    }

    private void read(ByteBuf in) {
        response.read(in);
        if (due == null) {
            return; // left meanwhile
        }
        if (!sawHead && response.status() != 0) {
            onHead();
        }
        if (response.ended()) {
            if (in.isReadable()) {
                end(Outcome.GARBLED, "bytes after the response");
            } else {
                endBody();
            }
        }
    }

    private void onHead() {
        sawHead = true;
        headNs = lastReadNs;
    }

    private void onBody(ByteBuf bytes) {
        if (!sawHead) {
            onHead();
        }
        if (firstByteNs == 0) {
            firstByteNs = lastReadNs;
            if (!response.field("x-mock-digest").isEmpty()) {
                output.expectDigest();
            }
        }
        if (due == null) {
            bytes.skipBytes(bytes.readableBytes()); // left in the middle of a read
        } else if (response.status() != 200) {
            keepRefusal(bytes);
        } else {
            output.read(bytes, lastReadNs);
            behave();
        }
    }

    private void keepRefusal(ByteBuf bytes) {
        int length = Math.min(bytes.readableBytes(), MAX_ERROR_BYTES - refusal.length());
        refusal.append(bytes.toString(bytes.readerIndex(), length, StandardCharsets.UTF_8));
        bytes.skipBytes(bytes.readableBytes());
    }

    private void behave() {
        var behaviour = due.behaviour;
        if (behaviour.afterOutputs() < 0 || output.outputs < behaviour.afterOutputs()) {
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
        output.endBody();
        var end = output.inspector().end();
        if (end == StreamEnd.ERROR) {
            end(Outcome.ERROR_EVENT, nullToEmpty(output.inspector().errorType()));
        } else if (end == StreamEnd.HIDDEN_ERROR) {
            end(Outcome.HIDDEN_ERROR, nullToEmpty(output.inspector().errorType()));
        } else if (end != StreamEnd.OPEN) {
            String damage = output.damage();
            end(damage == null ? Outcome.COMPLETED : Outcome.DAMAGED, nullToEmpty(damage));
        } else if (isCoded()) {
            end(Outcome.CODED, response.field("content-encoding"));
        } else if (output.outputs == 0 && !response.field("content-type").contains("event-stream")) {
            end(Outcome.NOT_A_STREAM, response.field("content-type"));
        } else {
            end(Outcome.TRUNCATED, "");
        }
    }

    private boolean isCoded() {
        String coding = response.field("content-encoding");
        return !coding.isEmpty() && !coding.equals("identity");
    }

    private void end(Outcome outcome, String detail) {
        long endNs = output.terminalNs != 0 && outcome == Outcome.COMPLETED ? output.terminalNs : lastReadNs;
        boolean reusable = response.ended() && response.keepAlive() && isOpen() && due.behaviour.isPlain();
        output.close();
        var sample = sample(outcome, detail, endNs);
        due = null;
        used = true;
        if (!reusable) {
            channel.close();
        }
        lane.onEnd(this, sample, output.details(), reusable);
    }

    private StreamSample sample(Outcome outcome, String detail, long endNs) {
        var usage = output.inspector().usage();
        return new StreamSample(
                due.index,
                due.measured,
                due.behaviour,
                outcome,
                detail,
                due.scheduledNs,
                due.begunNs,
                due.connectNs,
                sentNs,
                headNs,
                firstByteNs,
                output.firstFrameNs,
                output.firstReasoningNs,
                output.firstContentNs,
                output.firstOutputNs,
                output.lastOutputNs,
                endNs,
                output.longestGapNs,
                output.stalls,
                output.frames,
                output.outputs,
                output.reads,
                output.bytes,
                response.status(),
                usage.inputTokens(),
                usage.outputTokens(),
                output.stamps().present());
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
        if (due.behaviour.afterOutputs() >= 0) {
            return;
        }
        var mine = due;
        channel.eventLoop()
                .schedule(
                        () -> {
                            if (due == mine) {
                                end(Outcome.LEFT, "");
                            }
                        },
                        due.behaviour.afterNs(),
                        TimeUnit.NANOSECONDS);
    }

    private static String nullToEmpty(String text) {
        return text == null ? "" : text;
    }
}
