package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.access.ClientKey;
import io.millrace.server.config.Disconnect;
import io.millrace.server.config.Route;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestListener;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.DialectSide;
import io.millrace.server.format.RequestRefusal;
import io.millrace.server.http.HeaderRules;
import io.millrace.server.http.Inflation;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.Target;
import io.millrace.server.memory.Held;
import io.millrace.server.route.Failure;
import io.millrace.server.route.Itinerary;
import io.millrace.server.route.Place;
import io.millrace.server.route.RoutePlan;
import io.millrace.server.route.RouteTable;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * One request and its response, as the client sees them: finds the route, has {@link Attempt}s made until one is the
 * client's answer or nothing is left to try, and ends the response. Confined to the client's event loop; it has no locks and nothing volatile.
 */
final class Exchange implements RequestListener, Attempt.Listener, ClientAnswer.Listener {
    /** So much of a longer body is here before an upstream is asked. */
    private static final int FLOWING_BYTES = 16 * 1024;

    private static final int MAX_QUOTED = 64;

    /** A body that no decision needs is kept for a second try on a stale connection up to this size. */
    private static final int KEEP_FOR_RETRY = 1024 * 1024;

    private static final String WRONG_CODING = "The request body is not coded as its Content-Encoding says.";
    private static final String OVERLOADED = "relay_overloaded";
    private static final String BUSY = "Every upstream of this route has all the requests it may have.";

    private final RelayLoop loop;
    private final RouteTable settings;
    private final ClientStream downstream;
    private final ClientRequest request;
    private final Target target;
    private final String requestId;
    private final RequestBody body;
    private final Timeline timeline = new Timeline();
    private final ClientAnswer answer;
    private RoutePlan plan;
    private Timeline lastTimeline;
    private boolean hedged;
    private Itinerary itinerary;
    private AttemptContext attempts;
    private Attempt attempt;
    private Attempt hedge;
    /** The last attempt whose upstream was asked, and what it failed of: none that is not asked has a better answer. */
    private Attempt asked;

    private Failure askedFailure;
    private ScheduledFuture<?> timer;
    private boolean givenUp;
    private boolean answered;
    private boolean needsWholeBody;
    private Inflation inflation;
    private boolean inflating;
    private boolean ended;
    private Refusal refusal;
    private String streamId;

    Exchange(RelayLoop loop, RouteTable settings, ClientStream downstream, ClientSide client, HttpRequest head) {
        this.loop = loop;
        this.settings = settings;
        this.downstream = downstream;
        body = new RequestBody(downstream.alloc(), loop.memory());
        request = new ClientRequest(head, body, client);
        target = request.target();
        requestId = loop.nextRequestId();
        answer = new ClientAnswer(downstream, request, requestId, this);
    }

    /** Begins: picks the route if the path alone decides. */
    void start() {
        String model = request.fields().model();
        if (!settings.knowsPath(target.path(), request.headers())) {
            refuseWhenRead(404, "no_route", "No route takes the path " + target.path() + ".", null);
            return;
        }
        if (request.waitsForContinue()) {
            downstream.sendContinue();
        }
        needsWholeBody =
                request.client().isOwn() || (model == null && settings.needsModel(target.path(), request.headers()));
        boolean mustRead = needsWholeBody;
        if (!needsWholeBody) {
            choose(settings.find(target.path(), request.headers(), model));
            mustRead = plan != null && mustRead(plan.route());
        }
        readBody(mustRead);
    }

    /** Has the body's fields found while it comes, and its coding taken off where it must be read. */
    private void readBody(boolean mustRead) {
        String coding = request.coding();
        if (coding == null) {
            if (!request.client().isOwn() && (needsWholeBody || request.client().dialect() != Dialect.UNKNOWN)) {
                request.readFields();
            }
            return;
        }
        if (!mustRead || ended || refusal != null) {
            return;
        }
        inflation = Inflation.of(coding);
        if (inflation == null) {
            String message = "The request must be read here, and its Content-Encoding " + printable(coding)
                    + " cannot be taken off (gzip and deflate can). Send it without.";
            refuseWhenRead(415, "unsupported_media_type", message, null);
            return;
        }
        request.uncoded();
        if (!request.client().isOwn()) {
            request.readFields();
        }
    }

