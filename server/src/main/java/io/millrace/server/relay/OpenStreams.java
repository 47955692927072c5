package io.millrace.server.relay;

import io.millrace.server.access.ClientKey;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.own.OwnEndpoints.Streams.Stopped;
import io.millrace.server.replay.OnceKey;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.millrace.server.replay.StreamNames;
import io.millrace.server.share.LoopShare;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Sweeper.Sweepable;
import io.millrace.server.timing.Turns;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The streams of one event loop that clients may ask for, by the ids that their clients got. Streams in progress can be
 * stopped. Streams of which a log is kept can be read. Confined to that event loop.
 */
final class OpenStreams implements Sweepable {
    private static final byte[] NO_KEY = new byte[0];

    private final Turns turns;
    private final Sweeper sweeper;
    private final ReplayMemory memory;
    private final StreamNames names;
    private final @Nullable LoopShare share;
    private final Supplier<Resume> resume;
    private final StreamIds ids;
    private final Map<String, OpenStream> streams = new HashMap<>();
    /** Those that have ended and are kept, the oldest end first. */
    private final ArrayDeque<OpenStream> ended = new ArrayDeque<>();
    /** Those of the ended whose log was given up. Who asks for one is told so, as long as it would have been kept. */
    private final ArrayDeque<OpenStream> givenUp = new ArrayDeque<>();

    private final Yielded yielded = new Yielded();
    private Sweeper.@Nullable Registration sweep;
    private boolean closed;

    /**
     * The streams of the event loop of {@code sweeper}, which has this number.
     *
     * @param turns for readers that are behind
     * @param names those of all event loops
     * @param share brings the streams of other nodes; null if there are none
     * @param resume the settings of those
     */
    OpenStreams(
            int number,
            Turns turns,
            Sweeper sweeper,
            ReplayMemory memory,
            StreamNames names,
            @Nullable LoopShare share,
            Supplier<Resume> resume) {
        this.turns = turns;
        this.sweeper = sweeper;
        this.memory = memory;
        this.names = names;
        this.share = share;
        this.resume = resume;
        ids = new StreamIds((share == null ? "" : share.nodeName() + ".") + number + "-");
        memory.onTight(sweeper.loop(), List.of(this::dropStored, this::evictEnded, this::evictLive));
    }

    /**
     * Adds a stream of a client with this key.
     *
     * @param stop ends the stream; returns false if it cannot be ended
     * @return its id, which cannot be guessed
     */
    String add(BooleanSupplier stop, byte[] key) {
        String id = ids.next();
        streams.put(id, new OpenStream(id, stop, key));
        return id;
    }

    /**
     * Begins a log of the stream's body.
     *
     * @return null if there is no memory for one
     */
    @Nullable
    StreamLog keep(String id, LogHead head, ByteBufAllocator alloc, Resume settings) {
        OpenStream entry = streams.get(id);
        if (closed || entry == null) {
            return null;
        }
        if (!memory.hasRoom()) {
            memory.gaveUp(ReplayMemory.GivenUp.NOT_BEGUN);
            return null;
        }
        var log = new StreamLog(alloc, memory, settings.bytes(), turns);
        entry.kept = new Kept(head, log, settings, false);
        if (share != null) {
            share.open(id, entry.key, head.text(), log, settings.bytes(), settings.keep());
        }
        tellAwaiting(entry);
        return log;
    }

    /** Has those wait who ask for the stream before there is anything to read. */
    void promise(String id) {
        OpenStream entry = streams.get(id);
        if (entry != null && entry.awaiting == null) {
            entry.awaiting = new ArrayList<>();
            if (share != null) {
                share.promise(id, entry.key, entry.once);
            }
        }
    }

    /** What this event loop shares with other nodes; null if that is nothing. */
    @Nullable
    LoopShare share() {
        return share;
    }

    /** Whether someone waits for the stream. */
    boolean isAwaited(String id) {
        OpenStream entry = streams.get(id);
        return entry != null && entry.awaiting != null && !entry.awaiting.isEmpty();
    }

