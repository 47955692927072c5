package io.millrace.server.share;

import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A stream of another node, read from the store. All clients of this event loop that read it share one log. It is first
 * sought, then read while it is in progress, then ended, then over. Confined to an event loop.
 */
final class RemoteStream {
    private static final int BATCH = 64;
    private static final int SPARE = 64 * 1024;
    private static final long LOOK_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long SOON_NS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long FOLLOW_NS = TimeUnit.SECONDS.toNanos(5);

    /** A stream that the store has lost counts as gone after this time. A node that is alive has shipped it again by then. */
    private static final long FORGOTTEN_NS = TimeUnit.SECONDS.toNanos(3);

    private static final long IDLE_NS = TimeUnit.SECONDS.toNanos(5);

    private final RemoteStreams all;
    private final String id;
    private final String node;
    private final List<Asker> askers = new ArrayList<>();
    private @Nullable RemoteHead head;
    private @Nullable StreamLog log;
    /** Whether a question was sent and is not answered yet. */
    private boolean busy;
    /** Whether the node has said that there is more, and no question was sent since then. */
    private boolean bell;
    /** Whether the store has more, which was not read because the log is full. */
    private boolean more;

    private final Since absent = new Since();
    private final Since down = new Since();
    private final Since unknown = new Since();
    private long askedNs;
    private long lookedNs;
    private long checkedNs;
    private long followedNs;

    @SuppressWarnings("ArrayRecordComponent") // not compared
    private record Asker(byte[] key, LoopShare.Found told, long sinceNs) {}

    RemoteStream(RemoteStreams all, String id) {
        this.all = all;
        this.id = id;
        StreamId parts = StreamId.of(id);
        node = parts == null ? "" : parts.node();
        followedNs = share().nowNs() - FOLLOW_NS;
    }

    private LoopShare share() {
        return all.share();
    }

    /** Adds a client that asks for the stream with this key. */
    void ask(byte[] key, LoopShare.Found told) {
        askedNs = share().nowNs();
        askers.add(new Asker(key, told, askedNs));
        if (!busy) {
            look();
        }
    }

    void onBell(Bell its) {
        absent.is(false, 0); // Its node is alive, also if the store has dropped the lease to save memory.
        if (busy) {
            bell = true;
        } else if (isFull()) {
            more = true;
        } else if (isLive() && (log == null || !its.appendTo(log))) {
            look();
        }
    }

    private boolean isLive() {
        return log == null || (log.seal() == null && !log.isClosed());
    }

    /** Asks the store for new entries. */
    private void look() {
        busy = true;
        bell = false;
        lookedNs = share().nowNs();
        StoreKeys keys = share().keys();
        if (log == null || !askers.isEmpty() || absent.is() || lookedNs - checkedNs >= LOOK_NS) {
            checkedNs = lookedNs;
            share().call(this::onNode, "EXISTS", keys.node(node));
            share().call(this::onHead, "GET", keys.head(id));
        }
        String from = log == null ? "-" : "(" + log.tail() + "-0";
        share().call(this::onEntries, "XRANGE", keys.bytes(id), from, "+", "COUNT", (long) BATCH);
    }

    private void onNode(@Nullable Object reply, @Nullable String refusal) {
        if (refusal == null) {
            absent.is(reply instanceof Long nodes && nodes == 0, share().nowNs());
        }
    }

    private void onHead(@Nullable Object reply, @Nullable String refusal) {
        if (refusal != null) {
            return;
        }
        RemoteHead found = RemoteHead.of(reply);
        unknown.is(found == null, share().nowNs());
        if (found != null) {
            head = found;
        }
    }

