package io.millrace.server.downstream;

import io.netty.channel.ChannelFuture;
import java.util.concurrent.TimeUnit;

/**
 * Ends an HTTP/2 connection without losing a request (RFC 9113 section 6.8). A first GOAWAY asks the client to open no
 * more streams, and a PING follows. When the client has answered the PING, or after a second, a second GOAWAY says
 * which requests were served.
 */
final class Http2Farewell {
    private static final long LONGEST_NS = TimeUnit.SECONDS.toNanos(1);

    private final Http2Codec codec;
    private final Http2Requests requests;
    private State state = State.OPEN;
    private long announcedNs;

    private enum State {
        OPEN,
        ANNOUNCED,
        SAID
    }

    Http2Farewell(Http2Codec codec, Http2Requests requests) {
        this.codec = codec;
        this.requests = requests;
    }

    /** Whether the client was asked to open no more streams. */
    boolean begun() {
        return state != State.OPEN;
    }

    /** Whether no further request is accepted. */
    boolean said() {
        return state == State.SAID;
    }

    /** Asks the client to open no more streams, without a flush. */
    void announce(long nowNs) {
        state = State.ANNOUNCED;
        announcedNs = nowNs;
        codec.goAway(Integer.MAX_VALUE);
        var context = codec.context();
        codec.encoder().writePing(context, false, nowNs, context.newPromise());
    }

    /** Whether the client has had time to learn of the first GOAWAY. */
    boolean isOverdue(long nowNs) {
        return state == State.ANNOUNCED && nowNs - announcedNs > LONGEST_NS;
    }

    /** Says which requests were served, without a flush. */
    ChannelFuture say() {
        state = State.SAID;
        int last = codec.connection().remote().lastStreamCreated();
        requests.lastIs(last);
        return codec.goAway(last);
    }
}
