package io.millrace.server.relay;

import static java.util.Objects.requireNonNull;

import io.millrace.server.access.Caller;
import io.millrace.server.address.AddressCounts;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestListener;
import io.millrace.server.format.ClientSide;
import io.millrace.server.http.Refusal;
import io.millrace.server.live.LiveStream;
import io.millrace.server.memory.Held;
import io.millrace.server.route.Itinerary;
import io.millrace.server.route.RoutePlan;
import io.millrace.server.route.RouteTable;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import java.net.InetAddress;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * One request and its response for the client. It coordinates three parts: {@link RequestIntake} reads the request,
 * {@link Attempts} asks upstreams, and {@link ClientAnswer} ends the answer. Confined to the client's event loop, so it
 * has no locks and no volatile fields.
 */
final class Exchange
        implements RequestListener, RequestIntake.Receiver, ClientAnswer.Listener, MemoryRelief.Holder, Audience.Host {
    private final RelayLoop loop;
    private final RouteTable routes;
    private final ClientStream downstream;
    private final @Nullable InetAddress client;
    private final ClientRequest request;
    private final RequestBody body;
    private final Caller caller;
    private final String requestId;
    private final ClientAnswer answer;
    private final Audience audience;
    private final Timeline timeline = new Timeline();
    /** Null after the request is complete and its attempts have begun. */
    private @Nullable RequestIntake intake;

    @SuppressWarnings("NullAway.Init") // set before there are attempts
    private RoutePlan plan;

    /** Null until an upstream is asked. */
    private @Nullable Attempts attempts;

    private AddressCounts.@Nullable Place place;
    private @Nullable String streamId;

    /**
     * Creates an exchange that has not begun.
     *
     * @param client the address of the client; null for a client of a unix socket
     * @param side the format of the client
     * @param caller the client, if keys are required
     */
    Exchange(
            RelayLoop loop,
            RouteTable routes,
            ClientStream downstream,
            @Nullable InetAddress client,
            ClientSide side,
            HttpRequest head,
            Caller caller) {
        this.loop = loop;
        this.routes = routes;
        this.downstream = downstream;
        this.client = client;
        this.caller = caller;
        requestId = loop.requestIds().next();
        body = new RequestBody(downstream.alloc(), loop.memory());
        request = new ClientRequest(head, body, side, caller.countsTokens(), loop.tracing());
        intake = new RequestIntake(routes, downstream, request, caller, this);
        answer = new ClientAnswer(downstream, request, requestId, loop.counters(), this);
        audience = new Audience(loop, downstream, requestId, this);
    }

    /** Begins: chooses the route if the path alone decides. */
    void start() {
        intake().start();
    }

    /** Gives {@code taken} back when this has ended. */
    void holds(AddressCounts.Place taken) {
        place = taken;
    }

    /**
     * Answers with an error after the request was read, or at once if the client waits for a 100 (Continue).
     *
     * @param soon whether this is before much of the request is read, because its client may be anyone
     */
    void refuse(Refusal refusal, boolean soon) {
        if (soon) {
            intake().refuseSoon(refusal);
        } else {
            intake().refuseWhenRead(refusal);
        }
    }

    @Override
    public void onRequestBody(ByteBuf content) {
        intake().onBody(content);
    }

    @Override
    public void onRequestReadComplete() {
        if (!isOver() && !request.complete() && attempts != null) {
            attempts.onRequestReadComplete();
        }
    }

    @Override
    public void onRequestEnd() {
        if (isOver()) {
            return;
        }
        timeline.requestCompleteNs = System.nanoTime();
        Attempts begun = attempts;
        intake().onEnd();
        if (attempts != null) {
            intake = null;
        }
        if (begun != null && !isOver()) {
            begun.onRequestEnd();
        }
        if (attempts != null && !isOver()) {
            attempts.awaitHedge();
        }
    }

    @Override
    public void onRequestRefused(int status, String code, String message) {
        if (!isOver()) {
            answer.refuse(Refusal.of(status, code, message));
        }
    }

    @Override
    public void onClientGone(String reason) {
        if (audience.leave(reason) || isOver()) {
            return;
        }
        boolean answered = attempts != null && attempts.onClientGone();
        Outcome outcome = answered ? Outcome.COMPLETED : Outcome.CLIENT_GONE;
        answer.leave();
        if (attempts == null || !attempts.readOn(() -> onEnded(outcome))) {
            onEnding();
            onEnded(outcome);
        } else {
            letGo();
        }
    }

    @Override
    public void onWritable(boolean writable) {
        if (writable) {
            audience.onWritable();
            onRoom();
        }
    }

    @Override
    public void onRoom() {
        if (attempts != null && !isOver()) {
            attempts.resume();
        }
    }

    @Override
    public void onSweep(long nowNs) {
        if (isOver() || attempts == null) {
            return;
        }
        attempts.onSweep(nowNs);
        if (request.complete() && request.fields().stream()) {
            answer.beat(nowNs, plan.route().heartbeat(), timeline.requestCompleteNs);
        }
    }

    /** Ends the exchange if its client is one of {@code callers}. */
    void end(OwnEnd why, Predicate<Caller> callers) {
        if (!isOver() && callers.test(caller)) {
            answer.end(why);
        }
    }

    /** What is shown of it while it is in progress. */
    LiveStream live() {
        return LiveFacts.of(downstream, client, caller, requestId, request, attempts, timeline);
    }

    @Override
    public long outputFrames() {
        StreamRelay stream = attempts == null ? null : attempts.stream();
        return stream == null ? 0 : stream.state().inspector().outputFrames();
    }

    @Override
    public boolean isOver() {
        return answer.isOver();
    }

    @Override
    public void onReady(RoutePlan chosen) {
        plan = chosen;
        Keeping wish =
                Keeping.of(request, chosen.route(), caller, routes.config().resume());
        Keeping.Claim claim = wish.claim(loop, audience::streamId);
        if (wish.once() == null || claim.isTaken()) {
            begin(wish, claim);
        } else {
            wish.claimElsewhere(loop, audience.streamId(), this::isOver, elsewhere -> {
                begin(wish, elsewhere);
                if (attempts != null && !isOver()) {
                    attempts.awaitHedge();
                }
            });
        }
    }

    private void begin(Keeping wish, Keeping.Claim claim) {
        KeptStream first = claim.first();
        Refusal refusal = claim.refusal();
        if (refusal == null && first == null && caller.countsTokens()) {
            refusal = caller.reserve(body.received(), MaxOutput.in(body), System.nanoTime());
        }
        if (refusal != null) {
            answer.refuse(refusal);
            return;
        }
        if (first != null) {
            answer.leave();
            letGo();
            loop.streams().yieldTo(first.id(), streamId);
            audience.join(first, FollowQuery.ofReplay(request.headers()), wish.async());
            return;
        }
        Resume settings = routes.config().resume();
        ClientStream to = audience.begin(request.client(), plan.route(), settings, answer::endUnread);
        answer.giveTo(to);
        audience.apply(wish);
        Long balanceKey = plan.balanceKey(request.headers(), body.isKept() ? body.bytes() : null);
        var itinerary = new Itinerary(plan, balanceKey, ThreadLocalRandom.current());
        var context = new AttemptContext(
                loop,
                to,
                new AnswerTerms(request, requestId),
                plan.route(),
                this::streamId,
                intake().needsWholeBody(),
                routes.config().limits().frameHold());
        downstream.onAsked();
        attempts = new Attempts(context, plan, itinerary, timeline, answer);
        if (!attempts.start()) {
            intake().refuseWhenRead(Attempts.BUSY);
        }
    }

    @Override
    public void onJoinEnded(FollowEnd end) {
        if (place != null) {
            place.giveBack();
        }
        caller.end(0, 0, System.nanoTime());
        loop.counters().endedLocally(Outcome.RESUMED.label());
        var asked = RequestFacts.summary(request, client, downstream.terms(), requestId, caller);
        end.log(loop, asked, asked.path(), timeline);
    }

    @Override
    public void onRefused(Refusal refusal) {
        answer.refuse(refusal);
    }

    @Override
    public @Nullable RequestSender sending() {
        return attempts == null ? null : attempts.sending();
    }

    @Override
    public boolean mayNeedBody() {
        return attempts != null && attempts.mayNeedBody();
    }

    @Override
    public boolean makeRoom(int bytes) {
        return loop.relief().forRequest(bytes, this);
    }

    @Override
    public @Nullable String streamId() {
        if (streamId == null && routes.config().ownPaths().streams()) {
            Resume resume = routes.config().resume();
            streamId = loop.streams().add(answer::stop, caller.owner(request.headers(), request.target(), resume));
        }
        return streamId;
    }

    @Override
    public void decorate(HttpHeaders headers) {
        if (attempts != null) {
            attempts.decorate(headers);
        }
        caller.decorate(headers, request.client().dialect(), System.nanoTime());
    }

    @Override
    public void onEnding() {
        if (attempts != null) {
            attempts.close();
        }
        letGo();
    }

    private RequestIntake intake() {
        return requireNonNull(intake, "the request has been read");
    }

    private void letGo() {
        body.drop();
        if (intake != null) {
            intake.close();
        }
    }

    @Override
    public void onEnded(Outcome outcome) {
        loop.streams().end(streamId);
        loop.counters().streams(answer.isStream() ? -1 : 0);
        if (place != null) {
            place.giveBack();
        }
        Timeline its = attempts == null ? timeline : attempts.timeline();
        its.endNs = System.nanoTime();
        StreamRelay stream = attempts == null ? null : attempts.stream();
        Summary.Stream early = answer.isStream() ? Summary.Stream.EMPTY : null;
        var summary = new Summary(
                RequestFacts.summary(request, client, downstream.terms(), requestId, caller),
                attempts == null ? intake().summary() : attempts.summary(),
                answer.summary(outcome),
                stream == null ? early : stream.state().summary(),
                audience.summary(its.startNs),
                its);
        TokensUsed used = TokensUsed.of(summary, caller.estimatedInput());
        caller.end(used.input(), used.output(), its.endNs);
        loop.onEnded(summary);
    }

    @Override
    public long held(Held.Pool pool) {
        long ofAttempts = attempts == null ? 0 : attempts.held(pool);
        return pool == Held.Pool.BUFFERS ? ofAttempts + body.held() : ofAttempts;
    }

    @Override
    public int heldOfBody() {
        return body.held() > RequestBody.ALWAYS_KEPT ? body.held() : 0;
    }

    @Override
    public boolean mayDropBody() {
        boolean needed = !request.complete() && intake().needsWholeBody();
        return !isOver() && !needed && attempts != null && attempts.haveSent();
    }

    @Override
    public void dropBody() {
        body.drop();
    }

    @Override
    public boolean awaitsBody() {
        return !isOver() && !request.complete();
    }

    @Override
    public long bodyPacedNs() {
        return body.pacedNs();
    }

    @Override
    public void onMemoryShort() {
        if (!isOver()) {
            String message = "The relay is short of memory, and this request takes much of it. Try again.";
            answer.overload(Refusal.overloaded(message));
        }
    }
}
