package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.codec.dialect.TailVerdict;
import io.millrace.server.downstream.FrameSink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;

/** The upstream's own frames, with the same bytes. */
final class PassedFrames implements StreamOutput {
    private final FrameSink sink;
    private final ByteBufAllocator alloc;
    private final AnswerTerms terms;
    private final Dialect dialect;
    private boolean contentSeen;

    PassedFrames(FrameSink sink, ByteBufAllocator alloc, AnswerTerms terms, Dialect dialect) {
        this.sink = sink;
        this.alloc = alloc;
        this.terms = terms;
        this.dialect = dialect;
    }

    @Override
    public boolean translates() {
        return false;
    }

    @Override
    public boolean collects() {
        return false;
    }

    @Override
    public boolean failed() {
        return false;
    }

    @Override
    public boolean isOver() {
        return false;
    }

    @Override
    public int status() {
        return 200;
    }

    @Override
    public boolean contentSeen() {
        return contentSeen;
    }

    @Override
    public long held() {
        return 0;
    }

    @Override
    public void frame(FrameKind kind, ByteBuf buf, int start, int end) {
        contentSeen |= kind != FrameKind.KEEP_ALIVE;
        sink.append(buf, start, end);
    }

    @Override
    public void piece(FrameKind kind, ByteBuf buf, int start, int end) {
        contentSeen |= kind != FrameKind.KEEP_ALIVE;
        sink.append(buf, start, end);
    }

    @Override
    public void lateLineFeed(ByteBuf buf, int index) {
        sink.append(buf, index, index + 1);
    }

    @Override
    public void tail(ByteBuf tail, TailVerdict verdict) {
        if (verdict != TailVerdict.DROP) {
            sink.append(tail, tail.readerIndex(), tail.writerIndex());
        }
        if (verdict == TailVerdict.HIDDEN_ERROR) {
            append(ByteBufUtil.writeAscii(alloc, dialect == Dialect.GEMINI ? "\r\n\r\n" : "\n\n"));
        }
    }

    @Override
    public void onSilence(long nowNs) {
        // Nothing is held back.
    }

    /** Nothing of the upstream's follows, so that a line feed which its last frame may still wait for is ours to write. */
    @Override
    public void stop(StreamInspector inspector, StreamStop stop, boolean awaitsLineFeed) {
        if (awaitsLineFeed) {
            append(ByteBufUtil.writeAscii(alloc, "\n"));
        }
        append(inspector.stopFrames(alloc, stop));
    }

    @Override
    public void end(boolean stopped) {
        // The upstream's own end is the client's.
    }

    @Override
    public boolean error(RelayError error, String message, StreamInspector inspector) {
        ByteBuf frame = terms.client().errorFrame(alloc, error, message, inspector.sequenceNumber(), terms.requestId());
        if (frame == null) {
            return false;
        }
        append(frame);
        return true;
    }

    private void append(ByteBuf bytes) {
        try {
            if (bytes.isReadable()) {
                sink.append(bytes, bytes.readerIndex(), bytes.writerIndex());
            }
        } finally {
            bytes.release();
        }
    }
}
