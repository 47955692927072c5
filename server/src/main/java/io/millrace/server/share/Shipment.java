package io.millrace.server.share;

import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Ships the log of one stream to the store. It sends one command at a time, so that no entry can be missing before
 * another. Confined to the log's event loop.
 */
final class Shipment {
    /**
     * How long the store keeps a stream in progress. The time is renewed. If the node dies, nothing of it remains after
     * that.
     */
    static final long LIFE_MS = 300_000;

    private static final int MOST_BYTES = 64 * 1024;
    private static final int HURRY_BYTES = 32 * 1024;
    private static final long RENEW_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long FOLLOWED_NS = TimeUnit.SECONDS.toNanos(15);

    private final Shipper shipper;
    private final String id;
    private final String owner;
    private final Map<String, Long> followers = new HashMap<>();
    private final ShippedNames names;
    /** Null if the stream has not begun. */
    private @Nullable Content content;

    private State state = State.NEW;
    /** Whether a command about the bytes was sent and is not answered yet. */
    private boolean busy;
    /** Whether the next entry may create the stream in the store. */
    private boolean create = true;

    private long shipped;
    /** The offset that the store has if it accepts everything that was sent. */
    private long sent;

    private long waiting;
    private long renewedNs;
    private boolean queued;
    /** Whether nothing was sent since the store said what it has. */
    private boolean sure;

    /**
     * How much the store keeps, and for how long.
     *
     * @param bytes the most bytes that are kept
     * @param keepMs the time after the end, in milliseconds
     */
    record Terms(long bytes, long keepMs) {}

    private record Content(String head, StreamLog log, Terms terms) {}

    private enum State {
        /** The store has nothing of the stream. */
        NEW,
        OPEN,
        /** It is not known what the store has. */
        UNSURE,
        /** The store has the end, or nothing more is shipped. */
        OVER,
        /** Another node has ended the stream. */
        FENCED
    }

    /** A shipment of a stream whose client has this key, as hexadecimal digits. */
    Shipment(Shipper shipper, String id, String owner) {
        this.shipper = shipper;
        this.id = id;
        this.owner = owner;
        names = new ShippedNames(shipper, id);
    }

    /** Begins to ship the bytes of the stream. */
    void open(String head, StreamLog log, Terms terms) {
        content = new Content(head, log, terms);
        state = state == State.FENCED ? state : State.NEW;
        log.onFlush(() -> shipper.onNews(this));
        noteFollowers();
        shipper.urge(this);
    }

    /** The names of the stream. The store keeps them as long as the stream. */
    ShippedNames names() {
        return names;
    }

    /** Another node has clients who follow the stream. */
    void follow(String node, long nowNs) {
        followers.put(node, nowNs + FOLLOWED_NS);
        noteFollowers();
        if (!busy && isBehind()) {
            shipper.urge(this);
        } else {
            tellFollowers(false);
        }
    }

    private boolean isBehind() {
        return content != null && content.log().tail() > shipped;
    }

    /** Whether the new bytes are shipped at once, and not at the end of the window. */
    boolean isUrgent() {
        if (isOver() || content == null) {
            return false;
        }
        StreamLog log = content.log();
        return log.seal() != null
                || log.isClosed()
                || (isBehind() && !followers.isEmpty())
                || log.tail() - shipped >= HURRY_BYTES;
    }

    boolean isOver() {
        return state == State.OVER || state == State.FENCED;
    }

    /** Sends the next command, unless another one must be answered first. There must be a connection. */
    void step(long nowNs) {
        if (busy || isOver()) {
            return;
        }
        forgetFollowers(nowNs);
        if (state == State.UNSURE) {
            look();
            return;
        }
        if (state == State.NEW) {
            state = State.OPEN;
            sendHead(nowNs);
        } else if (nowNs - renewedNs >= RENEW_NS) {
            renewedNs = nowNs;
            expire(LIFE_MS);
        }
        if (content != null) {
            ship(content);
        }
    }

    private void look() {
        busy = true;
        shipper.call(this::onLast, 0, "XREVRANGE", bytesKey(), "+", "-", "COUNT", 1L);
    }

    private void ship(Content its) {
        StreamLog from = its.log();
        if (from.isClosed() && (create || from.seal() == null || shipped < from.tail())) {
            delete();
            return;
        }
        if (shipped < from.oldest()) {
            if (!sure) {
                look();
                return;
            }
            shipper.call(Shipper.IGNORED, 0, "DEL", bytesKey());
            shipped = from.oldest();
            create = true;
        }
        int bytes = (int) Math.min(from.tail() - shipped, MOST_BYTES);
        note(from.tail() - shipped);
        if (bytes > 0) {
            write(its, shipped, bytes);
        } else if (from.seal() != null) {
            writeEnd(its, from.seal());
        }
    }

    private void write(Content its, long from, int bytes) {
        long end = from + bytes;
        sent = end;
        List<Object> words = begin();
        if (end > its.terms().bytes()) {
            words.addAll(List.of("MINID", "=", end - its.terms().bytes() + "-0"));
        }
        words.add(end + "-0");
        words.add("d");
        words.add(new LogBytes(its.log(), from, bytes));
        boolean first = create;
        busy = true;
        shipper.call((reply, refusal) -> onWritten(reply, refusal, end), bytes, words.toArray());
        if (first) {
            shipper.call(Shipper.IGNORED, 0, "PEXPIRE", bytesKey(), LIFE_MS);
        }
    }

