package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.RequestListener;
import io.millrace.server.telemetry.Outcome;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;

/**
 * A request to stop a stream, which may be another event loop's: that one is asked, and its answer comes back here.
 * Confined to its own event loop.
 */
final class StopExchange implements RequestListener {
    private static final byte[] NOT_FOUND = Dialect.CHAT.errorBody(
            404, "stream_not_found", "There is no such stream in progress, or not with this key.", null, null);

    private final ClientStream downstream;
    private final RelayLoop loop;
    private final RelayLoop owner;
    private final String id;
    private final byte[] key;
    private long received;
    private boolean asked;
    private boolean ended;

    /**
     * A request that came on {@code loop}.
     *
     * @param owner the event loop of the stream, or null if the id names none
     */
    StopExchange(ClientStream downstream, RelayLoop loop, RelayLoop owner, String id, byte[] key) {
        this.downstream = downstream;
        this.loop = loop;
        this.owner = owner;
        this.id = id;
        this.key = key;
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
        if (owner == null) {
            answer(false);
            return;
        }
        owner.eventLoop().execute(() -> {
            boolean stopped = owner.streams().stop(id, key);
            loop.eventLoop().execute(() -> answer(stopped));
        });
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
            loop.counters().endedLocally(Outcome.LOCAL.label());
        }
    }
}
