package io.millrace.server.balance;

import io.millrace.server.config.Health;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The state of one origin: its attempts in progress, its time to first token, and its health. Thread-safe, because all event
 * loops share it.
 *
 * <p>An origin serves until its attempts fail too often. Then it is ejected for a time that doubles with each ejection. After
 * that time it gets one attempt. If this has a first output, the origin serves again, with a share of the requests that grows
 * over the slow start. If it fails, the origin is ejected again. An origin whose active check fails gets no requests either.
 */
public final class OriginState {
    private static final Logger LOG = LoggerFactory.getLogger(OriginState.class);
    private static final double LEAST_WEIGHT = 0.1;
    private static final int MAX_DOUBLINGS = 30;
    /** One lost packet does not eject an origin. Two in a row do. */
    private static final int CHECKS_TO_FAIL = 2;

    private final String name;
    private final long hash;
    private final Health health;
    private final long slowStartNs;
    private final TtftPercentile percentile;
    private final MovingTtft ttft = new MovingTtft();
    private final SlidingCount succeeded;
    private final SlidingCount failed;

    private int inFlight;
    private int failuresInRow;
    private int cutsInRow;
    private int failedChecks;
    private boolean lastFailed;
    private boolean returned;
    private long returnedNs;
    private final Ejection ejection = new Ejection();

    /** The present ejection, if there is one, and the number of ejections. */
    private static final class Ejection {
        private boolean on;
        private boolean probing;
        private int inRow;
        private long count;
        private long lengthNs;
        private long sinceNs;
    }

    /**
     * An origin without a history.
     *
     * @param name for hashes and logs, such as {@code https://host:port}
     * @param health the limits after which it is ejected
     * @param percentile of its upstream. Each time to first token is added to it
     */
    OriginState(String name, Health health, TtftPercentile percentile) {
        this.name = name;
        this.health = health;
        this.percentile = percentile;
        hash = KeyHash.of(name);
        slowStartNs = health.slowStart().toNanos();
        succeeded = new SlidingCount(health.window().toNanos());
        failed = new SlidingCount(health.window().toNanos());
    }

    /** Its name. */
    public String name() {
        return name;
    }

    /**
     * Begins an attempt. The code that picked the origin calls this before the next pick on the same event loop. The
     * first attempt after an ejection decides whether the origin serves again.
     */
    public synchronized OriginAttempt onStart(long nowNs) {
        inFlight++;
        ttft.onStart(nowNs);
        boolean probe = ejection.on && !ejection.probing && isOver(nowNs);
        ejection.probing |= probe;
        return new OriginAttempt(this, nowNs, probe);
    }

    /** The result of an active check. */
    public synchronized void onCheck(boolean success, long nowNs) {
        boolean was = isDown();
        failedChecks = success ? 0 : Math.min(failedChecks + 1, CHECKS_TO_FAIL);
        if (was != isDown()) {
            LOG.warn("{} {} active checks", name, was ? "passes" : "fails");
            if (was) {
                startSlowly(nowNs);
            }
        }
    }

    /** Whether it takes requests: it is neither ejected nor down, or the time of its ejection is over. */
    public synchronized boolean admits(long nowNs) {
        return !isDown() && (!ejection.on || (!ejection.probing && isOver(nowNs)));
    }

    /** The number of its attempts in progress. */
    public synchronized int inFlight() {
        return inFlight;
    }

    /** Whether it is ejected, or has had no success since its ejection. */
    synchronized boolean isEjected() {
        return ejection.on;
    }

    /** Whether its active checks fail. */
    public synchronized boolean isDown() {
        return failedChecks >= CHECKS_TO_FAIL;
    }

    /** Its state at this moment, for people. */
    public synchronized OriginHealth health(long nowNs) {
        var serving = isDown()
                ? OriginHealth.Serving.DOWN
                : !ejection.on
                        ? OriginHealth.Serving.YES
                        : isOver(nowNs) ? OriginHealth.Serving.ON_TRIAL : OriginHealth.Serving.EJECTED;
        long leftNs = serving == OriginHealth.Serving.EJECTED ? ejection.lengthNs - (nowNs - ejection.sinceNs) : 0;
        return new OriginHealth(
                name, serving, leftNs, inFlight, ejection.count, Math.round(ttft.averageNs(-1)), weight(nowNs) < 1);
    }

    /** How often it was ejected. */
    public synchronized long ejections() {
        return ejection.count;
    }

    long hash() {
        return hash;
    }

    /** The average time to first token, or {@code otherwise} if none is known. */
    synchronized double ttftNs(double otherwise) {
        return ttft.averageNs(otherwise);
    }