    /**
     * Gives the stream the name of its request, if no other stream has it.
     *
     * @return what has the name already; null if this stream has it now
     */
    StreamNames.@Nullable Named claim(String id, OnceKey key) {
        StreamNames.Named first = names.claim(key, id);
        OpenStream entry = streams.get(id);
        if (first == null && entry != null) {
            entry.once = key;
            promise(id);
        }
        return first;
    }

    /** Gives the stream the id of its answer as a name. */
    void answered(String id, String answerId) {
        OpenStream entry = streams.get(id);
        if (entry != null && entry.answer == null) {
            entry.answer = StreamNames.ofAnswer(entry.key, answerId);
            names.answer(entry.answer, id);
            if (share != null) {
                share.answered(entry.answer, id);
            }
        }
    }

    /** The stream is over. If it has a log, that is kept for a while. */
    void end(@Nullable String id) {
        OpenStream entry = id == null ? null : streams.get(id);
        if (entry == null || entry.over) {
            return;
        }
        Kept kept = entry.kept;
        tellAwaiting(entry);
        if (kept == null || closed) {
            delete(entry);
            return;
        }
        boolean whole = kept.log().seal() == Seal.CLEAN && !kept.log().isClosed();
        if (!whole || kept.head().isFailure()) {
            freeOnce(entry);
        }
        entry.over = true;
        entry.untilNs = System.nanoTime() + kept.settings().keep().toNanos();
        ended.add(entry);
        if (sweep == null) {
            sweep = sweeper.add(this);
        }
    }

    /** The stream is over before it began, because another one answers its request. Who waits for it gets that one. */
    void yieldTo(String first, @Nullable String id) {
        OpenStream entry = id == null ? null : streams.get(id);
        if (entry != null) {
            List<Kept.Asker> awaiting = entry.takeAwaiting();
            yielded.add(entry.id, first);
            end(id);
            awaiting.forEach(told -> whenKept(first, entry.key, told));
        }
    }

    /**
     * Stops the stream; if it has ended, forgets its log.
     *
     * @return false if there is no such stream of this key, or it cannot be stopped
     */
    boolean stop(String id, byte[] key) {
        OpenStream found = find(id, key);
        if (found == null || !found.over) {
            return found != null && found.stop.getAsBoolean();
        }
        ended.remove(found);
        givenUp.remove(found);
        delete(found);
        return true;
    }

    /** The same also for streams of other nodes; {@code told} gets what became of it. */
    void stop(String id, byte[] key, Consumer<Stopped> told) {
        if (share == null || share.owns(id)) {
            told.accept(stop(id, key) ? Stopped.DONE : Stopped.NOT_FOUND);
        } else {
            share.stop(id, key, how -> told.accept(Stopped.valueOf(how.name())));
        }
    }

    /**
     * Tells {@code told} of the stream of this id, if this key may read it: at once, or as soon as there is something to
     * read, or the store has said what it is.
     */
    void whenKept(String asked, byte[] key, Kept.Asker told) {
        String id = yielded.firstOf(asked);
        if (share != null && !share.owns(id)) {
            whenStored(id, key, told);
            return;
        }
        OpenStream found = find(id, key);
        if (found != null && found.kept == null && found.awaiting != null && !closed) {
            found.awaiting.add(told);
        } else {
            told.onKept(found == null ? null : found.kept);
        }
    }

    /** Whether the store may have a byte that the log of this node has dropped. */
    boolean mayBeStored(Kept kept, long offset) {
        return share != null
                && !kept.isRemote()
                && kept.log().tail() - offset <= kept.settings().bytes();
    }

    /** The same for a stream of which this node has dropped bytes. The store may have them. */
    void whenStored(String id, byte[] key, Kept.Asker told) {
        if (share == null) {
            told.onKept(null);
        } else {
            share.find(id, key, new Kept.FromElsewhere(resume.get(), told));
        }
    }

