package io.millrace.server.relay;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.http.Refusal;
import io.millrace.server.memory.Held;
import io.millrace.server.route.Failure;
import io.millrace.server.route.Itinerary;
import io.millrace.server.route.Itinerary.Place;
import io.millrace.server.route.RoutePlan;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The attempts at upstreams for one request. They follow each other, with at most two at a time, until one is the
 * client's answer or nothing is left to try. Confined to the client's event loop.
 */
final class Attempts implements Attempt.Listener {
    static final Refusal BUSY = new Refusal(
            503, "upstream_busy", "Every upstream of this route has all the requests it may have.", null, "1");

    private final AttemptContext context;
    private final ClientRequest request;
    private final RequestBody body;
    private final RoutePlan plan;
    private final Itinerary itinerary;
    private final Timeline timeline;
    private final ClientAnswer answer;
    private @Nullable Attempt attempt;
    private @Nullable Attempt hedge;
    /** The last failure of an upstream that was asked. It is preferred to a failure of any other upstream. */
    private @Nullable Failed asked;

    private @Nullable Timeline lastTimeline;
    private @Nullable ScheduledFuture<?> timer;
    private boolean hedged;
    private boolean givenUp;
    private boolean answered;

    private record Failed(Attempt attempt, Failure failure) {}

    /** @param timeline the timeline of the request, and of the first attempt */
    Attempts(AttemptContext context, RoutePlan plan, Itinerary itinerary, Timeline timeline, ClientAnswer answer) {
        this.context = context;
        this.plan = plan;
        this.itinerary = itinerary;
        this.timeline = timeline;
        this.answer = answer;
        request = context.terms().request();
        body = request.body();
    }

    /**
     * Makes the first attempt.
     *
     * @return false if all upstreams are {@link #BUSY}
     */
    boolean start() {
        Dialect translated = context.terms().translatedFor(plan.targets().get(0).upstream());
        request.keyIsFor(translated == null ? context.terms().dialect() : translated);
        if (plan.hedges() != null) {
            plan.hedges().onRequest();
        }
        Place first = itinerary.first(System.nanoTime());
        if (first != null) {
            attempt(first);
        }
        return first != null;
    }

    /** The sender that the body is passed to as it comes; null if the request is not being sent. */
    @Nullable
    RequestSender sending() {
        return attempt != null && attempt.sender().isSending() ? attempt.sender() : null;
    }

    /** Whether no attempt waits for its turn to send the request. */
    boolean haveSent() {
        return sending() != null && (hedge == null || hedge.sender().isSending());
    }

    /** Whether a body that is being sent may be needed again. */
    boolean mayNeedBody() {
        return (attempt != null && attempt.sender().mayBeStale()) || (plan.mayRetry() && request.isRepeatable());
    }

    /** One read of the client has been delivered. */
    void onRequestReadComplete() {
        if (attempt != null) {
            attempt.sender().onRequestReadComplete();
        }
    }

    /** The request, which is being sent, is complete. */
    void onRequestEnd() {
        if (attempt != null) {
            attempt.scope().timeline().requestCompleteNs = timeline.requestCompleteNs;
            attempt.sender().onRequestEnd();
        }
    }

    /** Starts a hedge after a delay, if the route has hedges. */
    void awaitHedge() {
        var hedging = plan.route().hedge();
        if (hedging == null || timer != null || attempt == null || attempt.committed()) {
            return;
        }
        var delay = hedging.delay();
        long delayNs = delay != null
                ? delay.toNanos()
                : attempt.scope().place().destination().state().p95TtftNs();
        if (delayNs > 0) {
            schedule(this::startHedge, delayNs);
        }
    }

    /** Continues, because the client takes data again. */
    void resume() {
        if (attempt != null) {
            attempt.resume();
        }
        if (hedge != null) {
            hedge.resume();
        }
    }

