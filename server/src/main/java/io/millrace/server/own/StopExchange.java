package io.millrace.server.own;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestListener;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;

/** A request to stop a stream. Confined to its event loop. */
final class StopExchange implements RequestListener {
    private static final byte[] NOT_FOUND = Dialect.CHAT.errorBody(
            404, "stream_not_found", "There is no such stream in progress, or not with this key.", null, null);

    private final ClientStream downstream;
    private final OwnEndpoints.Streams streams;
    private final String id;
    private final byte[] key;
    private final Runnable done;
    private long received;
    private boolean asked;
    private boolean ended;

    /**
     * A request of the client that has {@code key}.
     *
     * @param done runs once, when it is answered or its client has left
     */
    StopExchange(ClientStream downstream, OwnEndpoints.Streams streams, String id, byte[] key, Runnable done) {
        this.downstream = downstream;
        this.streams = streams;
        this.id = id;
        this.key = key;
        this.done = done;
    }

    @Override
    public void onRequestBody(ByteBuf content) {
        received += content.readableBytes();
        content.release();
        if (received > downstream.bodyLimit()) {
            ask();
        }
    }

    @Override
    public void onRequestEnd() {
        ask();
    }

    @Override
    public void onRequestReadComplete() {
        // Nothing is passed on.
    }

    @Override
    public void onRequestRefused(int status, String code, String message) {
        if (!ended) {
            end();
            byte[] json = Dialect.CHAT.errorBody(status, code, message, null, null);
            downstream.respond(status, json, new DefaultHttpHeaders());
        }
    }

    @Override
    public void onClientGone(String reason) {
        end();
    }

    @Override
    public void onWritable(boolean writable) {
        // The answer is small and whole.
    }

    @Override
    public void onSweep(long nowNs) {
        // The connection's own timeouts bound a request that trickles.
    }

    private void ask() {
        if (asked || ended) {
            return;
        }
        asked = true;
        streams.stop(id, key, downstream.eventLoop(), this::answer);
    }

    private void answer(boolean stopped) {
        if (ended) {
            return;
        }
        end();
        if (stopped) {
            downstream.writeHead(new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.NO_CONTENT));
            downstream.end();
        } else {
            downstream.respond(404, NOT_FOUND, new DefaultHttpHeaders());
        }
    }

    private void end() {
        if (!ended) {
            ended = true;
            done.run();
        }
    }
}
