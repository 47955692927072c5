package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.ReadListener;
import io.millrace.server.upstream.CallListener.Breakage;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The response to one {@link Http2Call}, from its head to the end of its stream. What comes of its body counts against the
 * windows until its client could take it. Confined to the event loop.
 */
final class Http2Response {
    private static final int MAX_INTERIM_RESPONSES = 8;

    private enum State {
        AWAITING_HEAD,
        BODY,
        /** The upstream has ended the stream. Data may be left to be inflated. */
        ENDED,
        OVER
    }

    private final Http2Upstream connection;
    private final Http2Call call;
    private final Http2Stream stream;
    private final boolean toHead;
    private State state = State.AWAITING_HEAD;
    /** Null once nobody needs the response any more. */
    private @Nullable CallListener listener;

    private @Nullable StreamBody body;
    /** Set for a stream whose content coding is removed. */
    private @Nullable InflationTurns turns;
    /** Why no more will come. It is reported when the data so far is inflated. */
    private @Nullable Breakage breakage;

    private int interimResponses;
    /** Bytes left of a body with a known length; negative without one. */
    private long missing = -1;
    /** Bytes not yet returned to the windows. */
    private int kept;

    private boolean readingWanted = true;
    private boolean touched;
    private boolean closedByUpstream;
    /** The timer of the wait for the rest of a body that is dropped. */
    private @Nullable ScheduledFuture<?> limit;

    Http2Response(Http2Upstream connection, Http2Call call, Http2Stream stream, boolean toHead, CallListener listener) {
        this.connection = connection;
        this.call = call;
        this.stream = stream;
        this.toHead = toHead;
        this.listener = listener;
    }

    Http2Stream stream() {
        return stream;
    }

    boolean isOver() {
        return state == State.OVER;
    }

    boolean awaitsHead() {
        return state == State.AWAITING_HEAD;
    }

    /** Something came of it; whether that is the first in this read. */
    boolean touch() {
        boolean first = !touched;
        touched = true;
        return first;
    }

    boolean isStreaming() {
        return body != null;
    }

    /** See {@link UpstreamCall#beginStream}. */
    void beginStream(HttpResponse head, SseFrameDecoder frames, StreamListener frameListener, ReadListener reads) {
        StreamBody begun = StreamBody.of(head, frames, frameListener, reads);
        body = begun;
        if (begun.isInflated()) {
            turns = new InflationTurns(begun, connection.channel().eventLoop(), this::inflate);
        }
    }

    /** See {@link UpstreamCall#handOver}. */
    void handOver(CallListener next, StreamListener frameListener, ReadListener reads) {
        if (body == null) {
            throw new IllegalStateException("no event stream to hand over");
        }
        listener = next;
        body.handOver(frameListener, reads);
        reading(true);
    }

    /** See {@link UpstreamCall#reading}. */
    void reading(boolean on) {
        readingWanted = on;
        if (!on || state == State.OVER) {
            return;
        }
        if (turns != null && turns.pending()) {
            turns.queue();
        } else if (kept > 0) {
            giveBack();
            connection.flush();
        }
    }

    /** See {@link UpstreamCall#abort}. */
    void abort() {
        if (state != State.OVER) {
            listener = null;
            reset(Http2Error.CANCEL);
            connection.flush();
            over();
        }
    }

    /** See {@link UpstreamCall#release}. */
    void release(long graceMs) {
        listener = null;
        StreamBody rest = body;
        if (state == State.ENDED || state == State.OVER) {
            over();
        } else if (rest == null || graceMs == 0) {
            abort();
        } else {
            rest.discardRest();
            reading(true);
            limit = connection.channel().eventLoop().schedule(this::abort, graceMs, TimeUnit.MILLISECONDS);
        }
    }

    /** A head: of the response, of an interim response, or trailers, which are dropped. */
    void onHeaders(Http2Headers headers, boolean last) {
        if (state == State.AWAITING_HEAD) {
            onHead(headers, last);
        } else if (last) {
            onEnd();
        }
    }

    private void onHead(Http2Headers headers, boolean last) {
        CallListener to = listener;
        if (to == null) {
            return;
        }
        HttpResponse head = Http2Heads.response(headers);
        int status = head.status().code();
        String violation = ResponseHeadCheck.violation(head);
        if (violation == null && status < 200) {
            violation = last
                    ? "an interim response that ends the stream"
                    : ++interimResponses > MAX_INTERIM_RESPONSES
                            ? "interim responses: more than " + MAX_INTERIM_RESPONSES
                            : null;
        }
        if (violation != null) {
            broken(new Breakage(Breakage.Kind.PROTOCOL, violation));
        } else if (status >= 200) {
            onFinalHead(head, to);
            if (last) {
                onEnd();
            }
        }
    }

    private void onFinalHead(HttpResponse head, CallListener to) {
        state = State.BODY;
        int status = head.status().code();
        missing = toHead || status == 204 || status == 304 ? 0 : HttpUtil.getContentLength(head, -1L);
        try {
            to.onHead(head);
        } catch (CorruptedFrameException e) {
            broken(Breakage.ofProtocol(e));
        }
    }

    /** A part of the body; {@code data} remains with the caller. */
    void onData(ByteBuf data, int padding, boolean last) {
        int length = data.readableBytes();
        kept += length + padding;
        if (state == State.OVER) {
            return;
        }
        if (state == State.AWAITING_HEAD) {
            broken(new Breakage(Breakage.Kind.PROTOCOL, "a body before a response head"));
            return;
        }
        if (missing >= 0) {
            missing -= length;
            if (missing < 0) {
                broken(new Breakage(Breakage.Kind.PROTOCOL, "a body longer than its head says"));
                return;
            }
        }
        take(data);
        if (last) {
            onEnd();
        }
    }

