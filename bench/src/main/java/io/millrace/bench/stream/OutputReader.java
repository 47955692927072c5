package io.millrace.bench.stream;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.dialect.TailVerdict;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.codec.sse.SseFrameListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/** Reads bodies for {@code bench}. It splits them into frames and gives each to the inspector of the dialect. */
@SuppressWarnings("NullAway.Init") // set at the begin of each stream
final class OutputReader implements BodyReader, SseFrameListener {
    private final Dialect dialect;
    private final StreamObserver observer;
    private final long stallNs;
    private final Stamps stamps = new Stamps();
    private final Digest digest = new Digest();
    private final StreamDetails details = new StreamDetails();
    private @Nullable SseFrameDecoder decoder;
    private StreamInspector inspector;
    private StreamSample stream;
    private long nowNs;
    private int readOutputs;

    OutputReader(Dialect dialect, StreamObserver observer, long stallNs) {
        this.dialect = dialect;
        this.observer = observer;
        this.stallNs = stallNs;
    }

    @Override
    public void begin(StreamSample stream, ByteBufAllocator alloc) {
        close();
        this.stream = stream;
        decoder = new SseFrameDecoder(alloc);
        inspector = dialect.newInspector();
        stamps.reset();
        digest.reset();
        details.clear();
        nowNs = 0;
    }

    /** The head says whether the mock will send a digest at the end of the body. */
    @Override
    public void onHead(Response response) {
        if (!response.field("x-mock-digest").isEmpty()) {
            digest.expect();
        }
    }

    @Override
    public void read(ByteBuf in, long readNs) {
        if (readNs != nowNs) {
            endRead();
            nowNs = readNs;
        }
        requireNonNull(decoder).decode(in, this);
    }

    @Override
    public long outputs() {
        return stream.outputs;
    }

    /** The rest of the body may complete the answer. */
    @Override
    public Outcome endBody() {
        endRead();
        ByteBuf tail = requireNonNull(decoder).takeTail();
        if (tail != null) {
            try {
                digest.add(tail, tail.readerIndex(), tail.writerIndex());
                if (inspector.inspectTail(tail, tail.readerIndex(), tail.writerIndex()) == TailVerdict.TERMINAL
                        && stream.terminalNs == 0) {
                    stream.terminalNs = nowNs;
                }
            } finally {
                tail.release();
            }
        }
        return switch (inspector.end()) {
            case OPEN -> Outcome.TRUNCATED;
            case ERROR -> Outcome.ERROR_EVENT;
            case HIDDEN_ERROR -> Outcome.HIDDEN_ERROR;
            case FINISHED, DONE, TERMINAL -> damage().isEmpty() ? Outcome.COMPLETED : Outcome.DAMAGED;
        };
    }

    @Override
    public String detail() {
        return switch (inspector.end()) {
            case OPEN -> "";
            case ERROR, HIDDEN_ERROR -> inspector.errorType() == null ? "" : inspector.errorType();
            case FINISHED, DONE, TERMINAL -> damage();
        };
    }

    @Override
    public StreamDetails details() {
        return details;
    }

    @Override
    public void close() {
        endRead();
        if (decoder != null) {
            decoder.close();
            decoder = null;
            var usage = inspector.usage();
            stream.inputTokens = usage.inputTokens();
            stream.outputTokens = usage.outputTokens();
            stream.stamped = stamps.present();
        }
    }

    /** How a stream that seems complete differs from the mock's bytes; empty if no difference is known. */
    private String damage() {
        if (stamps.outOfOrder()) {
            return "stamps out of order";
        }
        if (digest.differs()) {
            return "other bytes";
        }
        return digest.isMissing() ? "last frames missing" : "";
    }

    private void endRead() {
        if (readOutputs > 0) {
            stream.reads++;
            if (stream.counts()) {
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
        stream.frames++;
        if (stream.firstFrameNs == 0) {
            stream.firstFrameNs = nowNs;
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
        stream.outputs++;
        readOutputs++;
        if (stream.firstContentNs == 0) {
            noteFirst(buf, start, end);
        }
        if (stream.firstOutputNs == 0) {
            stream.firstOutputNs = nowNs;
            observer.onFirstOutput(stream.scheduledNs(), nowNs);
        } else {
            long gapNs = nowNs - stream.lastOutputNs;
            stream.longestGapNs = Math.max(stream.longestGapNs, gapNs);
            if (gapNs >= stallNs) {
                stream.stalls++;
            }
            observer.onGap(gapNs, nowNs);
            if (stream.counts()) {
                details.addGap(gapNs);
            }
        }
        stream.lastOutputNs = nowNs;
        if (stream.answer != null) {
            AnswerText.append(stream.answer, dialect, buf, start, end);
        }
        long madeNs = stamps.read(buf, start, end);
        if (madeNs != 0 && stream.counts()) {
            details.addTransit(nowNs - madeNs);
        }
    }

    private void noteFirst(ByteBuf buf, int start, int end) {
        if (!Reasoning.isIn(dialect, buf, start, end)) {
            stream.firstContentNs = nowNs;
        } else if (stream.firstReasoningNs == 0) {
            stream.firstReasoningNs = nowNs;
        }
    }

    private void noteEnd() {
        var end = inspector.end();
        if (stream.terminalNs == 0 && end != StreamEnd.OPEN && end != StreamEnd.FINISHED) {
            stream.terminalNs = nowNs;
        }
    }
}
