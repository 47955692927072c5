package io.millrace.server.relay;

import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.millrace.server.replay.LogReader;
import io.millrace.server.replay.Seal;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/**
 * The client that asked, once it takes less than its upstream sends: it then reads the log like any reader, and the upstream
 * does not wait for it. Confined to its event loop.
 */
final class LateClient implements LogReader {
    private final ClientStream client;
    private final FrameSink sink;
    private final Listener listener;
    private @Nullable Runnable written;

    /** Who gets the answer. */
    interface Listener {
        /** The client has come nearer to the end of what there is. */
        void onLateClientRead();

        /** The client cannot have the rest, because its next bytes are gone. */
        void onLateClientLost();
    }

    /** A client that has all that was written to {@code sink}, with which its response goes on. */
    LateClient(ClientStream client, FrameSink sink, Listener listener) {
        this.client = client;
        this.sink = sink;
        this.listener = listener;
        sink.write();
        client.flush();
    }

    /** What is to run when the kernel has the last of it; may be null. */
    void whenWritten(@Nullable Runnable notice) {
        written = notice;
    }

    @Override
    public boolean wants() {
        return client.isWritable();
    }

    @Override
    public void onBytes(ByteBuf bytes, long offset) {
        sink.take(bytes);
        sink.write();
        client.flush();
        listener.onLateClientRead();
    }

    @Override
    public void onSealed(Seal seal, long end) {
        if (seal == Seal.BROKEN) {
            client.reset();
        } else {
            client.end(seal == Seal.CLEAN ? ClientStream.End.WHOLE : ClientStream.End.IN_ERROR, written);
        }
    }

    @Override
    public void onGone(long oldest) {
        listener.onLateClientLost();
    }
}
