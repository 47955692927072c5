package io.millrace.server.share;

import io.millrace.server.replay.OnceKey;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBufAllocator;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The part of one event loop. It ships the streams that the loop writes, and reads streams of other nodes. Confined to
 * the event loop.
 */
public final class LoopShare {
    private static final long CERTAIN_NS = TimeUnit.MILLISECONDS.toNanos(1_500);
    private static final long RETURN_NS = TimeUnit.SECONDS.toNanos(5);
    private static final long SILENCE_NS = TimeUnit.SECONDS.toNanos(1);

    private final NodeShare node;
    private final int number;
    private final Executor loop;
    private final Shipper shipper;
    private final RemoteStreams remotes;
    private final Errands errands;
    private final FreedNames freed;
    private @Nullable StoreLink link;
    private int connections;
    private long connectedNs;
    private int unanswered;
    private long heardNs;

    /** Receives the result of a search for a stream of another node. Exactly one method is called, once. */
    public interface Found {
        /**
         * The stream exists, and the key may read it.
         *
         * @param head the text that its writer has stored
         * @param log is filled from the store; a reader must attach before this method returns, or never
         */
        void found(String head, StreamLog log);

        /** There is no such stream for this key. */
        void none();

        /** The store does not answer. */
        void unavailable();
    }

    /** The result of a request to stop a stream of another node. */
    public enum Stopped {
        DONE,
        NOT_FOUND,
        /** The store or the node does not answer. */
        UNAVAILABLE
    }

    /**
     * The stream that has the name of a request.
     *
     * @param stream the stream's id
     * @param content the hash of its request
     */
    public record Holder(String stream, String content) {}

    /** @param turns gives readers of a log that are behind their turns */
    LoopShare(NodeShare node, int number, Executor loop, Executor turns, ByteBufAllocator alloc, ReplayMemory memory) {
        this.node = node;
        this.number = number;
        this.loop = loop;
        shipper = new Shipper(this, node.settings().window().toNanos());
        remotes = new RemoteStreams(this, turns, alloc, memory);
        errands = new Errands(this);
        freed = new FreedNames(this);
    }

    /** The number of the event loop. */
    public int number() {
        return number;
    }

    /** This node's name. The ids of its streams begin with it. */
    public String nodeName() {
        return node.name();
    }

    /** Whether this id belongs to a stream of this node. */
    public boolean owns(String id) {
        StreamId parts = StreamId.of(id);
        return parts == null || parts.node().equals(node.name());
    }

    /**
     * Announces a stream before it begins. From now on, clients may ask for it at other nodes. {@code name} is that
     * of its request, or null.
     */
    public void promise(String id, byte[] key, @Nullable OnceKey name) {
        shipper.promise(id, HexFormat.of().formatHex(key), name);
    }

    /**
     * Begins to ship a stream.
     *
     * @param head a text for those who read the stream at other nodes
     * @param log the stream's bytes; this share must be the only listener to its flushes
     * @param bytes the most bytes that the store keeps
     * @param keep how long the store keeps the stream after its end
     */
    public void open(String id, byte[] key, String head, StreamLog log, long bytes, Duration keep) {
        var terms = new Shipment.Terms(bytes, keep.toMillis());
        shipper.open(id, HexFormat.of().formatHex(key), head, log, terms);
    }

    /**
     * The offset up to which the store has a stream of this node for sure, and can be asked for it; 0 without a
     * connection.
     */
    public long stored(String id) {
        return isConnected() ? shipper.stored(id) : 0;
    }

    /** Forgets a stream that this node no longer keeps. The store keeps it until its time is over. */
    public void drop(String id) {
        shipper.drop(id);
    }

    /** Deletes the stream from the store. */
    public void delete(String id) {
        shipper.delete(id);
    }

    /** Searches a stream in the store: one of another node, or one of this node of which the log has dropped bytes. */
    public void find(String id, byte[] key, Found told) {
        remotes.find(id, key, told);
    }

    /** Drops what was read from the store and is not read by a client at the moment. */
    public void relieve() {
        remotes.relieve();
    }

    /** Stops a stream of another node. If it has ended, deletes it. */
    public void stop(String id, byte[] key, Consumer<Stopped> told) {
        errands.stop(id, key, told);
    }

