package io.millrace.server.replay;

import static java.util.Objects.requireNonNull;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts the bytes that all logs hold, and limits them. Thread-safe. A log asks once for each segment, not for each
 * frame.
 */
public final class ReplayMemory {
    /**
     * By default, logs may hold an eighth of the largest heap. The JVM limits direct memory to the size of the largest
     * heap.
     */
    private static final int SHARE = 8;

    private final long most;
    private final AtomicLong held = new AtomicLong();
    private final AtomicLong live = new AtomicLong();
    private final AtomicLong ended = new AtomicLong();
    private final AtomicLong readers = new AtomicLong();
    private final AtomicLong detached = new AtomicLong();
    private final Map<String, LongAdder> resumes = new ConcurrentHashMap<>();
    private final Map<GivenUp, AtomicLong> givenUp = new EnumMap<>(GivenUp.class);
    private final List<Relief> reliefs = new CopyOnWriteArrayList<>();
    private final AtomicBoolean asked = new AtomicBoolean();

    /** What was not kept, or was dropped too early, because memory was short. */
    public enum GivenUp {
        /** A log of a stream that had ended. */
        ENDED,
        /** A log of a stream in progress. */
        LIVE,
        /** A stream for which no log was begun. */
        NOT_BEGUN
    }

    private record Relief(Executor loop, List<Runnable> steps) {}

    /** A limit of {@code most} bytes; 0 means an eighth of the largest heap. */
    public ReplayMemory(long most) {
        this.most = most > 0 ? most : Runtime.getRuntime().maxMemory() / SHARE;
        for (GivenUp what : GivenUp.values()) {
            givenUp.put(what, new AtomicLong());
        }
    }

    /**
     * Runs {@code steps} on {@code loop} each time memory becomes {@linkplain #isTight tight}. A step runs when all loops have
     * done the one before, and if memory is still tight: no loop gives up what matters while another has what does not.
     */
    public void onTight(Executor loop, List<Runnable> steps) {
        reliefs.add(new Relief(loop, steps));
    }

    /** Whether logs of ended streams should be dropped, so that streams in progress have room. */
    public boolean isTight() {
        return held.get() > most / 8 * 7;
    }

    /** Whether logs of streams in progress should be dropped, too, if nobody reads them. */
    public boolean isNearlyFull() {
        return held.get() > most / 16 * 15;
    }

    /** Whether there is room for another log. */
    public boolean hasRoom() {
        return held.get() < most;
    }

    /** Reserves {@code bytes}. Returns false if there is no room for them. */
    boolean take(int bytes) {
        boolean taken = held.addAndGet(bytes) <= most;
        if (!taken) {
            held.addAndGet(-bytes);
        }
        if ((!taken || isTight()) && asked.compareAndSet(false, true)) {
            relieve(0);
        }
        return taken;
    }

    private void relieve(int step) {
        List<Relief> all =
                reliefs.stream().filter(each -> step < each.steps().size()).toList();
        if (all.isEmpty()) {
            asked.set(false);
            return;
        }
        var left = new AtomicInteger(all.size());
        for (Relief each : all) {
            each.loop().execute(() -> {
                each.steps().get(step).run();
                if (left.decrementAndGet() > 0) {
                    return;
                }
                if (isTight()) {
                    relieve(step + 1);
                } else {
                    asked.set(false);
                }
            });
        }
    }

    void giveBack(int bytes) {
        held.addAndGet(-bytes);
    }

    /** The bytes that all logs hold now. */
    public long held() {
        return held.get();
    }

    /** The bytes that all logs may hold. */
    public long most() {
        return most;
    }

    /** Counts something that was given up. */
    public void gaveUp(GivenUp what) {
        count(what).incrementAndGet();
    }

    /** How often this was given up. */
    public long givenUp(GivenUp what) {
        return count(what).get();
    }

    /** Counts a request to read a stream. {@code result} is one of a few fixed words. */
    public void resumed(String result) {
        resumes.computeIfAbsent(result, word -> new LongAdder()).increment();
    }

    /** The number of requests to read a stream, by result. */
    public Map<String, LongAdder> resumes() {
        return Map.copyOf(resumes);
    }

    private AtomicLong count(GivenUp what) {
        return requireNonNull(givenUp.get(what));
    }

    void logs(int liveChange, int endedChange) {
        live.addAndGet(liveChange);
        ended.addAndGet(endedChange);
    }

    void readers(int change) {
        readers.addAndGet(change);
    }

    /** Counts a stream that continues without the client that asked (1), or the end of such a stream (-1). */
    public void detached(int change) {
        detached.addAndGet(change);
    }

    /** The number of streams that continue without the client that asked. */
    public long detached() {
        return detached.get();
    }

    /** The number of logs of streams in progress. */
    public long live() {
        return live.get();
    }

    /** The number of logs of ended streams. */
    public long ended() {
        return ended.get();
    }

    /** The number of readers that follow a log. */
    public long readers() {
        return readers.get();
    }
}
