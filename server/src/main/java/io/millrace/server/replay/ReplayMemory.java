package io.millrace.server.replay;

import java.util.concurrent.atomic.AtomicLong;

/** The bytes that all logs hold, and may hold. For any thread; it is asked once for each segment, not for each frame. */
public final class ReplayMemory {
    private final long most;
    private final AtomicLong held = new AtomicLong();

    /** Room for {@code most} bytes. */
    public ReplayMemory(long most) {
        this.most = most;
    }

    /** Takes {@code bytes} if there is room for them. */
    boolean take(int bytes) {
        if (held.addAndGet(bytes) <= most) {
            return true;
        }
        held.addAndGet(-bytes);
        return false;
    }

    void giveBack(int bytes) {
        held.addAndGet(-bytes);
    }

    /** Bytes held now. */
    public long held() {
        return held.get();
    }
}
