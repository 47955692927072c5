package io.millrace.server.relay;

import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.millrace.server.http.HeaderRules;
import io.millrace.server.http.Refusal;
import io.millrace.server.telemetry.LoopCounters;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/**
 * The part of the answer that one client has, which decides how the answer can end. If the client has nothing yet, an
 * error is a response with a status. In a stream, an error is a frame. In a body, only a reset can show an error. Each
 * method that ends the answer is called at most once. Confined to the client's event loop.
 */
final class ClientAnswer implements AnswerListener {
    /** The code of errors for lack of memory. */
    static final String OVERLOADED = "relay_overloaded";

    private ClientStream downstream;
    private final ClientRequest request;
    private final String requestId;
    private final LoopCounters counters;
    private final Listener listener;
    private AnswerState state = AnswerState.Nothing.INSTANCE;
    private int status;
    private @Nullable String errorCode;
    private @Nullable String errorMessage;
    private boolean terminalMissing;

    /** Receives the end of the answer, and completes its head. */
    interface Listener {
        /** The id by which the client may stop its stream; null if that is switched off. */
        @Nullable
        String streamId();

        /** Adds the fields about the upstream. */
        void decorate(HttpHeaders headers);

        /** The end is about to be written. Further data of upstreams is ignored. */
        void onEnding();

        /** The end was written and flushed. */
        void onEnded(Outcome outcome);
    }

    /** An event stream that the relay has begun itself, with heartbeats. The stream of an upstream continues it. */
    private final class Early implements AnswerState {
        private final FrameSink sink = downstream.newSink();
        private final Heartbeats heartbeats;

        Early(Heartbeat settings, long sinceNs) {
            heartbeats = new Heartbeats(downstream, sink, request.client(), settings, sinceNs, counters);
        }

        @Override
        public long bodyBytes() {
            return sink.bodyBytes();
        }

        @Override
        public void fail(RelayError error, String message, Outcome outcome) {
            String full = message + " after 0 output frames, " + sink.bodyBytes() + " bytes";
            ByteBuf frame = request.client().errorFrame(downstream.alloc(), error, full, -1, requestId);
            if (frame == null) {
                reset(outcome, error.code());
            } else {
                errorCode = error.code();
                errorMessage = message;
                sink.take(frame);
                finish(outcome, ClientStream.End.IN_ERROR, null);
            }
        }

        @Override
        public boolean stop(StreamStop stop) {
            sink.take(request.client().stopFrames(downstream.alloc(), stop));
            finish(Outcome.STOPPED, ClientStream.End.WHOLE, null);
            return true;
        }
    }

    /** A response that is not an event stream. While it is held, another one can replace it. */
    private final class Plain implements AnswerState {
        private final PlainRelay relay;

        Plain(PlainRelay relay) {
            this.relay = relay;
        }

        @Override
        public boolean isOpen() {
            return !relay.started();
        }

        @Override
        public long bodyBytes() {
            return relay.bodyBytes();
        }

        @Override
        public Summary.Whole facts() {
            return relay.facts();
        }

        @Override
        public void fail(RelayError error, String message, Outcome outcome) {
            reset(outcome, null);
        }
    }

    /** An upstream's event stream. */
    private final class Stream implements AnswerState {
        private final StreamRelay relay;

        Stream(StreamRelay relay) {
            this.relay = relay;
        }

        @Override
        public long bodyBytes() {
            return relay.bodyBytes();
        }

        @Override
        public void fail(RelayError error, String message, Outcome outcome) {
            end(Ending.withError(error, message));
        }

        @Override
        public boolean stop(StreamStop stop) {
            if (relay.stop(stop)) {
                end(relay.endingAsSeen());
            }
            return true;
        }

        void end(Ending asked) {
            Ending ending = relay.writeEnd(asked);
            RelayError error = ending.error();
            boolean failed = error != null || ending.outcome() == Outcome.UPSTREAM_ERROR;
            terminalMissing = ending.terminalMissing();
            String code = error == null ? null : error.code();
            errorMessage = error == null ? null : ending.message();
            boolean silent =
                    relay.halfFrameSent() || (failed && !request.client().tellsErrors());
            if (silent || (error != null && !relay.writeError(error, ending.message()))) {
                reset(ending.outcome(), code);
            } else {
                errorCode = code;
                finish(ending.outcome(), error == null ? ClientStream.End.WHOLE : ClientStream.End.IN_ERROR, relay);
            }
        }
    }

    /** The client has all that it will get. */
    private record Over(AnswerState had) implements AnswerState {}

    /** Creates the answer to {@code request}. Nothing of it exists yet. */
    ClientAnswer(
            ClientStream downstream,
            ClientRequest request,
            String requestId,
            LoopCounters counters,
            Listener listener) {
        this.downstream = downstream;
        this.request = request;
        this.requestId = requestId;
        this.counters = counters;
        this.listener = listener;
    }

    /** From now on {@code recipient}, which passes it on to the client, gets the answer. To be called before it begins. */
    void giveTo(ClientStream recipient) {
        downstream = recipient;
    }

    /** Whether it has ended. */
    boolean isOver() {
        return state instanceof Over;
    }

    /** Whether the client has only heartbeats. */
    boolean isEarly() {
        return state instanceof Early;
    }