    private void take(ByteBuf data) {
        try {
            if (body != null) {
                body.read(data);
            } else if (listener != null && data.isReadable()) {
                listener.onBody(data.retain());
            }
        } catch (DecoderException e) {
            broken(Breakage.ofProtocol(e));
        } catch (OutOfMemoryError e) {
            broken(Breakage.ofNoMemory(e));
        }
    }

    /** The upstream has ended its stream. */
    private void onEnd() {
        if (state == State.OVER) {
            return;
        }
        if (missing > 0) {
            broken(new Breakage(Breakage.Kind.PROTOCOL, "a body shorter than its head says"));
            return;
        }
        state = State.ENDED;
        if (body != null) {
            body.onEnd();
        }
        if (body == null || body.ended()) {
            onWhole();
        }
    }

    private void onWhole() {
        CallListener current = listener;
        if (current == null) {
            over();
        } else if (body != null && body.isCut()) {
            broken(Breakage.ofCutCoding());
        } else {
            current.onBodyEnd();
        }
    }

    /** One read of the socket has been delivered. */
    void onReadComplete() {
        touched = false;
        if (listener != null) {
            listener.onReadComplete();
        }
        if (turns != null && turns.count() > 0) {
            if (readingWanted) {
                turns.queue();
            }
        } else if (readingWanted) {
            giveBack();
        }
    }

    /** The upstream resets its stream. */
    void onReset(long code) {
        if (state == State.ENDED || state == State.OVER) {
            closedByUpstream = true; // the response is complete: the upstream needs no more of the request
            return;
        }
        Http2Error error = Http2Error.valueOf(code);
        String detail = "stream reset: " + (error == null ? code : error);
        if (error == Http2Error.REFUSED_STREAM && state == State.AWAITING_HEAD && interimResponses == 0) {
            call.onRefused();
            connection.onRefused();
            onGone(new Breakage(Breakage.Kind.STALE, detail));
        } else {
            boolean unused = state == State.AWAITING_HEAD;
            onGone(new Breakage(unused ? Breakage.Kind.CLOSED_UNUSED : Breakage.Kind.RESET, detail));
        }
    }

    /** The upstream did not process the request, whatever it answered. */
    void onUnprocessed() {
        if (state == State.AWAITING_HEAD) {
            call.onRefused();
            onGone(new Breakage(Breakage.Kind.STALE, "GOAWAY before a response"));
        } else if (state == State.BODY) {
            onGone(new Breakage(Breakage.Kind.RESET, "GOAWAY inside the response"));
        }
    }

    /** The connection is closed, because of {@code cause} or by the upstream. */
    void onConnectionGone(@Nullable Throwable cause) {
        if (state == State.AWAITING_HEAD || state == State.BODY) {
            boolean begun = state == State.BODY || interimResponses > 0;
            onGone(Breakage.of(cause, begun, call.wasStale()));
        }
    }

    /** No more data will come. */
    private void onGone(Breakage why) {
        closedByUpstream = true;
        if (turns != null && turns.pending()) {
            breakage = why;
        } else {
            broken(why);
        }
    }

    /** Inflates more of what is left, in a turn of the event loop. */
    private void inflate() {
        StreamBody waiting = body;
        if (waiting == null || !waiting.suspended() || !readingWanted) {
            return;
        }
        try {
            waiting.goOn();
            if (waiting.ended()) {
                onWhole();
            }
        } catch (RuntimeException e) {
            broken(Breakage.ofProtocol(e));
        } catch (OutOfMemoryError e) {
            broken(Breakage.ofNoMemory(e));
        }
        onReadComplete();
        if (breakage != null && body != null && !body.suspended()) {
            broken(breakage);
        } else {
            connection.flush();
        }
    }

    /** Ends the response even if there is no memory for its last data. */
    void broken(Breakage why) {
        CallListener current = listener;
        listener = null;
        boolean protocol = why.kind() == Breakage.Kind.PROTOCOL;
        reset(protocol ? Http2Error.PROTOCOL_ERROR : Http2Error.CANCEL);
        if (current != null) {
            try {
                current.onBroken(why);
            } catch (OutOfMemoryError e) {
                current.onBroken(Breakage.ofNoMemory(e));
            }
        }
        over();
    }

    private void giveBack() {
        if (kept > 0) {
            connection.giveBack(stream, kept);
            kept = 0;
        }
    }

    /** Resets the stream, unless both sides have ended it. */
    private void reset(Http2Error error) {
        boolean requestOpen =
                stream.state() == Http2Stream.State.OPEN || stream.state() == Http2Stream.State.HALF_CLOSED_REMOTE;
        if (!closedByUpstream && (state != State.ENDED || requestOpen)) {
            connection.reset(stream, error);
        }
    }

    /** Releases everything that this holds. */
    private void over() {
        if (state == State.OVER) {
            return;
        }
        reset(Http2Error.CANCEL);
        state = State.OVER;
        if (limit != null) {
            limit.cancel(false);
            limit = null;
        }
        if (body != null) {
            body.close();
            body = null;
        }
        if (turns != null) {
            turns.close();
            turns = null;
        }
        connection.onCallOver(stream);
    }
}