    /** Ends all logs: the relay stops. */
    void close() {
        closed = true;
        if (share != null) {
            share.close();
        }
        ended.clear();
        givenUp.clear();
        List.copyOf(streams.values()).forEach(entry -> {
            if (entry.over) {
                forget(entry);
            } else if (entry.kept != null) {
                entry.kept.log().close();
            } else {
                tellAwaiting(entry);
            }
        });
        stopSweep();
    }

    /** Forgets the logs whose time is over. */
    @Override
    public void onSweep(long nowNs) {
        forgetUntil(nowNs, ended);
        forgetUntil(nowNs, givenUp);
        if (ended.isEmpty() && givenUp.isEmpty()) {
            stopSweep();
        }
    }

    /** Those that are due need not be the first: routes keep streams for different times. */
    private void forgetUntil(long nowNs, ArrayDeque<OpenStream> over) {
        var due = new ArrayList<OpenStream>();
        over.removeIf(each -> nowNs - each.untilNs >= 0 && due.add(each));
        due.forEach(this::forget);
    }

    /** Gives up those in progress that nobody but the client that asked has ever read, the largest first. */
    void evictLive() {
        if (!memory.isNearlyFull()) {
            return;
        }
        List<StreamLog> spare = streams.values().stream()
                .flatMap(OpenStream::spareLog)
                .sorted(Comparator.comparingLong(StreamLog::held).reversed())
                .toList();
        for (StreamLog largest : spare) {
            if (!memory.isNearlyFull()) {
                return;
            }
            memory.gaveUp(ReplayMemory.GivenUp.LIVE);
            largest.close();
        }
    }

    /** Drops what the store has, too. Who asks for it gets it from there. */
    void dropStored() {
        LoopShare its = share;
        if (its == null) {
            return;
        }
        its.relieve();
        for (OpenStream entry : List.copyOf(streams.values())) {
            Kept kept = memory.isTight() ? entry.kept : null;
            if (kept == null || kept.log().isClosed()) {
                continue;
            }
            long stored = its.stored(entry.id);
            if (entry.over && stored == kept.log().tail() && kept.log().readers() == 0) {
                ended.remove(entry);
                givenUp.add(entry);
                kept.log().close();
            } else {
                kept.log().dropBefore(stored);
            }
        }
    }

    /** Gives up those that have ended, the oldest end first. */
    void evictEnded() {
        while (memory.isTight() && !ended.isEmpty()) {
            OpenStream oldest = ended.remove();
            givenUp.add(oldest);
            freeOnce(oldest);
            if (oldest.kept != null) {
                memory.gaveUp(ReplayMemory.GivenUp.ENDED);
                oldest.kept.log().close();
            }
        }
    }

    int size() {
        return streams.size();
    }

    private @Nullable OpenStream find(String id, byte[] key) {
        OpenStream found = streams.get(id);
        return ClientKey.same(found == null ? NO_KEY : found.key, key) ? found : null;
    }

    private void tellAwaiting(OpenStream entry) {
        entry.takeAwaiting().forEach(told -> told.onKept(entry.kept));
    }

    private void freeOnce(OpenStream entry) {
        if (entry.once != null) {
            names.remove(entry.once.scope(), entry.id);
            if (share != null && !closed) {
                share.free(entry.once, entry.id);
            }
            entry.once = null;
        }
    }

    /** Forgets the stream, here and elsewhere. */
    private void delete(OpenStream entry) {
        if (share != null) {
            share.delete(entry.id);
        }
        forget(entry);
    }

    private void forget(OpenStream entry) {
        streams.remove(entry.id);
        if (share != null) {
            share.drop(entry.id);
        }
        freeOnce(entry);
        if (entry.answer != null) {
            names.remove(entry.answer, entry.id);
        }
        if (entry.kept != null) {
            entry.kept.log().close();
        }
    }

    private void stopSweep() {
        if (sweep != null) {
            sweep.cancel();
            sweep = null;
        }
    }
}
