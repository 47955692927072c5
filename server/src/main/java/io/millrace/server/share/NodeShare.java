package io.millrace.server.share;

import io.millrace.server.config.ResumeStore;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** The part of this node: its name, its lease, and a share for each event loop. */
public final class NodeShare {
    private static final long BEAT_NS = TimeUnit.SECONDS.toNanos(1);
    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
    private static final int NAME_LENGTH = 8;

    private final ResumeStore settings;
    private final StoreKeys keys;
    private final StoreCounters counters = new StoreCounters();
    private final Owner owner;
    private final LongSupplier clock;
    private final String name = newName();
    private final List<LoopShare> loops = new ArrayList<>();
    private long beatNs;
    private boolean leased;

    /** What the relay of this node does for other nodes. */
    public interface Owner {
        /**
         * Stops a stream. If it has ended, forgets it. Called on the stream's event loop.
         *
         * @param loop the number of the event loop
         * @return false if there is no such stream for this key
         */
        boolean stop(int loop, String id, byte[] key);

        /**
         * The error event that ends a stream whose node is gone.
         *
         * @param head the text that the node has stored
         * @return null if the stream cannot have an error event at its end
         */
        @Nullable
        ByteBuf lostEvent(String head, StreamLog log, ByteBufAllocator alloc);

        /** The most bytes that are kept of one stream. */
        int most();
    }

    /** A node with a new name. */
    public NodeShare(ResumeStore settings, Owner owner, LongSupplier clock) {
        this.settings = settings;
        this.owner = owner;
        this.clock = clock;
        keys = new StoreKeys(settings.redis().prefix());
    }

    private static String newName() {
        var random = new SecureRandom();
        var text = new StringBuilder(NAME_LENGTH);
        for (int i = 0; i < NAME_LENGTH; i++) {
            text.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        }
        return text.toString();
    }

    /**
     * Adds the share of an event loop that relays. Must not be called after the first request.
     *
     * @param turns gives readers of a log that are behind their turns; called on the event loop only
     */
    public LoopShare add(Executor loop, Executor turns, ByteBufAllocator alloc, ReplayMemory memory) {
        var share = new LoopShare(this, loops.size(), loop, turns, alloc, memory);
        loops.add(share);
        counters.link();
        return share;
    }

    /** The shares, in the order of their event loops. */
    public List<LoopShare> loops() {
        return List.copyOf(loops);
    }

    /** The share that reads a stream of another node; null if the id does not name a node. */
    public @Nullable LoopShare readerOf(String id) {
        StreamId parts = StreamId.of(id);
        return parts == null || parts.node().isEmpty() || loops.isEmpty()
                ? null
                : loops.get(parts.loop() % loops.size());
    }

    /** This node's name. */
    public String name() {
        return name;
    }

    /** The counters of this node's use of the store. */
    public StoreCounters counters() {
        return counters;
    }

    /** The settings of the store. */
    public ResumeStore settings() {
        return settings;
    }

    /** The channel for messages to this node. */
    public String inbox() {
        return keys.inbox(name);
    }

    /** Handles a message from the channel of this node, whose characters are its bytes. Thread-safe. */
    public void onMessage(String text) {
        if (text.startsWith(Bell.BEGIN)) {
            ring(Bell.read(text));
            return;
        }
        String[] words = text.split(" ", -1);
        String id = words.length > 1 ? words[1] : "";
        switch (words[0]) {
            case "follow" -> {
                if (words.length == 3) {
                    atOwner(id, loop -> loop.onFollow(id, words[2]));
                }
            }
            case "stop" -> {
                if (words.length == 5) {
                    atOwner(id, loop -> loop.errands().onStop(id, words[2], words[3], words[4]));
                }
            }
            case "stopped" -> {
                for (LoopShare loop : loops) {
                    loop.execute(() -> loop.errands().onStopped(id, words[words.length - 1]));
                }
            }
            default -> {
                // A later version may send other messages.
            }
        }
    }

    /** Streams of other nodes have new bytes. */
    private void ring(List<Bell> bells) {
        var byReader = new HashMap<LoopShare, List<Bell>>();
        for (Bell bell : bells) {
            LoopShare reader = readerOf(bell.id());
            if (reader != null) {
                byReader.computeIfAbsent(reader, its -> new ArrayList<>()).add(bell);
            }
        }
        byReader.forEach((loop, its) -> loop.execute(() -> its.forEach(loop::onBell)));
    }

    private void atOwner(String id, Consumer<LoopShare> action) {
        StreamId parts = StreamId.of(id);
        if (parts != null && parts.node().equals(name) && parts.loop() < loops.size()) {
            LoopShare loop = loops.get(parts.loop());
            loop.execute(() -> action.accept(loop));
        }
    }

    StoreKeys keys() {
        return keys;
    }

    Owner owner() {
        return owner;
    }

    long nowNs() {
        return clock.getAsLong();
    }

    /** Renews the lease if it is time. Called on the first event loop. */
    void tick(LoopShare first, long nowNs) {
        if (nowNs - beatNs >= BEAT_NS) {
            renewLease(first);
        }
    }

    /**
     * Renews the lease, which says that this node is alive. It begins as a write and is then only extended, so that a
     * full store does not end it. If the store has lost the lease, it has lost the streams, too.
     */
    void renewLease(LoopShare first) {
        beatNs = nowNs();
        long ms = settings.lease().toMillis();
        if (leased) {
            first.call((there, refusal) -> onRenewed(first, there), "PEXPIRE", keys.node(name), ms);
        } else {
            first.call((reply, refusal) -> leased |= refusal == null, "SET", keys.node(name), "1", "PX", ms);
        }
    }

    private void onRenewed(LoopShare first, @Nullable Object there) {
        if (there instanceof Long count && count == 0) {
            leased = false;
            renewLease(first);
            loops.forEach(loop -> loop.execute(loop::onForgotten));
        }
    }

    /** Ends the lease, because the relay stops and has shipped its streams. Called on the first event loop. */
    public void endLease() {
        loops.get(0).call(Shipper.IGNORED, "DEL", keys.node(name));
    }
}
