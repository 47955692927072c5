package io.millrace.server.upstream;

import io.millrace.server.upstream.CallListener.Breakage;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.Http2Stream;
import org.jspecify.annotations.Nullable;

/**
 * The response to one {@link Http2Call}, from its head to the end of its stream. Bytes of its body count against the
 * windows until its client has taken them. Confined to the event loop.
 */
final class Http2Response extends UpstreamResponse {
    private enum State {
        AWAITING_HEAD,
        BODY,
        /** The upstream has ended the stream. Data may be left to be inflated. */
        ENDED,
        OVER
    }

    private final Http2Upstream connection;
    private final Http2Call call;
    private final Http2Stream http2Stream;
    private final boolean toHead;
    private State state = State.AWAITING_HEAD;
    /** Why no more data will come. It is reported after the data so far is inflated. */
    private @Nullable Breakage breakage;

    /** Bytes left of a body with a known length; negative without one. */
    private long missing = -1;
    /** Bytes not yet returned to the windows. */
    private int kept;

    private boolean touched;
    private boolean closedByUpstream;

    Http2Response(
            Http2Upstream connection, Http2Call call, Http2Stream http2Stream, boolean toHead, CallListener listener) {
        super(connection.channel().eventLoop(), listener);
        this.connection = connection;
        this.call = call;
        this.http2Stream = http2Stream;
        this.toHead = toHead;
    }

    Http2Stream http2Stream() {
        return http2Stream;
    }

    @Override
    boolean isOver() {
        return state == State.OVER;
    }

    @Override
    boolean awaitsHead() {
        return state == State.AWAITING_HEAD;
    }

    /** Notes that a frame of the response came. Returns whether it is the first in this read. */
    boolean touch() {
        boolean first = !touched;
        touched = true;
        return first;
    }

    @Override
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

    @Override
    void abort() {
        if (state != State.OVER) {
            listener = null;
            reset(Http2Error.CANCEL);
            connection.flush();
            over();
        }
    }

    @Override
    void release(long graceMs) {
        listener = null;
        StreamBody rest = stream;
        if (state == State.ENDED || state == State.OVER) {
            over();
        } else if (rest == null || graceMs == 0) {
            abort();
        } else {
            rest.discardRest();
            reading(true);
            limit(graceMs, this::abort);
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
            violation = last ? "an interim response that ends the stream" : interimViolation();
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
            if (stream != null) {
                stream.read(data);
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
        if (stream != null) {
            stream.onEnd();
        }
        if (stream == null || stream.ended()) {
            onWhole();
        }
    }

    private void onWhole() {
        CallListener current = listener;
        if (current == null) {
            over();
        } else if (stream != null && stream.isCut()) {
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
        if (state == State.AWAITING_HEAD && interimResponses == 0 && isUnprocessed(error)) {
            call.onRefused();
            onGone(new Breakage(Breakage.Kind.STALE, detail));
        } else {
            boolean unused = state == State.AWAITING_HEAD;
            onGone(new Breakage(unused ? Breakage.Kind.CLOSED_UNUSED : Breakage.Kind.RESET, detail));
        }
    }

    /** Whether {@code error} says that the upstream did not process the request, and another connection may carry it. */
    private boolean isUnprocessed(@Nullable Http2Error error) {
        if (error == Http2Error.REFUSED_STREAM) {
            connection.onRefused();
            return true;
        }
        return error == Http2Error.HTTP_1_1_REQUIRED && connection.owner.onHttp1Required();
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

    @Override
    void inflate() {
        StreamBody waiting = stream;
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
        if (breakage != null && stream != null && !stream.suspended()) {
            broken(breakage);
        } else {
            connection.flush();
        }
    }

    /** Ends the response. */
    void broken(Breakage why) {
        CallListener current = listener;
        listener = null;
        boolean protocol = why.kind() == Breakage.Kind.PROTOCOL;
        reset(protocol ? Http2Error.PROTOCOL_ERROR : Http2Error.CANCEL);
        tellBroken(current, why);
        over();
    }

    private void giveBack() {
        if (kept > 0) {
            connection.giveBack(http2Stream, kept);
            kept = 0;
        }
    }

    /** Resets the stream, unless both sides have ended it. */
    private void reset(Http2Error error) {
        boolean requestOpen = http2Stream.state() == Http2Stream.State.OPEN
                || http2Stream.state() == Http2Stream.State.HALF_CLOSED_REMOTE;
        if (!closedByUpstream && (state != State.ENDED || requestOpen)) {
            connection.reset(http2Stream, error);
        }
    }

    /** Releases everything that this holds. */
    private void over() {
        if (state == State.OVER) {
            return;
        }
        reset(Http2Error.CANCEL);
        state = State.OVER;
        close();
        connection.onCallOver(http2Stream);
    }
}
