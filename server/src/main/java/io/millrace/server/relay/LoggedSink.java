package io.millrace.server.relay;

import io.millrace.server.downstream.FrameSink;
import io.millrace.server.replay.AnswerId;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * The sink of a stream that is kept: what is appended goes into the log, and to the client as long as it is there. What is
 * appended before the stream begins is held, and is in the log only if this sink begins or goes on with the stream. Confined
 * to its event loop.
 */
final class LoggedSink implements FrameSink {
    private final ByteBufAllocator alloc;
    /** Null once the client is gone. */
    private @Nullable FrameSink client;

    private @Nullable StreamLog log;
    /** Null once the answer's id is known, or is not sought. */
    private @Nullable AnswerId answerId;

    private boolean begun;
    private @Nullable ByteBuf held;
    private long bodyBytes;
    private boolean pending;

    /** A sink whose stream has not begun; {@code client} is the client's, null if that is gone. */
    LoggedSink(ByteBufAllocator alloc, @Nullable FrameSink client) {
        this.alloc = alloc;
        this.client = client;
    }

    /** The client's own sink; null once it is gone. */
    @Nullable
    FrameSink client() {
        return client;
    }

    /** From now on what is appended goes nowhere but into the log, from which the client reads. */
    void keepFromClient() {
        client = null;
    }

    /** The client is gone: what is appended goes nowhere but into the log. */
    void forgetClient() {
        if (client != null) {
            client.discard();
            client = null;
        }
    }

    /**
     * Begins the stream, or goes on with it: what was held is logged first.
     *
     * @param to null if no log is kept
     * @param id looks for the answer's id; null if that is not sought
     * @param before bytes of the body that other sinks have had
     */
    void begin(@Nullable StreamLog to, @Nullable AnswerId id, long before) {
        begun = true;
        log = to;
        answerId = id;
        bodyBytes += before;
        if (held != null) {
            if (log != null) {
                keep(log, held, held.readerIndex(), held.writerIndex());
            }
            held.release();
            held = null;
        }
    }

    @Override
    public long bodyBytes() {
        return bodyBytes;
    }

    @Override
    public boolean hasPending() {
        return pending;
    }

    @Override
    public int pendingBytes() {
        int ofClient = client == null ? 0 : client.pendingBytes();
        return ofClient + (held == null ? 0 : held.readableBytes());
    }

    @Override
    public void append(ByteBuf frames, int start, int end) {
        pending = true;
        bodyBytes += end - start;
        if (log != null) {
            keep(log, frames, start, end);
        } else if (!begun) {
            held = held == null ? alloc.buffer(end - start) : held;
            held.writeBytes(frames, start, end - start);
        }
        if (client != null) {
            client.append(frames, start, end);
        }
    }

    private void keep(StreamLog to, ByteBuf frames, int start, int end) {
        to.append(frames, start, end);
        if (answerId != null && answerId.read(frames, start, end)) {
            answerId = null;
        }
    }

    @Override
    public void write(@Nullable Runnable written) {
        if (begun) {
            pending = false;
        }
        if (client != null) {
            client.write(written);
        }
    }

    @Override
    public void discard() {
        if (client != null) {
            client.discard();
        }
        if (held != null) {
            bodyBytes -= held.readableBytes();
            held.release();
            held = null;
        }
        pending = false;
    }

    @Override
    public void onRead(ByteBuf raw) {
        if (client != null) {
            client.onRead(raw);
        }
    }

    @Override
    public void onChunk(int start, int data, int end) {
        if (client != null) {
            client.onChunk(start, data, end);
        }
    }

    @Override
    public void onReadEnd() {
        if (client != null) {
            client.onReadEnd();
        }
    }
}