    /** Checks the time limits of the attempts. */
    void onSweep(long nowNs) {
        if (attempt != null) {
            attempt.onSweep(nowNs);
        }
        if (!answer.isOver() && hedge != null) {
            hedge.onSweep(nowNs);
        }
    }

    /** The client has closed. Returns true if it had its whole answer, which counts as a success of the upstream. */
    boolean onClientGone() {
        StreamRelay stream = stream();
        if (attempt == null || stream == null || !stream.state().saidAll()) {
            return false;
        }
        attempt.scope().onOriginServed();
        return true;
    }

    /**
     * Reads the rest of the stream without its client, for the usage at its end, if the route asks for it.
     *
     * @param done called after the last data
     * @return false if the route does not ask for it, or there is nothing to read
     */
    boolean readOn(Runnable done) {
        Disconnect disconnect = plan.route().disconnect();
        boolean wanted = disconnect.policy() == Disconnect.Policy.READ_ON;
        Attempt reading = attempt;
        StreamRelay stream = stream();
        if (!wanted || reading == null || stream == null || stream.state().usageExact()) {
            return false;
        }
        boolean began = reading.readOn(disconnect, () -> {
            reading.release();
            done.run();
        });
        if (began) {
            win(reading);
        }
        return began;
    }

    /** The bytes of answers that the attempts hold in {@code pool}. */
    long held(Held.Pool pool) {
        long held = attempt == null ? 0 : attempt.held(pool);
        held += hedge == null ? 0 : hedge.held(pool);
        return held + (asked == null ? 0 : asked.attempt().held(pool));
    }

    /** Ends all attempts. No further one is made. */
    void close() {
        cancelTimer();
        drop(attempt);
        drop(hedge);
        dropAsked();
    }

    /** Adds the upstream and the number of attempts. Tells SDKs not to retry if that would not help. */
    void decorate(HttpHeaders headers) {
        if (attempt == null) {
            return;
        }
        boolean last = answered || (givenUp && itinerary.attempts() > 1);
        String upstream = attempt.scope().place().destination().upstream().name();
        Heads.servedBy(headers, upstream, itinerary.attempts(), last);
    }

    /** The summary of the attempts. */
    Summary.Attempts summary() {
        var last = attempt == null
                ? new Summary.Asked(plan.route().upstream(), null, null, null, null, null)
                : attempt.summary();
        return itinerary.summary(last, hedged);
    }

    /** The timeline of the attempt that is the answer, otherwise of the last attempt. */
    Timeline timeline() {
        if (attempt != null) {
            return attempt.scope().timeline();
        }
        return lastTimeline == null ? timeline : lastTimeline;
    }

    /** The stream that is the answer or may become it; null if there is none. */
    @Nullable
    StreamRelay stream() {
        return attempt == null ? null : attempt.stream();
    }

    @Override
    public boolean mayGoOn(Attempt asking) {
        return other(asking) != null
                || (mayBeSentAgain(asking) && itinerary.mayGoOn(timeline.askedNs(), System.nanoTime()));
    }

    @Override
    public boolean mayGoAfresh(Attempt asking) {
        boolean told = asking.sender().sent() == RequestSender.Sent.WHOLE
                && plan.route().retry().sentOnce();
        return body.isKept() && !told && itinerary.afresh(System.nanoTime());
    }

    @Override
    public void onFailure(Attempt failed, Failure failure) {
        long nowNs = System.nanoTime();
        itinerary.onFailure(
                failed.scope().place(), failure.reason(), failed.scope().timeline().attemptNs, nowNs);
        failed.sender().onFailed(failure.reason(), nowNs);
        if (failed.committed()) {
            answer.fail(requireNonNull(failure.refusal(), "the answer is committed"));
            return;
        }
        Attempt other = other(failed);
        if (other != null) {
            putAside(failed, failure);
            attempt = other;
            hedge = null;
            return;
        }
        Itinerary.Next next = mayBeSentAgain(failed) ? itinerary.after(failure, timeline.askedNs(), nowNs) : null;
        if (next == null) {
            giveUp(failed, failure);
            return;
        }
        putAside(failed, failure);
        attempt = null;
        lastTimeline = failed.scope().timeline();
        cancelTimer();
        if (next.delayNs() == 0) {
            attempt(next);
        } else {
            schedule(() -> attempt(next), next.delayNs());
        }
    }

