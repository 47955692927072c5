package io.millrace.bench.load;

import io.millrace.codec.sse.SseFrameListener;
import io.millrace.server.mock.Stamp;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/**
 * Looks at the frames of one stream: every stamp must bear the next number, the terminal must be last, and nothing may be
 * missing. Of what is wrong the first is kept.
 */
final class StreamCheck implements SseFrameListener {
    private static final byte[] TERMINAL = "data: [DONE]\n\n".getBytes(StandardCharsets.US_ASCII);

    private final Recorder recorder;
    private long nowNs;
    private int frames;
    private int outputs;
    private int markAt;
    private boolean ended;
    private String fault;

    StreamCheck(Recorder recorder) {
        this.recorder = recorder;
    }

    /** A new stream begins. */
    void reset() {
        frames = 0;
        outputs = 0;
        ended = false;
        fault = null;
    }

    /** The frames that follow were read at that time. */
    void readAt(long nowNs) {
        this.nowNs = nowNs;
    }

    /** Output frames so far. */
    int outputs() {
        return outputs;
    }

    /** What is wrong with a stream whose body has ended here, or null. */
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
            markAt = at - start; // most frames of a run have it at one place
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
