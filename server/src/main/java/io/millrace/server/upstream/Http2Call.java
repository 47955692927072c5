package io.millrace.server.upstream;

import io.millrace.server.http.ReadListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.handler.codec.http.HttpRequest;
import org.jspecify.annotations.Nullable;

/** One request on an {@link Http2Upstream}; its response is an {@link Http2Response}. Confined to the event loop. */
final class Http2Call extends RespondedCall<Http2Response> {
    /** The bytes of a request's body that wait for the upstream's window or for the kernel. */
    private static final int HIGH_WATERMARK = 64 * 1024;

    private static final int LOW_WATERMARK = 32 * 1024;

    private final Http2Upstream connection;
    private final boolean onIdle;
    private @Nullable CallListener listener;
    private long sentNs;
    /** Null until the request is written to its end. */
    private @Nullable ChannelFuture written;

    private long pendingBytes;
    private boolean full;
    private boolean refused;
    private boolean givenBack;

    /**
     * Makes a call that has sent nothing.
     *
     * @param onIdle whether the connection was idle, so that the upstream may have been about to close it
     */
    Http2Call(Http2Upstream connection, boolean onIdle) {
        this.connection = connection;
        this.onIdle = onIdle;
    }

    Http2Upstream connection() {
        return connection;
    }

    @Override
    public void sendWhole(HttpRequest request, ByteBuf body, CallListener to) {
        boolean empty = !body.isReadable();
        ChannelFuture head = begin(request, empty, to);
        written = empty || response == null
                ? head
                : connection.writeData(response.http2Stream(), body.retainedDuplicate(), true);
        connection.flush();
    }

    @Override
    public void send(HttpRequest request, CallListener to) {
        begin(request, false, to);
    }

    private ChannelFuture begin(HttpRequest request, boolean last, CallListener to) {
        sentNs = System.nanoTime();
        listener = to;
        int id = connection.newStreamId();
        ChannelFuture head = connection.writeHead(id, request, last);
        response = connection.expect(id, this, request, to);
        if (response == null) {
            // In this turn the upstream has lowered its limit or ended the connection.
            refused = true;
            connection.channel().eventLoop().execute(this::failUnsent);
        }
        return head;
    }

    private void failUnsent() {
        CallListener told = listener;
        if (!givenBack && told != null) {
            giveBack();
            told.onBroken(new CallListener.Breakage(
                    CallListener.Breakage.Kind.STALE, "no stream could be opened on this connection"));
        }
    }

    @Override
    public void sendBody(ByteBuf content) {
        Http2Response expected = response;
        if (expected == null || expected.isOver()) {
            content.release();
            return;
        }
        int length = content.readableBytes();
        pendingBytes += length;
        full |= pendingBytes > HIGH_WATERMARK;
        connection.writeData(expected.http2Stream(), content, false).addListener(done -> onSent(length));
    }

    private void onSent(int length) {
        pendingBytes -= length;
        if (full && pendingBytes < LOW_WATERMARK) {
            full = false;
            if (listener != null && response != null && !response.isOver()) {
                listener.onUpstreamWritable(true);
            }
        }
    }

    @Override
    public void endRequest() {
        Http2Response expected = response;
        if (expected != null && !expected.isOver()) {
            written = connection.writeData(expected.http2Stream(), Unpooled.EMPTY_BUFFER, true);
            connection.flush();
        }
    }

    @Override
    public void flush() {
        connection.flush();
    }

    @Override
    public boolean isWritable() {
        return !full;
    }

    @Override
    public boolean isActive() {
        return response == null
                ? connection.takesRequests()
                : connection.channel().isActive();
    }

    @Override
    public boolean requestHandedOver() {
        return written != null && written.isSuccess() && !refused;
    }

    @Override
    public boolean mayBeStale() {
        return awaitsHead();
    }

    @Override
    public void handOver(CallListener next, StreamListener frameListener, ReadListener reads) {
        listener = next;
        super.handOver(next, frameListener, reads);
    }

    @Override
    void releaseUnsent() {
        giveBack();
    }

    @Override
    void abortUnsent() {
        giveBack();
    }

    /** The upstream did not process the request. */
    void onRefused() {
        refused = true;
    }

    /** Whether the connection was closed before the request reached the upstream, as far as the timing can tell. */
    boolean wasStale() {
        return onIdle && connection.wasStale(sentNs, requestHandedOver());
    }

    private void giveBack() {
        if (!givenBack) {
            givenBack = true;
            connection.onCallOver(null);
        }
    }
}