    /**
     * The expected wait of another attempt here: the time to first token, times the attempts in flight, over the origin's
     * share. If its last attempt failed, few attempts in flight do not count in its favour.
     *
     * @param otherInFlight the attempts in flight at the origin that it is compared with
     * @param fasterNs the lesser average of the two origins; it is used if the average of this one is not known
     */
    synchronized double cost(double fasterNs, int otherInFlight, long nowNs) {
        int load = 1 + (lastFailed ? Math.max(inFlight, otherInFlight) : inFlight);
        return Math.max(1, ttft.expectedNs(fasterNs, nowNs)) * load / weight(nowNs);
    }

    synchronized void onFirstOutput(OriginAttempt attempt, long nowNs) {
        long ttftNs = nowNs - attempt.startNs();
        percentile.record(ttftNs);
        ttft.onWaited(nowNs);
        onAnswer(attempt, nowNs);
        ttft.sample(ttftNs, nowNs);
    }

    synchronized void onSuccess(OriginAttempt attempt, long nowNs) {
        inFlight--;
        if (!attempt.hadOutput()) {
            ttft.onWaited(nowNs);
            onAnswer(attempt, nowNs);
        }
        cutsInRow = counts(attempt) ? 0 : cutsInRow;
    }

    synchronized void onFailure(OriginAttempt attempt, long nowNs, long deadlineNs) {
        inFlight--;
        lastFailed = true;
        ttft.sample(deadlineNs, nowNs);
        if (!attempt.hadOutput()) {
            ttft.onWaited(nowNs);
        }
        if (attempt.isProbe() && ejection.probing && ejection.on) {
            eject(nowNs, "its trial failed");
        } else if (counts(attempt)) {
            countFailure(attempt, nowNs);
        }
    }

    synchronized void onIgnored(OriginAttempt attempt) {
        inFlight--;
        if (!attempt.hadOutput()) {
            ttft.onGivenUp();
        }
        if (attempt.isProbe() && ejection.on) {
            ejection.probing = false;
        }
    }

    /** The origin has answered. If it is ejected and the attempt is younger than the ejection, it serves again. */
    private void onAnswer(OriginAttempt attempt, long nowNs) {
        if (ejection.on && attempt.startNs() - ejection.sinceNs > 0) {
            comeBack(nowNs);
        }
        lastFailed = false;
        if (counts(attempt)) {
            failuresInRow = 0;
            succeeded.add(nowNs, 1);
        }
    }

    private void countFailure(OriginAttempt attempt, long nowNs) {
        failed.add(nowNs, 1);
        if (attempt.hadOutput()) {
            succeeded.add(nowNs, -1);
            cutsInRow++;
        } else {
            failuresInRow++;
        }
        int limit = health.consecutiveFailures();
        if (limit > 0 && Math.max(failuresInRow, cutsInRow) >= limit) {
            eject(nowNs, "attempts failed in a row");
        } else if (failsTooOften(nowNs)) {
            eject(nowNs, "too many of its attempts failed");
        }
    }

    private boolean failsTooOften(long nowNs) {
        long failures = failed.total(nowNs);
        long attempts = failures + Math.max(0, succeeded.total(nowNs));
        return health.failureRate() > 0
                && attempts >= health.minRequests()
                && failures >= health.failureRate() * attempts;
    }

    private void eject(long nowNs, String reason) {
        long rested = health.window().toNanos();
        boolean wasWell = !ejection.on && (!returned || nowNs - returnedNs > Math.max(rested, ejection.lengthNs));
        ejection.inRow = wasWell ? 0 : ejection.inRow;
        long firstNs = health.ejection().toNanos();
        long mostNs = health.maxEjection().toNanos();
        int doublings = Math.min(ejection.inRow++, MAX_DOUBLINGS);
        ejection.lengthNs = firstNs > mostNs >> doublings ? mostNs : firstNs << doublings;
        ejection.sinceNs = nowNs;
        ejection.on = true;
        ejection.probing = false;
        ejection.count++;
        LOG.warn("{} is ejected for {} ms: {}", name, TimeUnit.NANOSECONDS.toMillis(ejection.lengthNs), reason);
    }

    private void comeBack(long nowNs) {
        ejection.on = false;
        ejection.probing = false;
        startSlowly(nowNs);
        LOG.info("{} serves again", name);
    }

    private void startSlowly(long nowNs) {
        returned = true;
        returnedNs = nowNs;
        failuresInRow = 0;
        cutsInRow = 0;
        succeeded.clear();
        failed.clear();
        ttft.forget();
    }

    /**
     * Whether an attempt shows the present state of the origin: the origin serves, and the attempt began after that.
     */
    private boolean counts(OriginAttempt attempt) {
        return !ejection.on && (!returned || attempt.isProbe() || attempt.startNs() - returnedNs >= 0);
    }

    private boolean isOver(long nowNs) {
        return nowNs - ejection.sinceNs >= ejection.lengthNs;
    }

    private double weight(long nowNs) {
        long sinceNs = nowNs - returnedNs;
        if (!returned || sinceNs >= slowStartNs) {
            return 1;
        }
        return Math.max(LEAST_WEIGHT, (double) sinceNs / slowStartNs);
    }
}
