package io.millrace.bench.load;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.stream.BodyReader;
import io.millrace.bench.stream.Outcome;
import io.millrace.bench.stream.StreamSample;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.sse.SseFrameListener;
import io.millrace.server.mock.Stamp;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.DecoderException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Checks the frames of one stream: every stamp must have the next number, the terminal must be last, and nothing may be
 * missing. Only the first fault is kept.
 */
@SuppressWarnings("NullAway.Init") // set at the begin of each stream
final class StreamCheck implements BodyReader, SseFrameListener {
    private static final byte[] TERMINAL = "data: [DONE]\n\n".getBytes(StandardCharsets.US_ASCII);

    private final Recorder recorder;
    private final int expectedOutputs;
    private @Nullable SseFrameDecoder decoder;
    private long nowNs;
    private int frames;
    private int outputs;
    private int markAt;
    private boolean ended;
    private @Nullable String fault;

    StreamCheck(Recorder recorder) {
        this(recorder, LoadPlan.ANY);
    }

    StreamCheck(Recorder recorder, int expectedOutputs) {
        this.recorder = recorder;
        this.expectedOutputs = expectedOutputs;
    }

    @Override
    public void begin(StreamSample stream, ByteBufAllocator alloc) {
        decoder = new SseFrameDecoder(alloc);
        reset();
    }

    @Override
    public void read(ByteBuf in, long readNs) {
        readAt(readNs);
        requireNonNull(decoder).decode(in, this);
    }

    @Override
    public long outputs() {
        return outputs;
    }

    /** Any body that is not whole counts as damaged. */
    @Override
    public Outcome endBody() {
        fault = faultAtEnd(expectedOutputs, requireNonNull(decoder).midFrame());
        return fault == null ? Outcome.COMPLETED : Outcome.DAMAGED;
    }

    @Override
    public String detail() {
        return fault == null ? "" : fault;
    }

    @Override
    public String detailOf(DecoderException malformed) {
        return "not HTTP: " + malformed.getMessage();
    }

    @Override
    public void close() {
        if (decoder != null) {
            decoder.close();
            decoder = null;
        }
    }

    /** A new stream begins. */
    void reset() {
        frames = 0;
        outputs = 0;
        ended = false;
        fault = null;
    }

    /** The frames that follow were read at this time. */
    void readAt(long nowNs) {
        this.nowNs = nowNs;
    }

    /** The fault of a stream whose body ends here, or null. */
    @Nullable
    String faultAtEnd(int expectedOutputs, boolean midFrame) {
        if (fault != null) {
            return fault;
        }
        if (frames == 0 && !midFrame) {
            return "cut: an empty body";
        }
        if (midFrame) {
            return "cut: body ended inside a frame";
        }
        if (!ended) {
            return "cut: body ended without its terminal";
        }
        return expectedOutputs == LoadPlan.ANY || expectedOutputs == outputs
                ? null
                : "cut: " + outputs + " output frames (expected: " + expectedOutputs + ")";
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        recorder.onFrame();
        frames++;
        if (ended) {
            fail("a frame after the terminal");
        }
        int at = start + markAt;
        if (at >= end || buf.getByte(at) != Stamp.MARK) {
            at = buf.indexOf(start, end, (byte) Stamp.MARK);
        }
        if (at >= 0) {
            markAt = at - start; // in most frames of a run it has the same offset
            readStamp(buf, at + 1, end);
        } else if (isTerminal(buf, start, end)) {
            ended = true;
        }
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        fail("a frame over 64 KiB");
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {}

    // @ <here> index @ time @
    private void readStamp(ByteBuf buf, int start, int end) {
        int index = 0;
        int at = start;
        for (; at < end && buf.getByte(at) != Stamp.MARK; at++) {
            index = index * 10 + buf.getByte(at) - '0';
        }
        at++;
        if (index != outputs) {
            fail("out of order: frame " + index + " (expected: " + outputs + ")");
        }
        outputs++;
        if (end - at <= Stamp.DIGITS) {
            fail("a damaged stamp");
            return;
        }
        long madeNs = 0;
        for (int stop = at + Stamp.DIGITS; at < stop; at++) {
            madeNs = madeNs * 10 + buf.getByte(at) - '0';
        }
        if (nowNs - madeNs < 0) {
            fail("a stamp of the future");
        }
        recorder.onStamp(madeNs, nowNs);
    }

    private static boolean isTerminal(ByteBuf buf, int start, int end) {
        if (end - start != TERMINAL.length) {
            return false;
        }
        for (int i = 0; i < TERMINAL.length; i++) {
            if (buf.getByte(start + i) != TERMINAL[i]) {
                return false;
            }
        }
        return true;
    }

    private void fail(String what) {
        if (fault == null) {
            fault = what;
        }
    }
}
