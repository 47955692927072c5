package io.millrace.server.share;

import io.millrace.server.replay.ReplayMemory;
import io.netty.buffer.ByteBufAllocator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;

/** The streams of other nodes that clients of this node read on one event loop. Confined to it. */
final class RemoteStreams {
    /** Streams that clients ask for at the same time; a client that asks for what is not there costs a question. */
    private static final int MOST = 10_000;

    private final LoopShare share;
    private final ByteBufAllocator alloc;
    private final ReplayMemory memory;
    private final Map<String, RemoteStream> streams = new HashMap<>();

    RemoteStreams(LoopShare share, ByteBufAllocator alloc, ReplayMemory memory) {
        this.share = share;
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

    void onBell(String id) {
        RemoteStream stream = streams.get(id);
        if (stream != null) {
            stream.onBell();
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

    void remove(String id) {
        streams.remove(id);
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

    Executor loop() {
        return share::execute;
    }
}
