package io.millrace.server.downstream;

import io.netty.channel.ChannelFuture;
import java.util.concurrent.TimeUnit;

/**
 * How an HTTP/2 connection is left without losing a request: a first GOAWAY asks the client to open no more, and a second
 * says which were served, once the client has answered a PING behind the first one, or after a second (RFC 9113 section 6.8).
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

    /** Whether the client was asked to open no more. */
    boolean begun() {
        return state != State.OPEN;
    }

    /** Whether no request comes any more. */
    boolean said() {
        return state == State.SAID;
    }

    /** Asks the client to open no more, without a flush. */
    void announce(long nowNs) {
        state = State.ANNOUNCED;
        announcedNs = nowNs;
        codec.goAway(Integer.MAX_VALUE);
        var context = codec.context();
        codec.encoder().writePing(context, false, nowNs, context.newPromise());
    }

    /** Whether the client has had its time to hear of it. */
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