    private void onEntries(@Nullable Object reply, @Nullable String refusal) {
        busy = false;
        if (!all.has(id, this)) {
            return;
        }
        if (refusal != null) {
            failAskers();
            return;
        }
        refuse();
        if (log == null && askers.isEmpty()) {
            over();
            return;
        }
        if (!isLive() && unknown.is()) {
            forget();
            return;
        }
        if (!isLive()) {
            answerAskers();
            return;
        }
        List<Entries.Entry> entries = Entries.of(reply);
        if (head == null || !head.hasBegun()) {
            onNotBegun();
            return;
        }
        if (log == null) {
            if (askers.stream().noneMatch(this::mayRead)) {
                return; // Nothing is read for those who may not have it.
            }
            log = newLog(entries);
        }
        boolean full = isFull();
        if (!full) {
            append(log, entries);
        }
        more = isLive() && entries.size() >= (full ? 1 : BATCH);
        if (more && !isFull()) {
            look();
        } else if (isLive() && !more && isDead()) {
            endLost();
        } else if (isLive() && unknown.isFor(FORGOTTEN_NS, share().nowNs())) {
            close();
        } else {
            answerAskers();
            if (bell && isLive() && !isFull()) {
                look();
            }
        }
    }

    /**
     * Answers the askers whose key may not read the stream, as if there were no stream. Both answers come after the
     * second look, so that their time tells nothing, and because the node may just be writing the stream.
     */
    private void refuse() {
        long nowNs = share().nowNs();
        for (Asker each : List.copyOf(askers)) {
            if (!mayRead(each) && (absent.is() || nowNs - each.sinceNs() >= SOON_NS)) {
                askers.remove(each);
                each.told().none();
            }
        }
    }

    private boolean mayRead(Asker asker) {
        RemoteHead known = head;
        return known != null && known.isOf(asker.key());
    }

    /** The stream has not begun. If its node is dead or has deleted it, it never will. */
    private void onNotBegun() {
        if (isDead()) {
            freeName();
        }
        if (isDead() || (head != null && unknown.is())) {
            forget();
        }
    }

    private void forget() {
        List<Asker> asked = take();
        over();
        asked.forEach(each -> each.told().none());
    }

    private StreamLog newLog(List<Entries.Entry> entries) {
        long start =
                entries.isEmpty() || entries.get(0).isEnd() ? 0 : entries.get(0).start();
        var its = new StreamLog(
                all.alloc(), all.memory(), share().node().owner().most(), all.turns(), Math.max(0, start));
        its.waitsForReaders();
        return its;
    }

    private void append(StreamLog to, List<Entries.Entry> entries) {
        for (Entries.Entry entry : entries) {
            if (entry.isEnd()) {
                end(to, entry);
                return;
            }
            if (entry.start() > to.tail()) {
                close();
                return;
            }
            int skip = (int) Math.min(entry.bytes().length, to.tail() - entry.start());
            ByteBuf bytes = Unpooled.wrappedBuffer(entry.bytes());
            to.append(bytes, skip, entry.bytes().length);
        }
        to.flush();
    }

    /** If the end does not fit the bytes, the stream is not complete. */
    private void end(StreamLog its, Entries.Entry entry) {
        its.flush();
        boolean whole = entry.tail() == its.tail();
        switch (whole ? String.valueOf(entry.seal()) : "") {
            case "clean" -> its.seal(Seal.CLEAN);
            case "failed" -> its.seal(Seal.FAILED);
            case "broken" -> its.seal(Seal.BROKEN);
            default -> sealLost(its);
        }
    }

    private void sealLost(StreamLog its) {
        RemoteHead known = head;
        ByteBuf event = known == null || !its.isBetweenFrames(its.tail())
                ? null
                : share().node().owner().lostEvent(known.text(), its, all.alloc());
        its.sealLost(event);
    }

    /** Whether the node that writes the stream is gone. This node never is, even if the store has lost its lease. */
    private boolean isDead() {
        return !node.equals(share().nodeName()) && absent.isFor(share().certainNs(), share().nowNs());
    }

