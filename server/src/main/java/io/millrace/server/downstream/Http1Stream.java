package io.millrace.server.downstream;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import org.jspecify.annotations.Nullable;

/**
 * One request of an HTTP/1.1 or HTTP/1.0 connection, and the response to it. It decides the coding of the body, the
 * fields that the connection adds to the head, and whether the connection can be used again. Its states: waiting for
 * the response, in the response, over. Confined to the connection's event loop.
 */
final class Http1Stream extends ConnectionStream {
    private final Connection connection;
    private final ResponseEncoder encoder;
    /** Its writes bypass the encoder. */
    private final ClientOutput output;

    private final ClientBytes bytes;
    private final boolean http10;
    private boolean keepAlive;
    private boolean requestComplete;
    private @Nullable Http1FrameSink sink;
    private boolean backedUp;

    /** The connection, as seen by one of its streams. */
    interface Connection {
        /** Whether the read in progress may bring more of the request. */
        boolean inRead();

        /**
         * The response has ended and was flushed.
         *
         * @param closing completes when the kernel has the whole response, if it is the last one; otherwise null
         */
        void onEnd(@Nullable ChannelPromise closing);

        /** The response has ended, and only a reset soon after {@code written} tells the client that it was cut. */
        void onCut(ChannelPromise written);

        /** Resets the connection. */
        void reset();
    }

    /**
     * Makes the stream of a request that has just been read.
     *
     * @param request null if none could be read, so that it can only be refused
     * @param last whether the connection ends with it, whatever the client asks for
     */
    Http1Stream(
            Connection connection,
            ConnectionContext context,
            ResponseEncoder encoder,
            ClientOutput output,
            ClientBytes bytes,
            @Nullable HttpRequest request,
            boolean last) {
        super(context, request);
        this.connection = connection;
        this.encoder = encoder;
        this.bytes = bytes;
        this.output = output;
        http10 = request != null && request.protocolVersion().equals(HttpVersion.HTTP_1_0);
        keepAlive = !last && request != null && HttpUtil.isKeepAlive(request);
    }

    /** Replaces the listener of this request by {@code next}. */
    void listener(RequestListener next) {
        listener = next;
    }

    /** Whether the whole request has been read. */
    boolean requestComplete() {
        return requestComplete;
    }

    /** Notes that the whole request has been read. */
    void onRequestComplete() {
        requestComplete = true;
    }

    /** Closes the connection after this response. */
    void closeAfterResponse() {
        keepAlive = false;
    }

    /** Body bytes of an event stream that were sent so far. */
    long streamedBytes() {
        return sink == null ? 0 : sink.bodyBytes();
    }

    @Override
    void discard() {
        listener = null;
        if (sink != null) {
            sink.discard();
            sink = null;
        }
    }

    @Override
    public boolean isActive() {
        return channel.isActive();
    }

    @Override
    public boolean inRead() {
        return connection.inRead();
    }

    @Override
    public void readRequest(boolean on) {
        channel.config().setAutoRead(on);
    }

    @Override
    public void sendContinue() {
        var interim =
                new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE, Unpooled.EMPTY_BUFFER);
        channel.writeAndFlush(interim, channel.voidPromise());
    }

    @Override
    public boolean isWritable() {
        return output.isWritable();
    }

    @Override
    public long pendingBytes() {
        return bytes.pending();
    }

    @Override
    public void respond(int status, byte[] json, HttpHeaders headers) {
        keepAlive &= requestComplete;
        super.respond(status, json, headers);
    }

    /** Chooses a transfer coding that this client understands, if the length of the body is not known. */
    @Override
    public void writeHead(HttpResponse response) {
        boolean bodiless = encoder.isContentAlwaysEmpty(response);
        boolean delimited = bodiless || response.headers().contains(HttpHeaderNames.CONTENT_LENGTH);
        begin(response.headers(), delimited, http10);
        channel.write(response, channel.voidPromise());
    }

    @Override
    public void writeBody(ByteBuf content) {
        channel.write(new DefaultHttpContent(content), channel.voidPromise());
    }

    @Override
    public FrameSink newSink() {
        return new Http1FrameSink(output, !http10);
    }

    @Override
    public void beginStream(@Nullable HttpResponse response, FrameSink held) {
        Http1FrameSink before = sink;
        var next = (Http1FrameSink) held;
        sink = next;
        if (response != null) {
            begin(response.headers(), false, true);
            next.begin(response);
        } else if (before != null) {
            next.goOn(before);
        }
    }

    @Override
    public void flush() {
        boolean taken = output.flush();
        if (!taken || backedUp) {
            bytes.count();
        }
        backedUp = !taken;
    }

    /**
     * After an error event of the relay's own, the connection stays open as after any other response. A client that
     * expects keep-alive may already be sending its next request, which has done nothing wrong.
     */
    @Override
    public void end(End how, @Nullable Runnable notice) {
        listener = null;
        if (how == End.IN_ERROR && sink != null && http10) {
            endCutHttp10(sink);
            return;
        }
        boolean closes = !keepAlive || !requestComplete;
        ChannelPromise written = closes || notice != null ? channel.newPromise() : channel.voidPromise();
        if (notice != null) {
            written.addListener(done -> {
                if (done.isSuccess()) {
                    notice.run();
                }
            });
        }
        if (sink == null) {
            channel.write(LastHttpContent.EMPTY_LAST_CONTENT, written);
        } else {
            sink.appendEnd();
            sink.write(written);
            sink = null;
        }
        flush();
        connection.onEnd(closes ? written : null);
    }

    @Override
    public void reset() {
        discard();
        connection.reset();
    }

    /** Only a reset shows an HTTP/1.0 client that a body was cut. The error event before it must arrive first. */
    private void endCutHttp10(Http1FrameSink cut) {
        ChannelPromise written = channel.newPromise();
        cut.write(written);
        sink = null;
        output.flush();
        connection.onCut(written);
    }

    private void begin(HttpHeaders headers, boolean delimited, boolean sayKeepAlive) {
        onBegin(headers);
        if (!delimited && http10) {
            keepAlive = false;
        } else if (!delimited) {
            headers.set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        if (!keepAlive) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (sayKeepAlive) {
            headers.set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
    }
}
