package io.millrace.bench.stream;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.dialect.TailVerdict;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.sse.SseFrameListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/** Reads the body of one stream after another: cuts it into frames, and stamps those that matter. */
final class OutputReader implements SseFrameListener {
    private final Dialect dialect;
    private final StreamObserver observer;
    private final long stallNs;
    private final Stamps stamps = new Stamps();
    private final Digest digest = new Digest();
    private final StreamDetails details = new StreamDetails();
    private SseFrameDecoder decoder;
    private StreamInspector inspector;
    private boolean counts;
    private long scheduledNs;
    private long nowNs;
    private int readOutputs;

    long firstFrameNs;
    long firstReasoningNs;
    long firstContentNs;
    long firstOutputNs;
    long lastOutputNs;
    long terminalNs;
    long longestGapNs;
    long stalls;
    long frames;
    long outputs;
    long reads;
    long bytes;

    OutputReader(Dialect dialect, StreamObserver observer, long stallNs) {
        this.dialect = dialect;
        this.observer = observer;
        this.stallNs = stallNs;
    }

    /** A new stream begins. */
    void begin(ByteBufAllocator alloc, long scheduledNs, boolean counts) {
        close();
        decoder = new SseFrameDecoder(alloc);
        inspector = dialect.newInspector();
        stamps.reset();
        details.clear();
        this.scheduledNs = scheduledNs;
        this.counts = counts;
        nowNs = 0;
        readOutputs = 0;
        firstFrameNs = 0;
        firstReasoningNs = 0;
        firstContentNs = 0;
        firstOutputNs = 0;
        lastOutputNs = 0;
        terminalNs = 0;
        longestGapNs = 0;
        stalls = 0;
        frames = 0;
        outputs = 0;
        reads = 0;
        bytes = 0;
        digest.reset();
    }

    /** The head of the response promises the mock's digest at the end of the body. */
    void expectDigest() {
        digest.expect();
    }

    /** Reads on; the bytes came with the read of the socket at {@code readNs}. */
    void read(ByteBuf in, long readNs) {
        if (readNs != nowNs) {
            endRead();
            nowNs = readNs;
        }
        bytes += in.readableBytes();
        decoder.decode(in, this);
    }

    StreamInspector inspector() {
        return inspector;
    }

    /** What the stream brought many of, until the next begins. */
    StreamDetails details() {
        return details;
    }

    Stamps stamps() {
        return stamps;
    }

    /** How a stream that seems whole differs from what the mock sent; null if it does not, as far as that can be seen. */
    String damage() {
        if (stamps.outOfOrder()) {
            return "stamps out of order";
        }
        if (digest.differs()) {
            return "other bytes";
        }
        return digest.isMissing() ? "last frames missing" : null;
    }

    /** The body has ended by its own framing: what is left may complete the answer. */
    void endBody() {
        endRead();
        ByteBuf tail = decoder.takeTail();
        if (tail != null) {
            try {
                digest.add(tail, tail.readerIndex(), tail.writerIndex());
                if (inspector.inspectTail(tail, tail.readerIndex(), tail.writerIndex()) == TailVerdict.TERMINAL
                        && terminalNs == 0) {
                    terminalNs = nowNs;
                }
            } finally {
                tail.release();
            }
        }
    }

    /** The stream is over, however it ended. */
    void close() {
        endRead();
        if (decoder != null) {
            decoder.close();
            decoder = null;
        }
    }

    private void endRead() {
        if (readOutputs > 0) {
            reads++;
            if (counts) {
                details.addRead(readOutputs);
            }
            readOutputs = 0;
        }
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        onKind(inspector.inspect(buf, start, end), buf, start, end);
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        var kind = inspector.inspectPiece(buf, start, end, first, last);
        if (first) {
            onKind(kind, buf, start, end);
        } else {
            digest.add(buf, start, end);
            noteEnd();
        }
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        digest.add(buf, index, index + 1);
    }

    private void onKind(FrameKind kind, ByteBuf buf, int start, int end) {
        frames++;
        if (firstFrameNs == 0) {
            firstFrameNs = nowNs;
        }
        if (digest.isExpected()) {
            if (buf.getByte(start) == ':') {
                digest.compare(buf, start, end);
            } else {
                digest.add(buf, start, end);
            }
        }
        if (kind == FrameKind.OUTPUT) {
            onOutput(buf, start, end);
        }
        noteEnd();
    }

    private void onOutput(ByteBuf buf, int start, int end) {
        outputs++;
        readOutputs++;
        if (firstContentNs == 0) {
            noteFirst(buf, start, end);
        }
        if (firstOutputNs == 0) {
            firstOutputNs = nowNs;
            observer.onFirstOutput(scheduledNs, nowNs);
        } else {
            long gapNs = nowNs - lastOutputNs;
            longestGapNs = Math.max(longestGapNs, gapNs);
            if (gapNs >= stallNs) {
                stalls++;
            }
            observer.onGap(gapNs, nowNs);
            if (counts) {
                details.addGap(gapNs);
            }
        }
        lastOutputNs = nowNs;
        long madeNs = stamps.read(buf, start, end);
        if (madeNs != 0 && counts) {
            details.addTransit(nowNs - madeNs);
        }
    }

    private void noteFirst(ByteBuf buf, int start, int end) {
        if (!Reasoning.isIn(dialect, buf, start, end)) {
            firstContentNs = nowNs;
        } else if (firstReasoningNs == 0) {
            firstReasoningNs = nowNs;
        }
    }

    private void noteEnd() {
        var end = inspector.end();
        if (terminalNs == 0 && end != StreamEnd.OPEN && end != StreamEnd.FINISHED) {
            terminalNs = nowNs;
        }
    }
}
