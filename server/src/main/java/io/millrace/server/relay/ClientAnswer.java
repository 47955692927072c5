package io.millrace.server.relay;

import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.server.config.Route.Heartbeat;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.millrace.server.http.HeaderRules;
import io.millrace.server.http.Refusal;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What one client has of its answer, and therefore how that can end. As long as the client has nothing, an error is an
 * answer with a status. Inside a stream an error is a frame. Inside a body only a reset can tell it. Each of the methods
 * that end the answer is called once. Confined to the client's event loop.
 */
final class ClientAnswer implements AnswerListener {
    /** The code of errors where memory is short. */
    static final String OVERLOADED = "relay_overloaded";

    private static final String SHUTTING_DOWN = "The relay is shutting down";

    private final ClientStream downstream;
    private final ClientRequest request;
    private final String requestId;
    private final Listener listener;
    private State state = Nothing.INSTANCE;
    private int status;
    private @Nullable String errorCode;
    private boolean terminalMissing;

    /** Learns when the answer ends, and knows what its head must say. */
    interface Listener {
        /** By what the client may have its stream stopped; null where that is switched off. */
        @Nullable
        String streamId();

        /** Sets the fields that say who was asked. */
        void decorate(HttpHeaders headers);

        /** The end is about to be written: what upstreams still send means nothing. */
        void onEnding();

        /** The end is written and flushed. */
        void onEnded(Outcome outcome);
    }

    /** What the client has. */
    private sealed interface State {
        /** Whether an answer of the relay's own can be given. */
        default boolean isOpen() {
            return false;
        }

        /** Body bytes written. */
        default long bodyBytes() {
            return 0;
        }

        /** Says that it failed, and ends it. Not to be called where an answer can be given. */
        default void fail(RelayError error, String message, Outcome outcome) {
            throw new IllegalStateException("the client has nothing that could fail");
        }

        /** Ends it because the client wants no more; false if it is no stream. */
        default boolean stop(StreamStop stop) {
            return false;
        }
    }

    /** Neither head nor body. */
    private enum Nothing implements State {
        INSTANCE;

        @Override
        public boolean isOpen() {
            return true;
        }
    }

    /** An event stream that the relay began by itself, with heartbeats. A stream of an upstream goes on with it. */
    private final class Early implements State {
        private final FrameSink sink = downstream.newSink();
        private final Heartbeats heartbeats;

        Early(Heartbeat settings, long sinceNs) {
            heartbeats = new Heartbeats(downstream, sink, request.client(), settings, sinceNs);
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

    /** A response that is no event stream. As long as it is held, another can take its place. */
    private final class Plain implements State {
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
        public void fail(RelayError error, String message, Outcome outcome) {
            reset(outcome, null);
        }
    }

    /** An upstream's event stream. */
    private final class Stream implements State {
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
    private record Over(State had) implements State {}

    /** The answer to {@code request}, of which nothing is there. */
    ClientAnswer(ClientStream downstream, ClientRequest request, String requestId, Listener listener) {
        this.downstream = downstream;
        this.request = request;
        this.requestId = requestId;
        this.listener = listener;
    }

    /** Whether it has ended. */
    boolean isOver() {
        return state instanceof Over;
    }

    /** Whether the client has heartbeats and no answer. */
    boolean isEarly() {
        return state instanceof Early;
    }

    /**
     * Writes the heartbeats that a route wants before there is an answer. They commit the client to a stream.
     *
     * @param sinceNs when the client began to wait
     */
    void beat(long nowNs, Heartbeat heartbeat, long sinceNs) {
        boolean due = nowNs - sinceNs >= heartbeat.interval().toNanos();
        if (state == Nothing.INSTANCE && due && Heartbeats.wantedEarly(heartbeat, request.client())) {
            var early = new Early(heartbeat, sinceNs);
            HttpResponse head = Heads.stream(null, null, requestId, listener.streamId());
            head.headers().set(HttpHeaderNames.CONTENT_TYPE, request.client().streamType());
            downstream.beginStream(head, early.sink);
            status = 200;
            state = early;
        }
        if (state instanceof Early early) {
            early.heartbeats.beat(nowNs, false);
        }
    }

    /** What {@code relay} has is the answer; its head is about to be written, and says who was asked. */
    void begin(PlainRelay relay) {
        state = new Plain(relay);
        decorate(relay.head());
    }

    /** What {@code relay} has is the answer, behind the heartbeats if the client has some. */
    void begin(StreamRelay relay) {
        boolean early = isEarly();
        HttpResponse head = relay.start().head();
        state = new Stream(relay);
        if (early) {
            relay.start().dropHead();
        } else if (head != null) {
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

    /** Answers with an error because memory is short. An answer that has begun takes memory, too, and is cut. */
    void overload(Refusal refusal) {
        if (state == Nothing.INSTANCE) {
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

    /** Answers with an error in place of what an upstream has answered. */
    void fail(Refusal refusal, Outcome outcome) {
        if (state.isOpen()) {
            give(refusal, outcome);
        } else {
            state.fail(RelayError.UPSTREAM_ERROR, refusal.message(), outcome);
        }
    }

    /** Ends the answer because the relay is going away. */
    void drain() {
        if (state.isOpen()) {
            give(new Refusal(503, RelayError.RELAY_DRAINING.code(), SHUTTING_DOWN + ".", null, "1"), Outcome.REFUSED);
        } else if (state instanceof Stream stream && stream.relay.saidAllBetweenFrames()) {
            stream.end(stream.relay.endingAsSeen());
        } else {
            state.fail(RelayError.RELAY_DRAINING, SHUTTING_DOWN, Outcome.DRAINED);
        }
    }

    /**
     * Ends the stream cleanly because its client wants no more of it. The upstream is not waited for.
     *
     * @return false if there is no stream that has begun
     */
    boolean stop() {
        long nowSeconds = TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis());
        RequestFields fields = request.fields();
        return state.stop(
                new StreamStop(requestId, fields.model(), fields.choices(), request.usageAsked(), nowSeconds));
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

    /** The client has left: nothing more can be written. */
    void leave() {
        state = new Over(state);
    }

    /** What is to be said about it. */
    Summary.Response summary(Outcome outcome) {
        return new Summary.Response(status, outcome, errorCode, terminalMissing, had().bodyBytes());
    }

    /** Whether the client got an event stream. */
    boolean isStream() {
        return had() instanceof Early || had() instanceof Stream;
    }

    private State had() {
        return state instanceof Over over ? over.had : state;
    }

    private void give(Refusal refusal, Outcome outcome) {
        status = refusal.status();
        errorCode = refusal.code();
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