    /**
     * Writes the end of a dead node's stream to the store. Then that node cannot continue it, and all readers get the
     * same end.
     */
    private void endLost() {
        StreamLog its = log;
        if (its == null) {
            return;
        }
        busy = true;
        share().counters().lost();
        freeName();
        boolean empty = its.tail() == 0;
        String key = share().keys().bytes(id);
        StoreLink.Answer then = (reply, refusal) -> onEndedLost(its, reply, refusal);
        if (empty) {
            share().call(then, "XADD", key, StoreKeys.END, "e", "lost", "t", its.tail());
        } else {
            share().call(then, "XADD", key, "NOMKSTREAM", StoreKeys.END, "e", "lost", "t", its.tail());
        }
        share().call(Shipper.IGNORED, "PEXPIRE", key, Shipment.LIFE_MS);
    }

    /** The node is dead. The next request of the stream's name must be served. */
    private void freeName() {
        RemoteHead known = head;
        if (known != null && !known.once().isEmpty()) {
            share().free(known.once(), id);
        }
    }

    /** If the store has an end now, it is read. Otherwise the log ends here without the store. */
    private void onEndedLost(StreamLog its, @Nullable Object reply, @Nullable String refusal) {
        if (!all.has(id, this)) {
            return;
        }
        boolean ended = reply != null || (refusal != null && refusal.contains("exhausted"));
        if (ended) {
            look();
        } else {
            busy = false;
            sealLost(its);
            answerAskers();
        }
    }

    private void answerAskers() {
        RemoteHead known = head;
        StreamLog its = log;
        for (Asker each : List.copyOf(askers)) {
            if (known == null || its == null || !mayRead(each)) {
                continue; // It gets its answer after the second look.
            }
            askers.remove(each);
            if (its.isClosed()) {
                each.told().unavailable();
            } else {
                each.told().found(known.text(), its);
            }
        }
    }

    private void failAskers() {
        take().forEach(each -> each.told().unavailable());
    }

    private List<Asker> take() {
        List<Asker> asked = List.copyOf(askers);
        askers.clear();
        return asked;
    }

    /** Whether the log has enough bytes for its fastest reader. Until this reader has taken some, no more are read. */
    private boolean isFull() {
        StreamLog its = log;
        int most = share().node().owner().most();
        return its != null && its.readers() > 0 && its.leastBehind() >= Math.max(most - SPARE, most / 2);
    }

    void tick(long nowNs) {
        StreamLog its = log;
        boolean read = its != null && its.readers() > 0;
        if (read || !askers.isEmpty()) {
            askedNs = nowNs;
        }
        boolean idle = nowNs - askedNs > IDLE_NS || down.isFor(IDLE_NS, nowNs);
        if (idle || (its != null && its.isClosed())) {
            close();
        } else if (share().isConnected() && !busy && (isLive() || !askers.isEmpty())) {
            boolean room = more
                    && its != null
                    && its.leastBehind() <= share().node().owner().most() / 2;
            boolean soon = (!askers.isEmpty() || (absent.is() && !isFull())) && nowNs - lookedNs >= SOON_NS;
            boolean due = !isFull() && nowNs - lookedNs >= LOOK_NS;
            if (room || soon || due) {
                look();
            }
            // Those who may not read it must not make its node answer: the time would tell that it is there.
            // A node whose lease is missing is asked at once: it answers with a bell if it is alive.
            long pauseNs = absent.is() ? SOON_NS : FOLLOW_NS;
            if (nowNs - followedNs >= pauseNs && (read || askers.stream().anyMatch(this::mayRead))) {
                followedNs = nowNs;
                share().tell(node, "follow " + id + " " + share().nodeName());
            }
        }
    }

    void onLost() {
        busy = false;
        absent.is(false, 0);
        down.is(true, share().nowNs());
        failAskers();
    }

    void onConnected() {
        down.is(false, 0);
        busy = false;
        look();
    }

    /** Whether nobody reads it at the moment. */
    boolean isIdle() {
        return askers.isEmpty() && log != null && log.readers() == 0;
    }

    /** Ends it before the end of the stream. Clients learn that the rest is gone. */
    void close() {
        failAskers();
        over();
    }

    private void over() {
        all.remove(id, this);
        if (log != null) {
            log.close();
        }
    }
}