    /**
     * Claims the name of a request for a stream of this node, which has the name among the streams of this node. If the
     * store does not answer, the claim is valid on this node only.
     *
     * @param told receives the stream of another node that has the name already; null if this stream has it now
     */
    public void claim(OnceKey name, String id, Consumer<@Nullable Holder> told) {
        errands.claim(name, id, told);
    }

    /** Releases the name of a request, if it belongs to this stream. */
    public void free(OnceKey name, String id) {
        shipper.unnamed(id);
        free(keys().once(name.scope()), id);
    }

    /** Deletes a key of the store, if it names this stream. Returns false if too many wait to be deleted. */
    boolean free(String key, String id) {
        return freed.free(key, id);
    }

    FreedNames freed() {
        return freed;
    }

    /** Names a stream by the id of its answer. */
    public void answered(String name, String id) {
        shipper.answered(id, name);
    }

    /** Searches the stream of an answer. {@code told} receives null if there is none. */
    public void ofAnswer(String name, Consumer<@Nullable String> told) {
        errands.ofAnswer(name, told);
    }

    /** Runs {@code task} on this event loop. */
    void execute(Runnable task) {
        loop.execute(task);
    }

    /** Runs {@code task} on this event loop after so many nanoseconds. There must be a connection. */
    void later(Runnable task, long delayNs) {
        if (link != null) {
            link.later(task, delayNs);
        }
    }

    NodeShare node() {
        return node;
    }

    StoreKeys keys() {
        return node.keys();
    }

    StoreCounters counters() {
        return node.counters();
    }

    long nowNs() {
        return node.nowNs();
    }

    /**
     * For how long the lease of another node must be missing until that node counts as dead. A store that has lost
     * everything has all leases again within a second. A store that was away may have come back empty, and the other
     * node may need longer to reach it again.
     */
    long certainNs() {
        boolean returned = connections > 1 && nowNs() - connectedNs < RETURN_NS;
        return returned ? RETURN_NS : CERTAIN_NS;
    }

    boolean isConnected() {
        return link != null && link.isConnected();
    }

    /** Sends a command. Without a connection, nothing happens. */
    void call(StoreLink.Answer answer, Object... words) {
        StoreLink its = link;
        if (its == null || !its.isConnected()) {
            return;
        }
        int connection = connections;
        if (unanswered++ == 0) {
            heardNs = nowNs();
        }
        its.call(
                (reply, refusal) -> {
                    if (connection == connections) {
                        unanswered--;
                        heardNs = nowNs();
                        if (refusal != null) {
                            counters().refused(refusal);
                        }
                        answer.on(reply, refusal);
                    }
                },
                words);
    }

    /** Sends a message, a text or a {@link StoreLink.Content}, to another node. It may be lost. */
    void tell(String other, Object text) {
        call(Shipper.IGNORED, "PUBLISH", keys().inbox(other), text);
    }

    /** Must be called when a connection was made. */
    public void onConnected(StoreLink its) {
        link = its;
        connections++;
        connectedNs = nowNs();
        unanswered = 0;
        counters().up(1);
        if (number == 0) {
            node.renewLease(this);
        }
        shipper.onUnsure();
        freed.onConnected();
        remotes.onConnected();
    }

    /** Must be called when the connection was lost: once after each {@link #onConnected}. */
    public void onLost() {
        connections++;
        unanswered = 0;
        counters().up(-1);
        counters().disconnected();
        freed.onLost();
        remotes.onLost();
        errands.onLost();
    }

    /** The store has lost its data. */
    void onForgotten() {
        shipper.onUnsure();
    }

    /** Must be called at least ten times a second. */
    public void tick() {
        long nowNs = nowNs();
        if (link != null && unanswered > 0 && nowNs - heardNs > SILENCE_NS && link.isConnected()) {
            link.reset("no answer for " + TimeUnit.NANOSECONDS.toMillis(SILENCE_NS) + " ms");
        }
        if (number == 0) {
            node.tick(this, nowNs);
        }
        shipper.tick(nowNs);
        remotes.tick(nowNs);
        errands.tick(nowNs);
    }

    /** Another node has clients who follow a stream of this loop. */
    void onFollow(String id, String other) {
        shipper.follow(id, other);
    }

    /** A stream of another node, which this loop reads, has new bytes. */
    void onBell(Bell bell) {
        remotes.onBell(bell);
    }

    Errands errands() {
        return errands;
    }

    /** Ships the remaining bytes and forgets the streams of other nodes, because the relay stops. */
    public void close() {
        shipper.close();
        remotes.close();
    }
}
