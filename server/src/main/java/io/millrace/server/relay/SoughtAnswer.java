package io.millrace.server.relay;

import io.millrace.server.downstream.RequestListener;
import io.millrace.server.own.OwnEndpoints.Asked;
import io.netty.buffer.ByteBuf;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A request to read the stream of an answer, while the store is asked for the stream. If there is no such stream, or the
 * request has a body, an upstream answers it. Confined to the request's event loop.
 */
final class SoughtAnswer implements RequestListener {
    private static final Logger LOG = LoggerFactory.getLogger(SoughtAnswer.class);

    private final Asked asked;
    private final Function<String, RequestListener> follow;
    /** Who answers the request; null while the store is asked. */
    private @Nullable RequestListener decided;

    private boolean ended;
    private boolean over;

    /** {@code follow} answers the request with the stream that has this id. */
    SoughtAnswer(Asked asked, Function<String, RequestListener> follow) {
        this.asked = asked;
        this.follow = follow;
    }

    /** The store has answered, or will not. {@code id} is null if no stream was found. */
    void onFound(@Nullable String id) {
        if (over || decided != null) {
            return;
        }
        try {
            decide(id);
        } catch (RuntimeException e) { // who calls would only swallow it
            fail(e);
        }
    }

    private void decide(@Nullable String id) {
        RequestListener its = id == null ? relay() : follow.apply(id);
        decided = its;
        if (ended) {
            its.onRequestEnd();
            its.onRequestReadComplete();
        }
    }

    private void fail(RuntimeException fault) {
        LOG.error("a fault in the handling of a request", fault);
        asked.failed().run();
        if (decided == null) {
            over = true;
            asked.done().run();
            asked.downstream().reset();
        } else {
            decided.onRequestRefused(500, "internal_error", "The relay failed to answer. Its log says why.");
        }
    }

    /** Who answers a request that may have been sought. */
    static RequestListener behind(RequestListener request) {
        RequestListener its = request instanceof SoughtAnswer sought ? sought.decided : null;
        return its == null ? request : its;
    }

    /** Who answers the request. If that is not decided yet, it is an upstream. */
    private RequestListener relay() {
        RequestListener its = decided;
        if (its == null) {
            its = asked.relay();
            decided = its;
        }
        return its;
    }

    @Override
    public void onRequestBody(ByteBuf content) {
        relay().onRequestBody(content);
    }

    @Override
    public void onRequestEnd() {
        ended = true;
        if (decided != null) {
            decided.onRequestEnd();
        }
    }

    @Override
    public void onRequestReadComplete() {
        if (decided != null) {
            decided.onRequestReadComplete();
        }
    }

    @Override
    public void onRequestRefused(int status, String code, String message) {
        relay().onRequestRefused(status, code, message);
    }

    @Override
    public void onClientGone(String reason) {
        if (decided != null) {
            decided.onClientGone(reason);
        } else if (!over) {
            over = true;
            asked.done().run();
        }
    }

    @Override
    public void onWritable(boolean writable) {
        if (decided != null) {
            decided.onWritable(writable);
        }
    }

    @Override
    public void onSweep(long nowNs) {
        if (decided != null) {
            decided.onSweep(nowNs);
        }
    }
}
