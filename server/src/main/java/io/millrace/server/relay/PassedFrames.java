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

/** The upstream's own frames, unchanged. */
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
    public boolean contentSeen() {
        return contentSeen;
    }

    @Override
    public void frame(FrameKind kind, ByteBuf buf, int start, int end) {
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
            sink.take(ByteBufUtil.writeAscii(alloc, dialect == Dialect.GEMINI ? "\r\n\r\n" : "\n\n"));
        }
    }

    /** No further byte of the upstream follows. If its last frame still lacks a line feed, this writes it. */
    @Override
    public void stop(StreamInspector inspector, StreamStop stop, boolean awaitsLineFeed) {
        if (awaitsLineFeed) {
            sink.take(ByteBufUtil.writeAscii(alloc, "\n"));
        }
        sink.take(inspector.stopFrames(alloc, stop));
    }

    @Override
    public boolean error(RelayError error, String message, StreamInspector inspector) {
        ByteBuf frame = terms.client().errorFrame(alloc, error, message, inspector.sequenceNumber(), terms.requestId());
        if (frame == null) {
            return false;
        }
        sink.take(frame);
        return true;
    }
}