    private void writeEnd(Content its, Seal seal) {
        List<Object> words = begin();
        words.addAll(List.of(StoreKeys.END, "e", word(seal), "t", its.log().tail()));
        busy = true;
        tellFollowers(true);
        shipper.call((reply, refusal) -> onWritten(reply, refusal, -1), 0, words.toArray());
        expire(its.terms().keepMs());
    }

    private static String word(Seal seal) {
        return seal.name().toLowerCase(Locale.ROOT);
    }

    private List<Object> begin() {
        sure = false;
        var words = new ArrayList<Object>(10);
        words.add("XADD");
        words.add(bytesKey());
        if (!create) {
            words.add("NOMKSTREAM");
        }
        return words;
    }

    /** @param end the offset behind the entry; -1 for the end of the stream */
    private void onWritten(@Nullable Object reply, @Nullable String refusal, long end) {
        busy = false;
        if (refusal != null) {
            state = State.UNSURE;
            sent = 0;
            shipper.onRefused(refusal);
        } else if (reply == null) {
            state = State.UNSURE; // The store has lost the stream.
        } else {
            create = false;
            if (end < 0) {
                finish(State.OVER);
            } else {
                bringFollowers(end);
                shipped = end;
            }
        }
        shipper.next(this);
    }

    /** The store has said which entry is the last one. */
    private void onLast(@Nullable Object reply, @Nullable String refusal) {
        busy = false;
        if (refusal == null) {
            sure = true;
            compare(Entries.last(reply));
        } else {
            shipper.onRefused(refusal);
        }
        shipper.next(this);
    }

    private void compare(Entries.@Nullable Entry last) {
        StreamLog log = content == null ? null : content.log();
        if (last == null) {
            create = true;
            shipped = log == null ? 0 : log.oldest();
            state = State.NEW;
        } else if (log == null) {
            fence();
        } else if (last.isEnd()) {
            boolean own = log.seal() != null && word(log.seal()).equals(last.seal()) && last.tail() == log.tail();
            if (own) {
                shipped = last.tail();
                finish(State.OVER);
            } else {
                fence();
            }
        } else if (last.offset() > log.tail()) {
            fence();
        } else {
            create = false;
            shipped = last.offset();
            state = State.NEW;
        }
    }

    private void fence() {
        finish(State.FENCED);
        shipper.onFenced();
    }

    private void finish(State how) {
        state = how;
        note(0);
    }

    private void sendHead(long nowNs) {
        renewedNs = nowNs;
        String text = owner + " " + names.requestKey() + "\n" + (content == null ? "" : content.head());
        byte[] value = text.getBytes(StandardCharsets.UTF_8);
        shipper.call(Shipper.IGNORED, value.length, "SET", shipper.keys().head(id), value, "PX", LIFE_MS);
        names.write();
    }

    private void expire(long ms) {
        shipper.call(Shipper.IGNORED, 0, "PEXPIRE", bytesKey(), ms);
        shipper.call(Shipper.IGNORED, 0, "PEXPIRE", shipper.keys().head(id), ms);
        names.expire(ms);
    }

    /** Forgets the nodes that have not asked to follow the stream for a while. */
    private void forgetFollowers(long nowNs) {
        if (!followers.isEmpty() && followers.values().removeIf(untilNs -> nowNs - untilNs > 0)) {
            noteFollowers();
        }
    }

    private void noteFollowers() {
        if (content != null) {
            content.log().readElsewhere(!followers.isEmpty());
        }
    }

    /** Brings them what was shipped, after the store has accepted it: nobody has what the store may refuse. */
    private void bringFollowers(long end) {
        Content its = content;
        if (its != null && !isOver() && !followers.isEmpty()) {
            var bytes = new LogBytes(its.log(), shipped, (int) (end - shipped));
            followers.keySet().forEach(node -> shipper.bells().bring(node, id, bytes, end));
        }
    }

    /** Tells them of what is sent in this turn. */
    private void tellFollowers(boolean urgent) {
        if (!followers.isEmpty()) {
            followers.keySet().forEach(node -> shipper.bells().ring(node, id, urgent));
        }
    }

    /** The connection is new, or the store has lost its data. */
    void onUnsure() {
        busy = false;
        sent = 0;
        if (state != State.FENCED) {
            state = State.UNSURE;
        }
    }

    /** Deletes the stream from the store. */
    void delete() {
        finish(State.OVER);
        shipped = 0;
        shipper.call(Shipper.IGNORED, 0, "DEL", shipper.keys().head(id), bytesKey());
        names.free();
    }

    /** Ships the remaining bytes without waiting for answers, because the relay stops. */
    void shipLast() {
        Content its = content;
        if (its == null || isOver() || state == State.UNSURE || its.log().isClosed()) {
            return;
        }
        if (state == State.NEW) {
            sendHead(shipper.nowNs());
        }
        StreamLog from = its.log();
        long at = Math.max(sent, shipped);
        while (at < from.tail() && at >= from.oldest()) {
            int bytes = (int) Math.min(from.tail() - at, MOST_BYTES);
            write(its, at, bytes);
            at += bytes;
            create = false;
        }
        tellFollowers(true);
        if (from.seal() != null && at == from.tail()) {
            writeEnd(its, from.seal());
        }
        finish(State.OVER);
    }

    /** So many bytes are not shipped yet. */
    void note(long bytes) {
        shipper.unshipped(bytes - waiting);
        waiting = bytes;
    }

    private String bytesKey() {
        return shipper.keys().bytes(id);
    }

    /** The offset up to which the store has the stream for sure. */
    long stored() {
        return state == State.OPEN || state == State.OVER ? shipped : 0;
    }

    boolean isBusy() {
        return busy;
    }

    boolean isQueued() {
        return queued;
    }

    void queued(boolean is) {
        queued = is;
    }
}