    @Override
    public void onRefusal(Attempt by, Refusal refusal) {
        win(by);
        answered = true;
        answer.fail(refusal, Outcome.UPSTREAM_ERROR);
    }

    @Override
    public void onCommit(Attempt winner) {
        win(winner);
        body.drop();
        request.forgetHead();
        StreamRelay stream = winner.stream();
        PlainRelay plain = winner.plain();
        if (stream != null) {
            answer.begin(stream);
        } else if (plain != null) {
            answer.begin(plain);
        }
    }

    @Override
    public void onMemoryOut() {
        answer.cut();
    }

    private void attempt(Itinerary.Next next) {
        Place place = itinerary.resolve(next, System.nanoTime());
        if (place == null) {
            answer.fail(BUSY);
        } else {
            attempt(place);
        }
    }

    private void attempt(Place place) {
        cancelTimer();
        attempt = new Attempt(context, lastTimeline == null ? timeline : timeline.ofAttempt(), place, this, answer);
        attempt.start();
    }

    /** Starts a second attempt, because the first one has no output yet. */
    private void startHedge() {
        timer = null;
        var hedges = plan.hedges();
        boolean possible = attempt != null && !attempt.committed() && body.isKept() && request.isRepeatable();
        if (!possible || hedges == null) {
            return;
        }
        Place place = hedges.tryHedge() ? itinerary.beside(System.nanoTime()) : null;
        if (place != null) {
            hedged = true;
            hedge = new Attempt(context, timeline.ofAttempt(), place, this, answer);
            hedge.start();
        }
    }

    private void schedule(Runnable task, long delayNs) {
        timer = context.downstream().eventLoop().schedule(task, delayNs, TimeUnit.NANOSECONDS);
    }

    private void cancelTimer() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    @SuppressWarnings("ReferenceEquality")
    private @Nullable Attempt other(Attempt one) {
        return one == attempt ? hedge : attempt;
    }

    /** Whether the request may be sent again. If an upstream may have acted on it, it must be repeatable. */
    private boolean mayBeSentAgain(Attempt failed) {
        return body.isKept()
                && failed.sender().mayBeSentAgain(plan.route().retry().sentOnce());
    }

    private void win(Attempt winner) {
        drop(other(winner));
        attempt = winner;
        hedge = null;
        dropAsked();
        cancelTimer();
    }

    private static void drop(@Nullable Attempt one) {
        if (one != null) {
            one.abort();
            one.release();
        }
    }

    private void dropAsked() {
        drop(asked == null ? null : asked.attempt());
        asked = null;
    }

    private void putAside(Attempt failed, Failure failure) {
        if (failure.unasked()) {
            drop(failed);
            return;
        }
        dropAsked();
        asked = new Failed(failed, failed.putAside(failure));
    }

    /** Nothing is left to try. The client gets the upstream's own answer, or the relay's error if there is none. */
    private void giveUp(Attempt last, Failure lastFailure) {
        givenUp = true;
        Attempt failed = last;
        Failure failure = lastFailure;
        if (failure.unasked() && asked != null) {
            drop(last);
            failed = asked.attempt();
            failure = asked.failure();
            attempt = failed;
            asked = null;
        }
        if (failure.refusal() != null) {
            answer.fail(failure.refusal());
        } else if (answer.isEarly() && failed.plain() != null) {
            answer.fail(failed.plain().asRefusal());
        } else {
            failed.give();
        }
    }
}
