package io.millrace.server.relay;

import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.codec.dialect.TailVerdict;
import io.millrace.server.downstream.FrameSink;
import io.millrace.server.format.Interpreter;
import io.millrace.server.http.SecretMask;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The client's frames that an {@link Interpreter} makes from the upstream's frames. */
final class InterpretedFrames implements StreamOutput {
    private final FrameSink sink;
    private final ByteBufAllocator alloc;
    private final Interpreter interpreter;
    private final @Nullable SecretMask mask;
    private boolean contentSeen;

    /** Creates the output to {@code sink}; {@code mask} hides a key of the relay in errors, null if there is none. */
    InterpretedFrames(FrameSink sink, ByteBufAllocator alloc, Interpreter interpreter, @Nullable SecretMask mask) {
        this.sink = sink;
        this.alloc = alloc;
        this.interpreter = interpreter;
        this.mask = mask;
    }

    @Override
    public boolean translates() {
        return true;
    }

    @Override
    public boolean collects() {
        return interpreter.collects();
    }

    @Override
    public boolean failed() {
        return interpreter.failed();
    }

    @Override
    public boolean isOver() {
        return interpreter.isOver();
    }

    @Override
    public int status() {
        return interpreter.status();
    }

    @Override
    public boolean contentSeen() {
        return contentSeen;
    }

    @Override
    public long held() {
        return interpreter.held();
    }

    @Override
    public void frame(FrameKind kind, ByteBuf buf, int start, int end) {
        write(out -> interpreter.frame(buf, start, end, out));
    }

    @Override
    public void piece(FrameKind kind, ByteBuf buf, int start, int end) {
        throw new IllegalStateException("a part of a frame, which cannot be translated");
    }

    @Override
    public void lateLineFeed(ByteBuf buf, int index) {
        // It belongs to a line that has already ended.
    }

    /** Only a frame that lacks just its blank line has a meaning. */
    @Override
    public void tail(ByteBuf tail, TailVerdict verdict) {
        if (verdict != TailVerdict.TERMINAL) {
            return;
        }
        ByteBuf whole = alloc.buffer(tail.readableBytes() + 2);
        try {
            whole.writeBytes(tail, tail.readerIndex(), tail.readableBytes()).writeShort('\n' << 8 | '\n');
            frame(FrameKind.TERMINAL, whole, 0, whole.writerIndex());
        } finally {
            whole.release();
        }
    }

    @Override
    public void onSilence(long nowNs) {
        write(out -> interpreter.onSilence(nowNs, out));
    }

    @Override
    public void stop(StreamInspector inspector, StreamStop stop, boolean awaitsLineFeed) {
        // end() writes the end.
    }

    @Override
    public void end(boolean stopped) {
        if (!interpreter.isOver()) {
            write(stopped ? interpreter::stop : interpreter::finish);
        }
    }

    @Override
    public boolean error(RelayError error, String message, StreamInspector inspector) {
        write(out -> interpreter.fail(error, message, out));
        return true;
    }

    private void write(Consumer<ByteBuf> writer) {
        ByteBuf out = alloc.buffer();
        try {
            writer.accept(out);
            if (mask != null && interpreter.failed()) {
                mask.apply(out);
            }
            if (out.isReadable()) {
                contentSeen = true;
                sink.append(out, out.readerIndex(), out.writerIndex());
            }
        } finally {
            out.release();
        }
    }
}
