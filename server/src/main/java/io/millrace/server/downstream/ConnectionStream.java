package io.millrace.server.downstream;

import io.millrace.server.address.ClientAddress;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/**
 * What one request and its response have from their connection, in either version of HTTP. Confined to the connection's
 * event loop.
 */
abstract class ConnectionStream implements ClientStream {
    final ConnectionContext context;
    final Channel channel;
    /** Null before it is known, and after the end. */
    @Nullable
    RequestListener listener;

    private @Nullable HttpRequest request;
    private @Nullable HttpHeaders added;
    private boolean responseStarted;

    /**
     * Makes the stream of a request that has just been read.
     *
     * @param request null where none could be read, so that it can only be refused
     */
    ConnectionStream(ConnectionContext context, @Nullable HttpRequest request) {
        this.context = context;
        this.request = request;
        channel = context.channel();
    }

    /** Releases what was not written. */
    abstract void discard();

    /** The request's head; null once the response has begun, because a stream may last long. */
    final @Nullable HttpRequest request() {
        return request;
    }

    /** The listener of this request; null before it is known, and after the end. */
    final @Nullable RequestListener listener() {
        return listener;
    }

    /** Ends this stream because the client is gone, or is about to be cut for {@code reason}. */
    final void abandon(String reason) {
        RequestListener current = listener;
        discard();
        if (current != null) {
            current.onClientGone(reason);
        }
    }

    /** Notes that the response begins, and adds to its fields those that do not depend on the version of HTTP. */
    final void onBegin(HttpHeaders headers) {
        responseStarted = true;
        request = null;
        if (added != null) {
            OriginFields.set(added, headers);
        }
        context.terms().addTo(headers);
    }

    @Override
    public final EventLoop eventLoop() {
        return channel.eventLoop();
    }

    @Override
    public final ConnectionTerms terms() {
        return context.terms();
    }

    @Override
    public final @Nullable InetAddress client() {
        return ClientAddress.of(channel);
    }

    @Override
    public final ByteBufAllocator alloc() {
        return channel.alloc();
    }

    @Override
    public final long bodyLimit() {
        return context.limits().body();
    }

    @Override
    public final void addToResponse(HttpHeaders headers) {
        added = headers;
    }

    @Override
    public final boolean responseStarted() {
        return responseStarted;
    }

    @Override
    public void respond(int status, byte[] json, HttpHeaders headers) {
        headers.set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON);
        headers.set(HttpHeaderNames.CONTENT_LENGTH, json.length);
        headers.set("x-content-type-options", "nosniff");
        writeHead(new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), headers));
        writeBody(Unpooled.wrappedBuffer(json));
        end();
    }
}