    /** Whether what is in the body must be known, or changed, for an upstream to be asked. */
    private boolean mustRead(Route route) {
        return request.isRewrittenBy(route)
                || (plan.mayTranslate(request.client().dialect())
                        && request.client().translates(request.method(), target.path()));
    }

    private static String printable(String text) {
        String plain = text.replaceAll("[^\\x20-\\x7e]", "?");
        return plain.length() <= MAX_QUOTED ? plain : plain.substring(0, MAX_QUOTED);
    }

    /** Answers with an error once the request has been read; at once if the client waits to be asked for its body. */
    void refuseWhenRead(int refusedStatus, String code, String message, String retryAfter) {
        if (request.complete() || request.waitsForContinue()) {
            refuse(refusedStatus, code, message, retryAfter);
        } else {
            refusal = new Refusal(refusedStatus, code, message, null, retryAfter);
        }
    }

    @Override
    public String streamId() {
        if (streamId == null && settings.config().ownPaths().streams()) {
            streamId = loop.streams().add(answer::stop, ClientKey.hash(request.headers(), target));
        }
        return streamId;
    }

    @Override
    public void onRequestBody(ByteBuf content) {
        if (inflation == null) {
            onPlainBody(content);
            return;
        }
        inflation.add(content, content.readableBytes());
        content.release();
        inflating = true;
        try {
            while (!ended && refusal == null && inflation.hasMore()) {
                inflation.step(piece -> onPlainBody(piece.retain()));
            }
        } catch (TooLongFrameException e) {
            refuse(413, "request_too_large", "The request body grows too much when it is inflated.", null);
        } catch (CorruptedFrameException e) {
            refuse(400, "invalid_body", WRONG_CODING, null);
        } finally {
            inflating = false;
        }
        if (ended || refusal != null) {
            closeInflation();
        }
    }

    private void closeInflation() {
        if (inflation != null && !inflating) {
            inflation.close();
            inflation = null;
        }
    }

    private void look(ByteBuf content) {
        try {
            request.look(content);
        } catch (RuntimeException | Error e) {
            content.release();
            throw e;
        }
    }

    private void onPlainBody(ByteBuf content) {
        if (ended || refusal != null) {
            body.passed(content.readableBytes());
            content.release();
            if (!ended && body.received() > downstream.bodyLimit()) {
                answer.refuse(refusal);
            }
            return;
        }
        if (body.received() + content.readableBytes() > downstream.bodyLimit()) {
            content.release();
            refuse(413, "request_too_large", "The request body is over " + downstream.bodyLimit() + " bytes.", null);
            return;
        }
        look(content);
        boolean sending = attempt != null && attempt.isSending();
        boolean dispensable = sending && !needsWholeBody;
        if (dispensable && body.isKept() && body.received() > KEEP_FOR_RETRY && !mayNeedBody()) {
            body.drop();
        }
        int length = content.readableBytes();
        if (sending) {
            attempt.sender().sendBody(body.isKept() ? content.retainedDuplicate() : content);
        }
        if (!body.isKept()) {
            body.passed(length);
        } else if (!body.add(content) && !addWithRoomMade(content, dispensable)) {
            boolean neverFits = body.isOverShare(length);
            content.release();
            refuseForMemory(neverFits);
            return;
        }
        if (sending) {
            attempt.sender().pauseIfFull();
        } else if (itinerary == null && plan != null && !needsWholeBody && body.received() >= FLOWING_BYTES) {
            begin();
        }
    }

    private void refuseForMemory(boolean neverFits) {
        if (neverFits) {
            String most = "The request body is over what the relay keeps of one, " + body.share() + " bytes.";
            refuse(413, "request_too_large", most, null);
        } else {
            refuse(503, OVERLOADED, "The relay holds too many request bodies. Try again.", "1");
        }
    }

    /** All that requests may keep is kept. What is on its way need not be; else another's is dropped, or cut. */
    private boolean addWithRoomMade(ByteBuf content, boolean dispensable) {
        if (dispensable) {
            body.drop();
            body.passed(content.readableBytes());
            content.release();
            return true;
        }
        return !body.isOverShare(content.readableBytes())
                && loop.relief().forRequest(content.readableBytes(), this)
                && body.add(content);
    }

    /** Bytes that this holds in {@code pool}, what waits for the client excepted. */
    long held(Held.Pool pool) {
        long attempts = held(attempt, pool) + held(hedge, pool) + held(asked, pool);
        return pool == Held.Pool.BUFFERS ? attempts + body.held() : attempts;
    }

