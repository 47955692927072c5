package io.millrace.server.upstream;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import org.jspecify.annotations.Nullable;

/** One request on an {@link Http1Connection}; its response is an {@link Http1Response}. Confined to the event loop. */
final class Http1Call extends RespondedCall<Http1Response> {
    private final Http1Connection connection;
    private long sentNs;
    /** Null until the request is written to its end. */
    private @Nullable ChannelPromise written;

    private boolean givenBack;

    Http1Call(Http1Connection connection) {
        this.connection = connection;
    }

    Http1Connection connection() {
        return connection;
    }

    @Override
    public void sendWhole(HttpRequest request, ByteBuf body, CallListener listener) {
        begin(request, listener);
        written = connection.writeWhole(request, body);
        connection.flush();
    }

    @Override
    public void send(HttpRequest request, CallListener listener) {
        if (!HttpUtil.isContentLengthSet(request)) {
            request.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        }
        begin(request, listener);
        connection.write(request);
    }

    private void begin(HttpRequest request, CallListener listener) {
        sentNs = System.nanoTime();
        response = new Http1Response(connection, this, listener);
        connection.expect(response, request.method().equals(HttpMethod.HEAD));
    }

    @Override
    public void sendBody(ByteBuf content) {
        if (sent().isOver()) {
            content.release();
        } else {
            connection.write(new DefaultHttpContent(content));
        }
    }

    @Override
    public void endRequest() {
        if (!sent().isOver()) {
            written = connection.writeLast(LastHttpContent.EMPTY_LAST_CONTENT);
            connection.flush();
        }
    }

    @Override
    public void flush() {
        connection.flush();
    }

    @Override
    public boolean isWritable() {
        return connection.channel().isWritable();
    }

    @Override
    public boolean isActive() {
        return connection.channel().isActive();
    }

    @Override
    public boolean requestHandedOver() {
        return written != null && written.isSuccess();
    }

    @Override
    public boolean mayBeStale() {
        return connection.used() && awaitsHead();
    }

    @Override
    void releaseUnsent() {
        if (!givenBack) {
            givenBack = true;
            connection.giveBack();
        }
    }

    @Override
    void abortUnsent() {
        if (!givenBack) {
            connection.close();
        }
    }

    /** Whether all of the request has been written. */
    boolean isWritten() {
        return written != null;
    }

    /** Whether the connection was closed before the request reached the upstream, as far as the timing can tell. */
    boolean wasStale() {
        return connection.wasStale(sentNs, requestHandedOver());
    }
}
