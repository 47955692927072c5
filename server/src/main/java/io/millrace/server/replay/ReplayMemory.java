package io.millrace.server.replay;

import static java.util.Objects.requireNonNull;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** The bytes that all logs hold, and may hold. For any thread; it is asked once for each segment, not for each frame. */
public final class ReplayMemory {
    /** By default an eighth of the largest heap, which is also the JVM's limit outside of it. */
    private static final int SHARE = 8;

    private final long most;
    private final AtomicLong held = new AtomicLong();
    private final AtomicLong live = new AtomicLong();
    private final AtomicLong ended = new AtomicLong();
    private final AtomicLong readers = new AtomicLong();
    private final Map<String, LongAdder> resumes = new ConcurrentHashMap<>();
    private final Map<GivenUp, AtomicLong> givenUp = new EnumMap<>(GivenUp.class);
    private final List<Relief> reliefs = new CopyOnWriteArrayList<>();
    private final AtomicBoolean asked = new AtomicBoolean();

    /** What was not kept, or not for as long as it should, for want of memory. */
    public enum GivenUp {
        /** A log of a stream that had ended. */
        ENDED,
        /** A log of a stream in progress. */
        LIVE,
        /** A stream of which no log was begun. */
        NOT_BEGUN
    }

    private record Relief(Executor loop, Runnable action) {}

    /** Room for {@code most} bytes; 0 is an eighth of the largest heap. */
    public ReplayMemory(long most) {
        this.most = most > 0 ? most : Runtime.getRuntime().maxMemory() / SHARE;
        for (GivenUp what : GivenUp.values()) {
            givenUp.put(what, new AtomicLong());
        }
    }

    /** Has {@code loop} run {@code action} whenever memory becomes {@linkplain #isTight tight}. */
    public void onTight(Executor loop, Runnable action) {
        reliefs.add(new Relief(loop, action));
    }

    /** Whether logs that nobody writes any more should go, so that those in progress find room. */
    public boolean isTight() {
        return held.get() > most / 8 * 7;
    }

    /** Whether a log can begin. */
    public boolean hasRoom() {
        return held.get() < most;
    }

    /** Takes {@code bytes} if there is room for them. */
    boolean take(int bytes) {
        boolean taken = held.addAndGet(bytes) <= most;
        if (!taken) {
            held.addAndGet(-bytes);
        }
        if ((!taken || isTight()) && asked.compareAndSet(false, true)) {
            reliefs.forEach(relief -> relief.loop().execute(() -> {
                asked.set(false);
                relief.action().run();
            }));
        }
        return taken;
    }

    void giveBack(int bytes) {
        held.addAndGet(-bytes);
    }

    /** Bytes held now. */
    public long held() {
        return held.get();
    }

    /** Bytes that all logs may hold. */
    public long most() {
        return most;
    }

    /** Something was given up. */
    public void gaveUp(GivenUp what) {
        count(what).incrementAndGet();
    }

    /** How often this was given up. */
    public long givenUp(GivenUp what) {
        return count(what).get();
    }

    /** A request to read a stream was answered so; {@code result} is one of few words. */
    public void resumed(String result) {
        resumes.computeIfAbsent(result, word -> new LongAdder()).increment();
    }

    /** Requests to read a stream, by result. */
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

    /** Logs of streams in progress. */
    public long live() {
        return live.get();
    }

    /** Logs of streams that have ended. */
    public long ended() {
        return ended.get();
    }

    /** Readers that follow a log. */
    public long readers() {
        return readers.get();
    }
}