    private static long held(Attempt one, Held.Pool pool) {
        return one == null ? 0 : one.held(pool);
    }

    /** What its body has of memory, unless that is little. */
    int heldOfBody() {
        return body.held() > RequestBody.ALWAYS_KEPT ? body.held() : 0;
    }

    /** Whether the body is kept only for another attempt. */
    boolean mayDropBody() {
        return !ended
                && attempt != null
                && attempt.isSending()
                && (request.complete() || !needsWholeBody)
                && (hedge == null || hedge.isSending());
    }

    /** Lets the body go, so that no further attempt is made. */
    void dropBody() {
        body.drop();
    }

    /** Whether the rest of the body is still to come. */
    boolean awaitsBody() {
        return !ended && !request.complete();
    }

    /** When the body last had made some way. */
    long bodyPacedNs() {
        return body.pacedNs();
    }

    /** Ends this because it holds more than others, and too much is held. */
    void onMemoryShort() {
        if (ended) {
            return;
        }
        String message = "The relay is short of memory, and this request takes much of it. Try again.";
        answer.overload(new Refusal(503, OVERLOADED, message, null, "1"));
    }

    @Override
    public void onMemoryOut() {
        if (!ended) {
            answer.cut(OVERLOADED);
        }
    }

    @Override
    public void onRequestReadComplete() {
        if (!ended && !request.complete() && attempt != null) {
            attempt.sender().onRequestReadComplete();
        }
    }

    @Override
    public void onRequestEnd() {
        if (ended) {
            return;
        }
        timeline.requestCompleteNs = System.nanoTime();
        if (inflation != null && (body.received() == 0 || !inflation.isWhole())) {
            refuse(400, "invalid_body", WRONG_CODING, null);
            return;
        }
        request.end();
        closeInflation();
        downstream.readRequest(true);
        if (refusal == null && request.client().isOwn() && !readOwn()) {
            return;
        }
        if (refusal != null) {
            answer.refuse(refusal);
        } else if (plan == null) {
            chooseByModel();
        } else if (itinerary == null) {
            begin();
        } else if (attempt != null) {
            attempt.timeline().requestCompleteNs = timeline.requestCompleteNs;
            attempt.sender().onRequestEnd();
        }
        if (!ended && plan != null && plan.hedges() != null) {
            startHedgeTimer();
        }
    }

    @Override
    public void onWritable(boolean writable) {
        if (writable && attempt != null) {
            attempt.resume();
        }
        if (writable && hedge != null) {
            hedge.resume();
        }
    }

    @Override
    public void onRequestRefused(int refusedStatus, String code, String message) {
        if (!ended) {
            refuse(refusedStatus, code, message, null);
        }
    }

    @Override
    public void onClientGone(String reason) {
        if (ended) {
            return;
        }
        boolean succeeded = stream() != null && stream().state().saidAll();
        if (succeeded) {
            attempt.onAnswered();
        }
        Outcome outcome = succeeded ? Outcome.COMPLETED : Outcome.CLIENT_GONE;
        if (readsOn(outcome)) {
            return;
        }
        answer.leave();
        onEnding();
        onEnded(outcome);
    }

    /** What has told its usage already has nothing more to say. */
    private boolean readsOn(Outcome outcome) {
        boolean wanted = plan != null && plan.route().disconnect().policy() == Disconnect.Policy.READ_ON;
        if (!wanted || stream() == null || stream().state().usageExact()) {
            return false;
        }
        boolean began = attempt.readOn(plan.route().disconnect(), () -> {
            attempt.release();
            onEnded(outcome);
        });
        if (began) {
            answer.leave();
            ended = true;
            cancelTimer();
            if (hedge != null) {
                drop(hedge);
            }
            dropAsked();
            body.drop();
            forgetStream();
        }
        return began;
    }

    @Override
    public void onSweep(long nowNs) {
        if (ended) {
            return;
        }
        if (attempt != null) {
            attempt.onSweep(nowNs);
        }
        if (!ended && hedge != null) {
            hedge.onSweep(nowNs);
        }
        if (!ended && !answer.isCommitted()) {
            beatEarly(nowNs);
        }
    }

    /** Ends the exchange because the relay is going away. */
    void onDrainLimit() {
        if (!ended) {
            answer.drain();
        }
    }

