package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.ReadListener;
import io.millrace.server.upstream.CallListener.Breakage;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import org.jspecify.annotations.Nullable;

/** The response to one {@link Http1Call}, from its head to the end of its body. Confined to the event loop. */
final class Http1Response extends UpstreamResponse {
    /** How long an upstream that stops taking a request has to answer. */
    private static final long ANSWER_LIMIT_MS = 1_000;

    private enum State {
        AWAITING_HEAD,
        BODY,
        /** Only for a body that is not an event stream. */
        BODY_ENDED,
        OVER
    }

    private final Http1Connection connection;
    private final Http1Call call;
    private State state = State.AWAITING_HEAD;
    private boolean keepAlive;
    private boolean endsWithConnection;
    private boolean closed;
    private @Nullable Throwable failure;
    /** Why the request could not be sent completely. The answer may have arrived nevertheless. */
    private @Nullable Throwable sendFailure;

    Http1Response(Http1Connection connection, Http1Call call, CallListener listener) {
        super(connection.channel().eventLoop(), listener);
        this.connection = connection;
        this.call = call;
    }

    @Override
    boolean isOver() {
        return state == State.OVER;
    }

    @Override
    boolean awaitsHead() {
        return state == State.AWAITING_HEAD;
    }

    @Override
    void beginStream(HttpResponse head, SseFrameDecoder frames, StreamListener frameListener, ReadListener reads) {
        super.beginStream(head, frames, frameListener, reads);
        connection.decoder().beginRaw(connection);
    }

    @Override
    void reading(boolean on) {
        readingWanted = on;
        if (state == State.OVER) {
            return;
        }
        if (on && turns != null && turns.pending()) {
            turns.queue();
        } else {
            connection.reading(on);
        }
    }

    @Override
    void abort() {
        if (state != State.OVER) {
            listener = null;
            connection.close();
            over();
        }
    }

    @Override
    void release(long graceMs) {
        listener = null;
        if (state == State.BODY_ENDED || (stream != null && stream.ended())) {
            end();
        } else if (stream == null
                || stream.endsWithConnection()
                || !connection.channel().isActive()) {
            abort();
        } else {
            dropRest(stream, graceMs);
        }
    }

    private void dropRest(StreamBody rest, long graceMs) {
        rest.discardRest();
        if (rest.ended()) {
            // The end was seen before, but it did not count while data was left to be inflated.
            connection.decoder().endRaw();
            end();
        } else {
            reading(true);
            limit(graceMs, this::abort);
        }
    }

    /** Bytes of the body of an event stream, or bytes that belong to no response. */
    void onStreamBytes(ByteBuf raw) {
        StreamBody body = stream;
        try {
            if (body == null) {
                connection.cut();
                return;
            }
            body.read(raw);
            if (body.endSeen()) {
                keepAlive &= !raw.isReadable();
            }
            if (body.ended()) {
                onStreamEnd();
            }
        } catch (DecoderException e) {
            broken(Breakage.ofProtocol(e));
        }
    }

    void onHead(HttpResponse head) {
        if (state != State.AWAITING_HEAD || listener == null) {
            connection.cut();
            return;
        }
        int status = head.status().code();
        String violation = ResponseHeadCheck.violation(head);
        if (violation == null && status < 200) {
            violation = interimViolation();
        }
        if (violation != null) {
            broken(new Breakage(Breakage.Kind.PROTOCOL, violation));
        } else if (status >= 200) {
            onFinalHead(head, listener);
        }
    }

    private void onFinalHead(HttpResponse head, CallListener to) {
        state = State.BODY;
        cancelLimit();
        keepAlive = HttpUtil.isKeepAlive(head);
        endsWithConnection = !HttpUtil.isTransferEncodingChunked(head) && !HttpUtil.isContentLengthSet(head);
        try {
            to.onHead(head);
        } catch (CorruptedFrameException e) {
            broken(Breakage.ofProtocol(e));
            return;
        }
        if (stream != null && stream.ended()) {
            onStreamEnd();
        }
    }

