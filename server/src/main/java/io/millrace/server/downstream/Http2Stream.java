package io.millrace.server.downstream;

import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http2.Http2Error;
import org.jspecify.annotations.Nullable;

/**
 * One request of an HTTP/2 connection, and the response to it. Its failure never affects the other streams of the
 * connection. Its states: waiting for the response, in the response, over. Its last bytes may still wait for the
 * client when it is over. Confined to the connection's event loop.
 */
final class Http2Stream extends ConnectionStream implements Http2StreamInput.Owner, Http2StreamOutput.Owner {
    private final Http2Requests requests;
    private final io.netty.handler.codec.http2.Http2Stream stream;
    private final Http2StreamOutput output;
    private final Http2StreamInput input;
    private final @Nullable HttpMethod method;
    private boolean over;
    private @Nullable Http2FrameSink sink;
    private boolean asked;
    private long key;
    private long beganNs;

    /**
     * Makes the stream of a request that has just been read.
     *
     * @param request null if none could be read, so that it can only be refused
     */
    Http2Stream(
            Http2Requests requests,
            io.netty.handler.codec.http2.Http2Stream stream,
            Http2Output outputs,
            BodyPace pace,
            @Nullable HttpRequest request) {
        super(requests.context(), request);
        this.requests = requests;
        this.stream = stream;
        output = outputs.of(stream, context.limits(), this);
        input = new Http2StreamInput(requests, stream, this, pace);
        method = request == null ? null : request.method();
    }

    /** Replaces the listener of this request by {@code next}, unless it is over. */
    void listener(RequestListener next) {
        if (!over) {
            listener = next;
        }
    }

    /** Notes that the request began at {@code nowNs}, and who it counts for. */
    void begun(long forKey, long nowNs) {
        key = forKey;
        beganNs = nowNs;
    }

    /** Who the request counts for. */
    long key() {
        return key;
    }

    /** When the request began. */
    long beganNs() {
        return beganNs;
    }

    /** The input side: the request's body. */
    Http2StreamInput input() {
        return input;
    }

    /** The output side: the response's body. */
    Http2StreamOutput output() {
        return output;
    }

    /** Tells the listener that everything of this read has been delivered. */
    void onReadComplete() {
        if (listener != null) {
            listener.onRequestReadComplete();
        }
    }

    /** Cuts this stream for {@code reason}. */
    void cut(Http2Error error, String reason) {
        abandon(reason);
        requests.reset(stream, error);
    }

    @Override
    public boolean isActive() {
        return channel.isActive()
                && stream.state() != io.netty.handler.codec.http2.Http2Stream.State.CLOSED
                && !stream.isResetSent();
    }

    @Override
    public boolean inRead() {
        return requests.inRead() && !input.isComplete();
    }

    @Override
    public void readRequest(boolean on) {
        input.read(on);
    }

    @Override
    public void sendContinue() {
        requests.writeHead(stream, new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
        output.flushSoon();
    }

    @Override
    public void onOwnAnswer() {
        requests.onOwnAnswer();
    }

    @Override
    public void onAsked() {
        asked = true;
    }

    @Override
    public boolean isWritable() {
        return output.isWritable();
    }

    @Override
    public long pendingBytes() {
        return output.heldBytes() + requests.backedUpBytes();
    }

    @Override
    public void writeHead(HttpResponse response) {
        begin(response);
        Http2FrameSink plain = new Http2FrameSink(alloc());
        plain.begin(output);
        sink = plain;
    }

    @Override
    public void writeBody(ByteBuf content) {
        try {
            if (sink != null && !HttpMethod.HEAD.equals(method)) {
                sink.append(content, content.readerIndex(), content.writerIndex());
            }
        } finally {
            content.release();
        }
    }

    @Override
    public FrameSink newSink() {
        return new Http2FrameSink(alloc());
    }

    @Override
    public void beginStream(@Nullable HttpResponse response, FrameSink held) {
        Http2FrameSink before = sink;
        var next = (Http2FrameSink) held;
        sink = next;
        if (response != null) {
            begin(response);
            next.begin(output);
        } else if (before != null) {
            next.goOn(before);
        }
    }

    @Override
    public void flush() {
        if (sink != null && sink.hasPending()) {
            sink.write();
        }
        output.flushSoon();
    }

    @Override
    public void end(End how, @Nullable Runnable written) {
        listener = null;
        over = true;
        Http2FrameSink last = sink;
        sink = null;
        input.close();
        if (last != null) {
            last.end(written);
        }
        output.flushSoon();
    }

    @Override
    public void reset() {
        discard();
        requests.reset(stream, Http2Error.INTERNAL_ERROR);
    }

    /** Tells a client that still sends its request that the rest is not needed (RFC 9113 section 8.1). */
    @Override
    public void onEndWritten() {
        if (!input.isComplete()) {
            requests.reset(stream, Http2Error.NO_ERROR);
        }
    }

    @Override
    public void onRoom() {
        if (listener != null && isWritable()) {
            listener.onWritable(true);
        }
    }

    @Override
    public void onPart(ByteBuf content) {
        if (listener != null && (method == null || !Http2Heads.isBodiless(method))) {
            listener.onRequestBody(content);
            return;
        }
        content.release();
        if (listener != null && method != null && !responseStarted()) {
            var refusal = RequestGate.ofBody(method);
            listener.onRequestRefused(refusal.status(), refusal.code(), refusal.message());
        }
    }

    @Override
    public void onEnd() {
        if (listener != null) {
            listener.onRequestEnd();
        }
    }

    @Override
    void discard() {
        listener = null;
        over = true;
        input.close();
        if (sink != null) {
            sink.discard();
            sink = null;
        }
        output.discard();
    }

    private void begin(HttpResponse response) {
        onBegin(response.headers());
        requests.onAnswer(this, !asked);
        requests.writeHead(stream, response);
    }
}
