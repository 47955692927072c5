package io.millrace.server.upstream;

import java.util.concurrent.TimeUnit;

/**
 * Whether the other end of a connection still is there: behind a silence it is asked, and must say something soon. Reads
 * only set a mark; the clock is the sweep's.
 */
final class Liveness {
    static final long SILENCE_NS = TimeUnit.SECONDS.toNanos(15);
    static final long ANSWER_NS = TimeUnit.SECONDS.toNanos(10);

    private boolean heard = true;
    private long heardNs;
    private boolean asked;
    private long askedNs;

    /** What is to be done at a sweep. */
    enum Verdict {
        WAIT,
        ASK,
        DEAD
    }

    /** Something was read, or is expected from now on. */
    void onHeard() {
        heard = true;
    }

    /** What the silence means at {@code nowNs}. */
    Verdict at(long nowNs) {
        if (heard) {
            heard = false;
            heardNs = nowNs;
            asked = false;
            return Verdict.WAIT;
        }
        if (asked) {
            return nowNs - askedNs > ANSWER_NS ? Verdict.DEAD : Verdict.WAIT;
        }
        if (nowNs - heardNs <= SILENCE_NS) {
            return Verdict.WAIT;
        }
        asked = true;
        askedNs = nowNs;
        return Verdict.ASK;
    }
}