    /** A part of a body that is not an event stream; released by this method or the listener. */
    void onContent(HttpContent content) {
        boolean last = content instanceof LastHttpContent;
        if (last && endsWithConnection && !connection.channel().isActive() && !endedCleanly()) {
            // Netty also ends a body that is delimited by close when the connection is reset.
            content.release();
            broken(breakage());
            return;
        }
        if (content.decoderResult().isFailure()) {
            content.release();
            broken(Breakage.ofProtocol(content.decoderResult().cause()));
            return;
        }
        if (listener == null || state == State.AWAITING_HEAD) {
            content.release();
            return;
        }
        if (content.content().isReadable()) {
            listener.onBody(content.content());
        } else {
            content.release();
        }
        if (last && listener != null && stream == null) {
            state = State.BODY_ENDED;
            listener.onBodyEnd();
        }
    }

    /** One read of the socket has been delivered. */
    void onReadComplete() {
        // The data of a read that broke the connection is reported together with the failure.
        if (listener != null && failure == null) {
            listener.onReadComplete();
        }
        if (turns != null && turns.count() > 0) {
            connection.reading(false);
            if (readingWanted) {
                turns.queue();
            }
        }
    }

    void onWritable(boolean writable) {
        if (listener != null) {
            listener.onUpstreamWritable(writable);
        }
    }

    /** Notes why the connection fails. It is about to close. */
    void onFailure(Throwable cause) {
        failure = cause;
    }

    /** A server that refuses an upload often answers and closes before it has read the upload. */
    void onSendFailure(Throwable cause) {
        if (sendFailure != null) {
            return;
        }
        sendFailure = cause;
        if (listener == null) {
            connection.cut();
        } else if (state == State.AWAITING_HEAD) {
            reading(true);
            limit(ANSWER_LIMIT_MS, connection::cut);
        }
    }

    /** The connection is closed. */
    void onClosed() {
        if (turns != null && turns.pending() && failure == null) {
            closed = true; // the last data must still be inflated
        } else {
            onGone();
        }
    }

    private void onGone() {
        CallListener current = listener;
        if (current != null && stream != null && stream.endsWithConnection() && endedCleanly()) {
            if (stream.isCut()) {
                broken(Breakage.ofCutCoding());
                return;
            }
            listener = null;
            current.onBodyEnd();
            over();
        } else {
            broken(breakage());
        }
    }

    @Override
    void inflate() {
        StreamBody body = stream;
        if (body == null || !body.suspended() || !readingWanted) {
            return;
        }
        try {
            goOn(body);
        } catch (RuntimeException | OutOfMemoryError e) {
            failure = e;
            broken(breakage());
        }
        if (stream == null) {
            return;
        }
        if (closed && !body.suspended()) {
            onGone();
        } else if (readingWanted) {
            reading(true);
        }
    }

    private void goOn(StreamBody body) {
        try {
            body.goOn();
            if (body.ended()) {
                onStreamEnd();
            }
        } catch (DecoderException e) {
            broken(Breakage.ofProtocol(e));
        }
        if (listener != null) {
            listener.onReadComplete();
        }
        if (turns != null) {
            turns.count();
        }
    }

    private void onStreamEnd() {
        if (listener != null && stream != null && stream.isCut()) {
            broken(Breakage.ofCutCoding());
            return;
        }
        connection.decoder().endRaw();
        if (listener != null) {
            listener.onBodyEnd();
        } else {
            end();
        }
    }

    /** Whether a body that only the end of the connection ends is complete. */
    private boolean endedCleanly() {
        return failure == null && connection.closedCleanly();
    }

    /** The response is complete. */
    private void end() {
        over();
        connection.onResponseEnd(keepAlive && call.isWritten());
    }

    private void broken(Breakage breakage) {
        CallListener current = listener;
        listener = null;
        connection.close();
        tellBroken(current, breakage);
        over();
    }

    private Breakage breakage() {
        if (failure == null) {
            failure = sendFailure;
        }
        return Breakage.of(failure, connection.decoder().sawByte(), call.wasStale());
    }

    private void over() {
        state = State.OVER;
        close();
    }
}
