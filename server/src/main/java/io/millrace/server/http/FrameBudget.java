package io.millrace.server.http;

import io.millrace.server.timing.Turns;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Flags;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.collection.IntObjectHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Ends an HTTP/2 connection whose peer sends many frames that carry no message. It reads the heads of frames before
 * Netty's codec does. Each such frame costs points. Points come back with time, and with each DATA frame that the peer
 * is sent, because it answers those with WINDOW_UPDATE. Below zero points it raises a connection error {@code
 * ENHANCE_YOUR_CALM} and drops the rest.
 *
 * <p>It also paces requests, if it is told to: what comes behind as many as one turn of the event loop begins waits for the
 * next turn, and the socket is not read. It knows which requests in a read are reset by the same read, so that these
 * need not begin.
 *
 * <p>The clock is read only for frames that cost points, and for heads of messages that arrive in parts.
 */
public final class FrameBudget extends ChannelInboundHandlerAdapter {
    /** Costs are counted in hundredths of a point. */
    private static final int POINT = 100;

    private static final int REFUSAL = POINT / 2;
    private static final int WASTEFUL = 10 * POINT;
    /** The frame of the answer gives one point back. */
    private static final int OWN_ANSWER = 6 * POINT;
    /** A few bytes can stand for a head of many megabytes (HPACK). All of it must be decoded. */
    private static final int LARGE_HEAD = 300 * POINT;

    private static final int WINDOW_UPDATE = POINT / 4;
    private static final int RESET = POINT / 5;
    private static final int CHEAP = POINT / 10;
    private static final int SETTINGS_BYTES_PER_POINT = 60;
    private static final int PREFACE_BYTES = 24;
    private static final double NS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    private final long burst;
    private final double perNs;
    private final LongSupplier clock;
    /** Sees all that comes, at once. */
    private final FrameHeads arriving;
    /** Sees what is passed on, and stops in front of requests that must wait. */
    private final FrameHeads passing;

    private double points;
    private long refilledNs;
    private boolean inBlock;
    private boolean blockEnds;
    private long blockSinceNs;
    private boolean over;
    private @Nullable Turns requests;
    /** What waits for a later turn; it begins with the head of a frame. */
    private @Nullable ByteBuf held;
    /** The streams that were reset by bytes of which some have not been passed on. */
    private @Nullable IntObjectHashMap<Boolean> resets;

    private FrameBudget(int burst, int perSecond, int skip, LongSupplier clock) {
        this.clock = clock;
        this.burst = (long) burst * POINT;
        perNs = perSecond * POINT / NS_PER_SECOND;
        arriving = new FrameHeads(skip, this::onHead);
        passing = new FrameHeads(skip, this::mayPass);
        points = this.burst;
        refilledNs = clock.getAsLong();
    }

    /**
     * The budget for a client, whose preface is also read.
     *
     * @param burst points at first, and the most that there are
     * @param perSecond points that come back each second
     */
    public static FrameBudget ofClient(int burst, int perSecond, LongSupplier clock) {
        return new FrameBudget(burst, perSecond, PREFACE_BYTES, clock);
    }

    /**
     * The budget for a server.
     *
     * @param burst points at first, and the most that there are
     * @param perSecond points that come back each second
     */
    public static FrameBudget ofServer(int burst, int perSecond, LongSupplier clock) {
        return new FrameBudget(burst, perSecond, 0, clock);
    }

    /** Limits the requests that begin in one turn of the event loop. */
    public FrameBudget pacedBy(Turns turns) {
        requests = turns;
        return this;
    }

    /** Bytes that wait for a later turn. */
    public int heldBytes() {
        return held == null ? 0 : held.readableBytes();
    }

    /** The peer was sent a DATA frame. */
    public void onDataWritten() {
        if (points < burst) {
            points += POINT;
        }
    }

    /**
     * The peer sent something that is refused, such as one request too many.
     *
     * @return whether it may go on
     */
    public boolean onRefused() {
        charge(REFUSAL);
        return points >= 0;
    }

    /**
     * The peer sent another request, although it has wasted many.
     *
     * @return whether it may go on
     */
    public boolean onWasteful() {
        charge(WASTEFUL);
        return points >= 0;
    }

    /**
     * The peer sent a head over the limit.
     *
     * @return whether it may go on
     */
    public boolean onLargeHead() {
        charge(LARGE_HEAD);
        return points >= 0;
    }