    @Override
    public boolean mayGoOn(Attempt asking) {
        return other(asking) != null || (mayBeSentAgain(asking) && itinerary.mayGoOn(requestNs(), System.nanoTime()));
    }

    @Override
    public boolean mayGoAfresh(Attempt asking) {
        boolean told = asking.sender().sent() == RequestSender.Sent.WHOLE
                && plan.route().retry().sentOnce();
        return body.isKept() && !told && itinerary.afresh(System.nanoTime());
    }

    @Override
    public void onRefusal(Attempt by, Refusal refusal) {
        Attempt other = other(by);
        if (other != null) {
            drop(other);
        }
        attempt = by;
        hedge = null;
        answered = true;
        answer.fail(refusal, Outcome.UPSTREAM_ERROR);
    }

    @Override
    public boolean endsEarly(PlainRelay plain) {
        if (answer.isEarly()) {
            answer.fail(ofStatus(plain), Outcome.UPSTREAM_ERROR);
            return true;
        }
        return false;
    }

    private static Refusal ofStatus(PlainRelay plain) {
        return new Refusal(502, "upstream_error", "The upstream answered " + plain.status(), null, null);
    }

    @Override
    public void onFailure(Attempt failed, Failure failure) {
        note(failed, failure);
        if (failed.committed()) {
            answer.fail(failure.refusal());
            return;
        }
        Attempt other = other(failed);
        if (other != null) {
            putAside(failed, failure);
            attempt = other;
            hedge = null;
            return;
        }
        long nowNs = System.nanoTime();
        Itinerary.Next next = mayBeSentAgain(failed) ? itinerary.after(failure, requestNs(), nowNs) : null;
        if (next == null) {
            giveUp(failed, failure);
            return;
        }
        putAside(failed, failure);
        attempt = null;
        lastTimeline = failed.timeline();
        if (next.delayNs() == 0) {
            attempt(next);
        } else {
            cancelTimer();
            timer = schedule(() -> attempt(next), next.delayNs());
        }
    }

    @Override
    public void onCommit(Attempt winner, HttpResponse head) {
        Attempt other = other(winner);
        if (other != null) {
            drop(other);
        }
        attempt = winner;
        hedge = null;
        dropAsked();
        cancelTimer();
        body.drop();
        request.forgetHead();
        if (winner.stream() != null) {
            answer.begin(winner.stream());
        } else {
            answer.begin(winner.plain());
        }
    }

    /** Has the request read by what its client speaks; false if it is wrong, and answered. */
    private boolean readOwn() {
        try {
            request.readOwn();
            return true;
        } catch (RequestRefusal e) {
            answer.refuse(new Refusal(e.status(), e.code(), e.getMessage(), e.field(), null));
            return false;
        }
    }

    /** A body that is no JSON, such as an upload, has no model; a route that needs none may take it. */
    private void chooseByModel() {
        RoutePlan chosen =
                settings.find(target.path(), request.headers(), request.fields().model());
        Refusal unreadable = request.unreadable();
        if (unreadable != null && (chosen == null || chosen.route().match().needsModel())) {
            refuse(unreadable.status(), unreadable.code(), unreadable.message(), null);
            return;
        }
        choose(chosen);
    }

    private void choose(RoutePlan chosen) {
        if (chosen == null) {
            refuseModel();
            return;
        }
        if (chosen.route().dialect() != null && !request.client().isOwn()) {
            request.speaks(DialectSide.of(chosen.route().dialect()));
        }
        String ambiguity = chosen.guardsPaths() ? target.ambiguity() : null;
        if (ambiguity != null) {
            refuseWhenRead(
                    400, "ambiguous_path", "The path has " + ambiguity + ", which servers read differently.", null);
            return;
        }
        Dialect alone = Dialect.ofSidePath(target.path());
        if (!chosen.speaks(alone)) {
            // Nobody there has it: the whole prompt is not sent to be told so.
            refuseWhenRead(
                    404,
                    "not_found",
                    "No upstream of the route has " + target.path() + ": it is not translated.",
                    null);
            return;
        }
        plan = chosen;
        needsWholeBody |= request.isRewrittenBy(chosen.route())
                || request.mayBeMadeToTellUsage(chosen.route())
                || plan.picksByBody()
                || (plan.mayTranslate(request.client().dialect())
                        && request.client().translates(request.method(), target.path()));
        if (request.complete()) {
            begin();
        }
    }