    /**
     * Writes the heartbeats that a route sends before there is an answer. They commit the client to a stream.
     *
     * @param sinceNs when the client began to wait
     */
    void beat(long nowNs, Heartbeat heartbeat, long sinceNs) {
        boolean due = nowNs - sinceNs >= heartbeat.interval().toNanos();
        boolean wanted = due && downstream.awaitsMore() && Heartbeats.wantedEarly(heartbeat, request.client());
        if (state == AnswerState.Nothing.INSTANCE && wanted) {
            var early = new Early(heartbeat, sinceNs);
            HttpResponse head = Heads.stream(null, null, requestId, listener.streamId());
            head.headers().set(HttpHeaderNames.CONTENT_TYPE, request.client().streamType());
            downstream.beginStream(head, early.sink);
            status = 200;
            state = early;
            counters.streams(1);
        }
        if (state instanceof Early early) {
            early.heartbeats.beat(nowNs, false);
        }
    }

    /** Makes {@code relay} the answer. Its head is about to be written, and gets the fields about the upstream. */
    void begin(PlainRelay relay) {
        state = new Plain(relay);
        decorate(relay.head());
    }

    /** Makes {@code relay} the answer. It continues the heartbeats, if the client has some. */
    void begin(StreamRelay relay) {
        boolean early = isEarly();
        HttpResponse head = relay.start().head();
        state = new Stream(relay);
        if (early) {
            relay.start().dropHead();
            return;
        }
        counters.streams(1);
        if (head != null) {
            decorate(head);
        }
    }

    private void decorate(HttpResponse head) {
        status = head.status().code();
        listener.decorate(head.headers());
    }

    /** Answers with an error because the request is wrong or cannot be served. */
    void refuse(Refusal refusal) {
        if (state.isOpen()) {
            give(refusal, Outcome.REFUSED);
        } else {
            reset(Outcome.REFUSED, refusal.code());
        }
    }

    /** Answers with an error because memory is short. An answer that has begun also holds memory, and is cut. */
    void overload(Refusal refusal) {
        if (state == AnswerState.Nothing.INSTANCE) {
            give(refusal, Outcome.OVERLOADED);
        } else {
            reset(Outcome.OVERLOADED, refusal.code());
        }
    }

    /** Answers with an error because upstreams failed. */
    void fail(Refusal refusal) {
        boolean refused = state.isOpen() && refusal.status() == 400;
        fail(refusal, refused ? Outcome.REFUSED : Outcome.UPSTREAM_FAILED);
    }

    /** Answers with an error in place of an upstream's answer. */
    void fail(Refusal refusal, Outcome outcome) {
        if (state.isOpen()) {
            give(refusal, outcome);
        } else {
            state.fail(RelayError.UPSTREAM_ERROR, refusal.message(), outcome);
        }
    }

    /** Ends the answer before its upstream does. A client that has its whole answer gets no error. */
    void end(OwnEnd why) {
        if (state.isOpen()) {
            give(why.refusal(), Outcome.REFUSED);
        } else if (state instanceof Stream stream && stream.relay.saidAllBetweenFrames()) {
            stream.end(stream.relay.endingAsSeen());
        } else {
            state.fail(why.error(), why.message(), Ending.outcomeOf(why.error()));
        }
    }

    /** Ends the stream because nobody has read it for too long, as {@code message} says. */
    void endUnread(String message) {
        if (state.isOpen()) {
            give(Refusal.of(503, RelayError.RELAY_UNREAD.code(), message + "."), Outcome.UNREAD);
        } else {
            state.fail(RelayError.RELAY_UNREAD, message, Outcome.UNREAD);
        }
    }

    /**
     * Ends the stream cleanly because its client has stopped it. This does not wait for the upstream.
     *
     * @return false if no stream has begun
     */
    boolean stop() {
        return state.stop(RequestFacts.stop(request, requestId));
    }

    @Override
    public boolean endsEarly(PlainRelay plain) {
        boolean early = isEarly();
        if (early) {
            fail(plain.asRefusal(), Outcome.UPSTREAM_ERROR);
        }
        return early;
    }

    @Override
    public void onPlainEnd() {
        finish(status >= 400 ? Outcome.UPSTREAM_ERROR : Outcome.COMPLETED, ClientStream.End.WHOLE, null);
    }

    @Override
    public void onStreamEnd(Ending ending) {
        ((Stream) state).end(ending);
    }

    @Override
    public void onBroken(Outcome outcome) {
        reset(outcome, null);
    }

    /** Cuts an answer for which there is no memory. */
    void cut() {
        reset(Outcome.OVERLOADED, OVERLOADED);
    }

    /** Ends the answer because the client has closed. Nothing more can be written. */
    void leave() {
        state = new Over(state);
    }

    /** The summary of the response. */
    Summary.Response summary(Outcome outcome) {
        return new Summary.Response(
                status, outcome, errorCode, errorMessage, terminalMissing, had().bodyBytes(), had().facts());
    }

    /** Whether the client got an event stream. */
    boolean isStream() {
        return had() instanceof Early || had() instanceof Stream;
    }

    private AnswerState had() {
        return state instanceof Over over ? over.had : state;
    }

    private void give(Refusal refusal, Outcome outcome) {
        status = refusal.status();
        errorCode = refusal.code();
        errorMessage = refusal.message();
        byte[] json = request.errorBody(refusal, requestId);
        HttpHeaders headers = new DefaultHttpHeaders();
        headers.set(HeaderRules.OWN_REQUEST_ID, requestId);
        listener.decorate(headers);
        refusal.addTo(headers);
        ending();
        downstream.respond(status, json, headers);
        listener.onEnded(outcome);
    }

    private void reset(Outcome outcome, @Nullable String code) {
        errorCode = code;
        ending();
        downstream.reset();
        listener.onEnded(outcome);
    }

    private void finish(Outcome outcome, ClientStream.End how, @Nullable StreamRelay stream) {
        ending();
        downstream.end(how, stream == null ? null : stream.takeWriteNotice());
        listener.onEnded(outcome);
    }

    private void ending() {
        leave();
        listener.onEnding();
    }
}
