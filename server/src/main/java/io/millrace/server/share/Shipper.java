package io.millrace.server.share;

import io.millrace.server.replay.OnceKey;
import io.millrace.server.replay.StreamLog;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Ships the streams of one event loop to the store. Each stream has its turn once in a window, or at once if it is
 * urgent. The number and the bytes of unanswered commands are bounded. Other bytes wait in the logs. Confined to the
 * event loop.
 */
final class Shipper {
    /** Ignores an answer. */
    static final StoreLink.Answer IGNORED = (reply, refusal) -> {};

    private static final int MOST_COMMANDS = 500;
    private static final long MOST_BYTES = 4 << 20;
    private static final long PAUSE_NS = TimeUnit.SECONDS.toNanos(1);

    private final LoopShare share;
    private final long windowNs;
    private final Map<String, Shipment> all = new HashMap<>();
    /** The shipments that wait for their turn, the next one first. */
    private final ArrayDeque<Turn> due = new ArrayDeque<>();

    private final Bells bells;

    private int unanswered;
    private long unansweredBytes;
    private long pausedUntilNs;
    private int connection;

    private record Turn(Shipment shipment, long atNs) {}

    Shipper(LoopShare share, long windowNs) {
        this.share = share;
        this.windowNs = windowNs;
        bells = new Bells(share);
        pausedUntilNs = share.nowNs();
    }

    /** Announces a stream before it has bytes. */
    void promise(String id, String owner, @Nullable OnceKey name) {
        Shipment shipment = shipment(id, owner);
        shipment.names().request(name);
        urge(shipment);
    }

    /** Begins to ship the bytes of a stream. */
    void open(String id, String owner, String head, StreamLog log, Shipment.Terms terms) {
        shipment(id, owner).open(head, log, terms);
    }

    private Shipment shipment(String id, String owner) {
        return all.computeIfAbsent(id, its -> new Shipment(this, id, owner));
    }

    /** The stream has the name of its request no more. */
    void unnamed(String id) {
        Shipment shipment = all.get(id);
        if (shipment != null) {
            shipment.names().request(null);
        }
    }

    /** The stream has an answer with this name. */
    void answered(String id, String name) {
        Shipment shipment = all.get(id);
        if (shipment != null) {
            shipment.names().answer(name);
        }
    }

    /** Forgets a stream that this node no longer keeps. */
    void drop(String id) {
        Shipment shipment = all.remove(id);
        if (shipment != null) {
            shipment.note(0);
            if (shipment.isQueued()) {
                due.removeIf(turn -> turn.shipment().equals(shipment));
            }
        }
    }

    /** Deletes a stream from the store. */
    void delete(String id) {
        Shipment shipment = all.get(id);
        if (shipment != null) {
            shipment.delete();
            drop(id);
        }
    }

    /** Another node has clients who follow a stream. */
    void follow(String id, String node) {
        Shipment shipment = all.get(id);
        if (shipment != null) {
            shipment.follow(node, share.nowNs());
        }
    }

    /** Ships the new bytes of a stream at once, or as soon as possible. */
    void urge(Shipment shipment) {
        if (shipment.isBusy()) {
            return;
        }
        if (mayShip()) {
            shipment.step(share.nowNs());
            requeue(shipment, share.nowNs() + windowNs);
        } else if (!shipment.isQueued()) {
            shipment.queued(true);
            due.addFirst(new Turn(shipment, share.nowNs()));
        }
    }

    /** Ships the new bytes of a stream if they must not wait for the end of the window. */
    void onNews(Shipment shipment) {
        if (shipment.isUrgent()) {
            urge(shipment);
        }
    }

    /** The last command of a shipment was answered. */
    void next(Shipment shipment) {
        onNews(shipment);
        requeue(shipment, share.nowNs() + windowNs);
    }

    private void requeue(Shipment shipment, long atNs) {
        if (!shipment.isQueued() && !shipment.isBusy() && !shipment.isOver()) {
            shipment.queued(true);
            due.add(new Turn(shipment, atNs));
        }
    }

    /** Ships the streams whose turn has come. */
    void tick(long nowNs) {
        for (int left = due.size(); left > 0 && mayShip(); left--) {
            Turn first = due.peek();
            if (first == null || nowNs - first.atNs() < 0) {
                break;
            }
            due.remove();
            first.shipment().queued(false);
            first.shipment().step(nowNs);
            requeue(first.shipment(), nowNs + windowNs);
        }
    }

    private boolean mayShip() {
        return share.isConnected()
                && share.nowNs() - pausedUntilNs >= 0
                && unanswered < MOST_COMMANDS
                && unansweredBytes < MOST_BYTES;
    }

    /** Sends a command that contains {@code bytes} bytes of a stream. */
    void call(StoreLink.Answer answer, int bytes, Object... words) {
        int its = connection;
        unanswered++;
        unansweredBytes += bytes;
        share.call(
                (reply, refusal) -> {
                    if (its == connection) {
                        unanswered--;
                        unansweredBytes -= bytes;
                        answer.on(reply, refusal);
                    }
                },
                words);
    }

    /**
     * It is not known what became of the commands that were sent, or the store has lost its data. Each shipment asks
     * the store what it has.
     */
    void onUnsure() {
        connection++;
        unanswered = 0;
        unansweredBytes = 0;
        due.clear();
        long nowNs = share.nowNs();
        for (Shipment each : all.values()) {
            each.onUnsure();
            each.queued(false);
            requeue(each, nowNs);
        }
    }

    /**
     * A command about bytes was refused. If the store refused the place of an entry, the shipment itself finds out why.
     * Otherwise all shipments pause.
     */
    void onRefused(String refusal) {
        boolean place = refusal.contains("equal or smaller") || refusal.contains("exhausted");
        if (!place) {
            pausedUntilNs = share.nowNs() + PAUSE_NS;
        }
    }

    void onFenced() {
        share.counters().fenced();
    }

    /** Ships the remaining bytes of all streams, because the relay stops. */
    void close() {
        if (share.isConnected()) {
            List.copyOf(all.values()).forEach(Shipment::shipLast);
            bells.send();
        }
        all.clear();
        due.clear();
    }

    /** The offset up to which the store has a stream for sure. */
    long stored(String id) {
        Shipment shipment = all.get(id);
        return shipment == null ? 0 : shipment.stored();
    }

    /** Deletes a name from the store, if it is that of this stream. */
    void free(String key, String id) {
        share.free(key, id);
    }

    void unshipped(long change) {
        share.counters().unshipped(change);
    }

    Bells bells() {
        return bells;
    }

    StoreKeys keys() {
        return share.keys();
    }

    long nowNs() {
        return share.nowNs();
    }
}