    /** Has the first attempt made, once the request is here or is known to flow: until then it gets no connection. */
    private void begin() {
        Refusal unnameable = request.complete() ? request.unnameable(plan.route()) : null;
        if (unnameable != null) {
            answer.refuse(unnameable);
            return;
        }
        Long balanceKey = plan.balanceKey(request.headers(), body.isKept() ? body.bytes() : null);
        itinerary = new Itinerary(plan, balanceKey, ThreadLocalRandom.current());
        attempts = new AttemptContext(
                loop,
                downstream,
                new AnswerTerms(request, requestId),
                plan.route(),
                this::streamId,
                needsWholeBody,
                settings.config().limits().frameHold());
        Dialect translated =
                attempts.terms().translatedFor(plan.targets().get(0).upstream());
        request.keyIsFor(translated == null ? request.client().dialect() : translated);
        if (plan.hedges() != null) {
            plan.hedges().onRequest();
        }
        Place first = itinerary.first(System.nanoTime());
        if (first == null) {
            refuseWhenRead(503, "upstream_busy", BUSY, "1");
        } else {
            attempt(first);
        }
    }

    private void attempt(Itinerary.Next next) {
        Place stop = itinerary.resolve(next, System.nanoTime());
        if (stop == null) {
            answer.fail(new Refusal(503, "upstream_busy", BUSY, null, "1"));
        } else {
            attempt(stop);
        }
    }

    /** Makes the next attempt. */
    private void attempt(Place stop) {
        cancelTimer();
        boolean again = lastTimeline != null;
        attempt = newAttempt(stop, again ? timeline.ofAttempt() : timeline);
        attempt.start();
    }

    private Attempt newAttempt(Place stop, Timeline its) {
        return new Attempt(attempts, its, stop, this);
    }

    private void startHedgeTimer() {
        long delayNs = hedgeDelayNs();
        if (delayNs > 0 && timer == null && attempt != null && !committed()) {
            timer = schedule(this::startHedge, delayNs);
        }
    }

    private long hedgeDelayNs() {
        var delay = plan.route().hedge().delay();
        return delay != null
                ? delay.toNanos()
                : attempt == null ? 0 : attempt.destination().state().ttft().p95Ns();
    }

    /** The first attempt has no output yet: a second one beside it may be faster. */
    private void startHedge() {
        timer = null;
        if (attempt == null || committed() || !body.isKept() || !request.isRepeatable()) {
            return;
        }
        Place stop = plan.hedges().tryHedge() ? itinerary.beside(System.nanoTime()) : null;
        if (stop != null) {
            hedged = true;
            hedge = newAttempt(stop, timeline.ofAttempt());
            hedge.start();
        }
    }

    private ScheduledFuture<?> schedule(Runnable task, long delayNs) {
        return downstream.eventLoop().schedule(task, delayNs, TimeUnit.NANOSECONDS);
    }

