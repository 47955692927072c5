package io.millrace.server.share;

import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBufAllocator;
import java.time.Duration;
import java.util.HexFormat;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What one event loop shares: it ships the streams that it writes, and reads those of other nodes. Confined to it. */
public final class LoopShare {
    private static final long SILENCE_NS = TimeUnit.SECONDS.toNanos(1);

    private final NodeShare node;
    private final int number;
    private final Executor loop;
    private final Shipper shipper;
    private final RemoteStreams remotes;
    private final Errands errands;
    private @Nullable StoreLink link;
    private int connections;
    private int unanswered;
    private long heardNs;

    /** Who asks for a stream of another node. One of the methods is called, once. */
    public interface Found {
        /**
         * There is one, and the key may read it.
         *
         * @param head what its owner has said of it
         * @param log filled from the store; attached to before this returns, or not at all
         */
        void found(String head, StreamLog log);

        /** There is none, or not for this key. */
        void none();

        /** The store does not answer. */
        void unavailable();
    }

    /** What became of a request to stop a stream of another node. */
    public enum Stopped {
        DONE,
        NOT_FOUND,
        /** The store or the node does not answer. */
        UNAVAILABLE
    }

    /**
     * What a request's name stands for.
     *
     * @param stream the stream that has it
     * @param content the hash of the request that has it
     */
    public record Holder(String stream, String content) {}

    LoopShare(NodeShare node, int number, Executor loop, ByteBufAllocator alloc, ReplayMemory memory) {
        this.node = node;
        this.number = number;
        this.loop = loop;
        shipper = new Shipper(this, node.settings().window().toNanos());
        remotes = new RemoteStreams(this, alloc, memory);
        errands = new Errands(this);
    }

    /** The number of the event loop. */
    public int number() {
        return number;
    }

    /** This node's name, which the ids of its streams begin with. */
    public String nodeName() {
        return node.name();
    }

    /** Whether a stream with this id would be one of this node. */
    public boolean owns(String id) {
        StreamId parts = StreamId.of(id);
        return parts == null || parts.node().equals(node.name());
    }

    /** Others may ask for the stream from now on; {@code scope} is the name of its request, or null. */
    public void promise(String id, byte[] key, @Nullable String scope) {
        shipper.promise(id, HexFormat.of().formatHex(key), scope);
    }

    /**
     * A stream has begun.
     *
     * @param head what those who read it elsewhere must know
     * @param log its bytes; nobody else may be told of its flushes
     * @param bytes the most that are kept
     * @param keep for how long after its end
     */
    public void open(String id, byte[] key, String head, StreamLog log, long bytes, Duration keep) {
        var terms = new Shipment.Terms(bytes, keep.toMillis());
        shipper.open(id, HexFormat.of().formatHex(key), head, log, terms);
    }

    /** Nothing of the stream is here any more. The store keeps it as long as it was told to. */
    public void drop(String id) {
        shipper.drop(id);
    }

    /** The store is to forget the stream. */
    public void delete(String id) {
        shipper.delete(id);
    }

    /** Looks for a stream of another node. */
    public void find(String id, byte[] key, Found told) {
        remotes.find(id, key, told);
    }

    /** Stops a stream of another node, or forgets it. */
    public void stop(String id, byte[] key, Consumer<Stopped> told) {
        errands.stop(id, key, told);
    }

    /**
     * Claims the name of a request for a stream of this node. Where the store does not answer, the claim holds for this node
     * alone.
     *
     * @param told gets what has the name, or null if this stream has it
     */
    public void claim(String scope, String content, String id, Consumer<@Nullable Holder> told) {
        errands.claim(scope, content, id, told);
    }

    /** Frees the name of a request that this node has claimed. */
    public void free(String scope) {
        call(Shipper.IGNORED, "DEL", keys().once(scope));
    }

    /** Names a stream by the id of its answer. */
    public void answered(String name, String id) {
        call(Shipper.IGNORED, "SET", keys().answer(name), id, "PX", Shipment.LIFE_MS);
    }

    /** Looks for the stream of an answer; {@code told} gets null if there is none. */
    public void ofAnswer(String name, Consumer<@Nullable String> told) {
        errands.ofAnswer(name, told);
    }

    /** Runs {@code task} on this event loop. */
    void execute(Runnable task) {
        loop.execute(task);
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

    boolean isConnected() {
        return link != null && link.isConnected();
    }

    /** Sends a command, if there is a connection. */
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

    /** Tells another node something. A message may be lost. */
    void tell(String other, String text) {
        call(Shipper.IGNORED, "PUBLISH", keys().inbox(other), text);
    }

    /** There is a connection. */
    public void onConnected(StoreLink its) {
        link = its;
        connections++;
        unanswered = 0;
        counters().up(1);
        if (number == 0) {
            node.renewLease(this);
        }
        shipper.onUnsure();
        remotes.onConnected();
    }

    /** There is no connection any more; to be called after each {@link #onConnected} once. */
    public void onLost() {
        connections++;
        unanswered = 0;
        counters().up(-1);
        counters().disconnected();
        remotes.onLost();
        errands.onLost();
    }

    /** The store has lost what it had. */
    void onForgotten() {
        shipper.onUnsure();
    }

    /** To be called often: at least ten times a second. */
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

    /** A node has clients who follow a stream of this loop. */
    void onFollow(String id, String other) {
        shipper.follow(id, other);
    }

    /** There is more of a stream that this loop reads. */
    void onBell(String id) {
        remotes.onBell(id);
    }

    Errands errands() {
        return errands;
    }

    /** The relay stops: ships what is left, and forgets the streams of other nodes. */
    public void close() {
        shipper.close();
        remotes.close();
    }
}
