package io.millrace.server.share;

import io.millrace.server.replay.ReplayMemory;
import io.netty.buffer.ByteBufAllocator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;

/** The streams of other nodes that this event loop reads. Confined to the event loop. */
final class RemoteStreams {
    /** The most streams at the same time. Each one costs a question, even if it does not exist. */
    private static final int MOST = 10_000;

    private final LoopShare share;
    private final Executor turns;
    private final ByteBufAllocator alloc;
    private final ReplayMemory memory;
    private final Map<String, RemoteStream> streams = new HashMap<>();

    RemoteStreams(LoopShare share, Executor turns, ByteBufAllocator alloc, ReplayMemory memory) {
        this.share = share;
        this.turns = turns;
        this.alloc = alloc;
        this.memory = memory;
    }

    void find(String id, byte[] key, LoopShare.Found told) {
        if (StreamId.of(id) == null) {
            told.none();
        } else if (!share.isConnected() || (streams.size() >= MOST && !streams.containsKey(id))) {
            told.unavailable();
        } else {
            streams.computeIfAbsent(id, its -> new RemoteStream(this, its)).ask(key, told);
        }
    }

    void onBell(Bell bell) {
        RemoteStream stream = streams.get(bell.id());
        if (stream != null) {
            stream.onBell(bell);
        }
    }

    void onConnected() {
        streams.values().forEach(RemoteStream::onConnected);
    }

    void onLost() {
        List.copyOf(streams.values()).forEach(RemoteStream::onLost);
    }

    void tick(long nowNs) {
        if (!streams.isEmpty()) {
            List.copyOf(streams.values()).forEach(stream -> stream.tick(nowNs));
        }
    }

    /** Drops the streams that nobody reads at the moment. */
    void relieve() {
        List.copyOf(streams.values()).stream().filter(RemoteStream::isIdle).forEach(RemoteStream::close);
    }

    boolean has(String id, RemoteStream stream) {
        return streams.get(id) == stream;
    }

    /** Removes {@code stream}. A later one with the same id stays. */
    void remove(String id, RemoteStream stream) {
        streams.remove(id, stream);
    }

    void close() {
        List.copyOf(streams.values()).forEach(RemoteStream::close);
    }

    LoopShare share() {
        return share;
    }

    ByteBufAllocator alloc() {
        return alloc;
    }

    ReplayMemory memory() {
        return memory;
    }

    /** Gives readers that are behind their turns. */
    Executor turns() {
        return turns;
    }
}