    private void cancelTimer() {
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    /** Retries are bounded from the moment at which the request was here, or, until then, from its beginning. */
    private long requestNs() {
        return timeline.requestCompleteNs == 0 ? timeline.startNs : timeline.requestCompleteNs;
    }

    @SuppressWarnings("ReferenceEquality")
    private Attempt other(Attempt one) {
        return one == attempt ? hedge : attempt;
    }

    private boolean committed() {
        return attempt != null && attempt.committed();
    }

    /** What its upstream may have acted on already is sent again only where that changes nothing. */
    private boolean mayBeSentAgain(Attempt failed) {
        return body.isKept()
                && switch (failed.sender().sent()) {
                    case NOTHING -> true;
                    case PART -> request.isRepeatable();
                    case WHOLE ->
                        request.isRepeatable() && !plan.route().retry().sentOnce();
                };
    }

    /** Whether a body that is being sent may have to be sent once more. */
    private boolean mayNeedBody() {
        return attempt.mayBeStale() || (plan.mayRetry() && request.isRepeatable());
    }

    private void note(Attempt failed, Failure failure) {
        itinerary.onFailure(failed.upstreamName(), failure.reason());
    }

    private static void drop(Attempt failed) {
        failed.abort();
        failed.release();
    }

    private void putAside(Attempt failed, Failure failure) {
        if (failure.unasked()) {
            drop(failed);
            return;
        }
        dropAsked();
        askedFailure = failed.putAside(failure);
        asked = failed;
    }

    private void dropAsked() {
        if (asked != null) {
            asked.release();
            asked = null;
        }
    }

    /** Nothing is left to try: the client gets the upstream's own answer, or ours if there is none. */
    private void giveUp(Attempt last, Failure lastFailure) {
        givenUp = true;
        Attempt failed = last;
        Failure failure = lastFailure;
        if (failure.unasked() && asked != null) {
            drop(last);
            failed = asked;
            failure = askedFailure;
            attempt = asked;
            asked = null;
        }
        if (failure.refusal() != null) {
            answer.fail(failure.refusal());
        } else if (answer.isEarly() && failed.plain() != null) {
            answer.fail(ofStatus(failed.plain()));
        } else {
            failed.give();
        }
    }

    /** Who served, and after how many attempts; SDKs that retry by themselves are told when we have done so, or it is vain. */
    @Override
    public void decorate(HttpHeaders headers) {
        if (attempt == null) {
            return;
        }
        headers.set(HeaderRules.UPSTREAM, attempt.upstreamName());
        headers.set(HeaderRules.ATTEMPTS, String.valueOf(itinerary.attempts()));
        if (answered || (givenUp && itinerary.attempts() > 1)) {
            headers.set(HeaderRules.SHOULD_RETRY, "false");
        }
    }

    /** A route may ask for heartbeats while there is no answer yet: they commit the client to a stream. */
    private void beatEarly(long nowNs) {
        if (itinerary != null && request.complete() && request.fields().stream()) {
            answer.beat(nowNs, plan.route().heartbeat(), timeline.requestCompleteNs);
        }
    }

    private void refuseModel() {
        String message = request.fields().model() == null
                ? "The field model is missing, and the route of this path is chosen by it."
                : "The model " + request.loggedModel() + " is not served here.";
        refusal = new Refusal(404, "model_not_found", message, "model", null);
        if (request.complete()) {
            answer.refuse(refusal);
        }
    }

    private StreamRelay stream() {
        return attempt == null ? null : attempt.stream();
    }

    @Override
    public void onPlainEnd() {
        answer.endPlain();
    }

    @Override
    public void onStreamEnd(Ending ending) {
        answer.end(ending);
    }

    @Override
    public void onBroken(Outcome outcome) {
        answer.reset(outcome);
    }

    private void refuse(int refusedStatus, String code, String message, String retryAfter) {
        answer.refuse(new Refusal(refusedStatus, code, message, null, retryAfter));
    }

    /** Ends every attempt at once. */
    private void abortAll() {
        if (attempt != null) {
            attempt.abort();
        }
        if (hedge != null) {
            hedge.abort();
        }
    }

    @Override
    public void onEnding() {
        ended = true;
        cancelTimer();
        abortAll();
        if (attempt != null) {
            attempt.release();
        }
        if (hedge != null) {
            hedge.release();
        }
        dropAsked();
        body.drop();
        closeInflation();
        forgetStream();
    }

    private void forgetStream() {
        if (streamId != null) {
            loop.streams().remove(streamId);
        }
    }

    /** After the last flush, so that the moment of a write in it is known. */
    @Override
    public void onEnded(Outcome outcome) {
        Timeline its = attempt != null ? attempt.timeline() : lastTimeline != null ? lastTimeline : timeline;
        its.endNs = System.nanoTime();
        StreamRelay stream = stream();
        String model = request.loggedModel();
        if (model == null && stream != null) {
            model = stream.state().inspector().model();
        }
        Summary.Stream streamed = answer.isStream() ? Summary.Stream.EMPTY : null;
        loop.onEnded(new Summary(
                new Summary.Request(
                        requestId,
                        request.method().name(),
                        target.path(),
                        request.client().dialect(),
                        model,
                        body.received()),
                attempts(),
                answer.summary(outcome),
                stream == null ? streamed : stream.state().summary(),
                its));
    }

    private Summary.Attempts attempts() {
        var last = new Summary.Asked(
                upstreamName(),
                attempt == null ? null : attempt.translatedTo(),
                attempt == null ? null : attempt.dropped());
        if (itinerary == null) {
            return new Summary.Attempts(last, 0, 0, 0, false, null);
        }
        return new Summary.Attempts(
                last, itinerary.attempts(), itinerary.retries(), itinerary.fallbacks(), hedged, itinerary.failures());
    }

    private String upstreamName() {
        if (attempt != null) {
            return attempt.upstreamName();
        }
        return plan == null ? null : plan.route().upstream();
    }
}
