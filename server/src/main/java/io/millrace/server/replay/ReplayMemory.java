package io.millrace.server.replay;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** The bytes that all logs hold, and may hold. For any thread; it is asked once for each segment, not for each frame. */
public final class ReplayMemory {
    /** By default an eighth of the largest heap, which is also the JVM's limit outside of it. */
    private static final int SHARE = 8;

    private final long most;
    private final AtomicLong held = new AtomicLong();
    private final List<Relief> reliefs = new CopyOnWriteArrayList<>();
    private final AtomicBoolean asked = new AtomicBoolean();

    private record Relief(Executor loop, Runnable action) {}

    /** Room for {@code most} bytes; 0 is an eighth of the largest heap. */
    public ReplayMemory(long most) {
        this.most = most > 0 ? most : Runtime.getRuntime().maxMemory() / SHARE;
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
}
