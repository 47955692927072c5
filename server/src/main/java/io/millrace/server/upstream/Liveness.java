package io.millrace.server.upstream;

import java.util.concurrent.TimeUnit;

/**
 * Checks whether the peer of a silent connection still exists. After a silence it gets a PING, and must answer soon.
 * Reads only set a mark; the sweep reads the clock.
 */
final class Liveness {
    static final long SILENCE_NS = TimeUnit.SECONDS.toNanos(15);
    static final long ANSWER_NS = TimeUnit.SECONDS.toNanos(10);

    private boolean heard = true;
    private long heardNs;
    private boolean asked;
    private long askedNs;

    /** What to do at a sweep. */
    enum Verdict {
        WAIT,
        ASK,
        DEAD
    }

    /** Notes that data was read, or is expected from now on. */
    void onHeard() {
        heard = true;
    }

    /** The action after the silence at {@code nowNs}. */
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