    /** The relay answers a request of the peer's itself, without an upstream. */
    public void onOwnAnswer() {
        charge(OWN_ANSWER);
    }

    /** The connection has ended: drops all that comes from now on, and what waits. */
    public void stop() {
        over = true;
        drop();
    }

    /** Whether there are points left. */
    public boolean isLeft() {
        return points >= 0;
    }

    /** Whether the peer resets {@code stream} in bytes that came together with what is being passed on. */
    public boolean isReset(int stream) {
        return resets != null && resets.containsKey(stream);
    }

    /** Since when the head of a message has been incomplete after a read; 0 if there is none. */
    public long blockSinceNs() {
        return blockSinceNs;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
        if (!over && msg instanceof ByteBuf in) {
            look(in);
        }
        if (over) {
            end(ctx, msg);
        } else if (held != null && msg instanceof ByteBuf in) {
            held = ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), held, in);
        } else if (msg instanceof ByteBuf in) {
            pass(ctx, in);
        } else {
            ctx.fireChannelRead(msg);
        }
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext ctx) {
        drop();
    }

    private void look(ByteBuf in) {
        arriving.visit(in);
        if (!arriving.isInPayload()) {
            endBlock();
        }
        if (inBlock && blockSinceNs == 0) {
            blockSinceNs = clock.getAsLong();
        }
    }

    private void pass(ChannelHandlerContext ctx, ByteBuf in) {
        int end = requests == null ? in.writerIndex() : passing.visit(in);
        int rest = in.writerIndex() - end;
        if (rest > 0 && requests != null) {
            held = in.retainedSlice(end, rest);
            in.writerIndex(end);
            ctx.channel().config().setAutoRead(false);
            requests.later(() -> goOn(ctx));
        }
        ctx.fireChannelRead(in);
        if (held == null) {
            resets = null;
        }
    }

    private boolean mayPass(int length, byte type, short flags, int stream) {
        return type != Http2FrameTypes.HEADERS || requests == null || requests.take();
    }

    private void goOn(ChannelHandlerContext ctx) {
        ByteBuf rest = held;
        if (rest == null) {
            return;
        }
        held = null;
        pass(ctx, rest);
        ctx.fireChannelReadComplete();
        if (held == null) {
            ctx.channel().config().setAutoRead(true);
        }
    }

    private void end(ChannelHandlerContext ctx, Object msg) {
        ReferenceCountUtil.release(msg);
        drop();
        if (points < 0) {
            points = 0;
            ctx.fireExceptionCaught(
                    Http2Exception.connectionError(Http2Error.ENHANCE_YOUR_CALM, "too many control frames"));
        }
    }

    private void drop() {
        ReferenceCountUtil.release(held);
        held = null;
    }

    private void endBlock() {
        if (blockEnds) {
            blockEnds = false;
            inBlock = false;
            blockSinceNs = 0;
        }
    }

    private boolean onHead(int length, byte type, short flags, int stream) {
        endBlock();
        boolean ack = (flags & Http2Flags.ACK) != 0;
        switch (type) {
            case Http2FrameTypes.DATA -> {
                if (length == 0 && (flags & Http2Flags.END_STREAM) == 0) {
                    charge(POINT);
                }
            }
            case Http2FrameTypes.HEADERS, Http2FrameTypes.CONTINUATION -> {
                inBlock = true;
                blockEnds = (flags & Http2Flags.END_HEADERS) != 0;
            }
            case Http2FrameTypes.SETTINGS -> charge(ack ? CHEAP : POINT + length * POINT / SETTINGS_BYTES_PER_POINT);
            case Http2FrameTypes.PING -> charge(ack ? CHEAP : POINT);
            case Http2FrameTypes.WINDOW_UPDATE -> charge(WINDOW_UPDATE);
            case Http2FrameTypes.RST_STREAM -> onReset(stream);
            case Http2FrameTypes.GO_AWAY -> charge(CHEAP);
            default -> charge(POINT);
        }
        over |= points < 0;
        return !over;
    }

    private void onReset(int stream) {
        charge(RESET);
        if (resets == null) {
            resets = new IntObjectHashMap<>();
        }
        resets.put(stream, Boolean.TRUE);
    }

    private void charge(int cost) {
        long nowNs = clock.getAsLong();
        points = Math.min((double) burst, points + (nowNs - refilledNs) * perNs) - cost;
        refilledNs = nowNs;
    }
}
