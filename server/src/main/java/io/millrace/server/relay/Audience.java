package io.millrace.server.relay;

import static java.util.Objects.requireNonNull;

import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.format.ClientSide;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Who gets the answer of one exchange: its client alone, or more than its client where the route keeps its answers. Or its
 * client gets the stream of an earlier request. Confined to the exchange's event loop.
 */
final class Audience {
    private final RelayLoop loop;
    private final ClientStream downstream;
    private final String requestId;
    private final Host host;
    /** Null if the answer ends with its client. */
    private @Nullable Recipient recipient;

    /** Null unless the stream of an earlier request is the answer. */
    private @Nullable FollowExchange joined;

    /** The exchange. */
    interface Host extends Recipient.Listener {
        /** By what the stream may be read; null where that is switched off. */
        @Nullable
        String streamId();

        /** The client has got the stream of an earlier request, or has left. */
        void onJoinEnded(FollowEnd end);
    }

    Audience(RelayLoop loop, ClientStream downstream, String requestId, Host host) {
        this.loop = loop;
        this.downstream = downstream;
        this.requestId = requestId;
        this.host = host;
    }

    /** By what the stream is read. */
    String streamId() {
        return requireNonNull(host.streamId(), "ownPaths.streams is off");
    }

    /**
     * Who gets the answer, of which nothing is there yet.
     *
     * @param onUnread ends the answer that nobody has read for too long, and says so
     */
    ClientStream begin(ClientSide side, Route route, Resume settings, Consumer<String> onUnread) {
        if (!route.disconnect().detaches()) {
            return downstream;
        }
        recipient = new Recipient(loop, downstream, side, route.disconnect(), settings, host, onUnread);
        if (side.isOwn()) {
            side.keptAs(streamId());
        }
        return recipient;
    }

    /** Holds on to the stream before there is anything of it, where that is wanted. */
    void apply(Keeping wish) {
        if (recipient != null && wish.holds()) {
            recipient.promise(streamId());
        }
        if (recipient != null && wish.async()) {
            recipient.accept(requestId);
        }
    }

    /**
     * Has the stream of an earlier request of the same name answer this one.
     *
     * @param first that stream
     * @param async whether the client only wants to know where it is
     */
    void join(KeptStream first, FollowQuery query, boolean async) {
        if (async) {
            Accepted.tell(downstream, first.id(), requestId);
            host.onJoinEnded(new FollowEnd(202, Outcome.RESUMED, null, first.id(), 0, 0));
        } else {
            joined = new FollowExchange(downstream, query, requestId, first, host::onJoinEnded);
            joined.onRequestEnd();
        }
    }

    /** The client takes more again. */
    void onWritable() {
        if (joined != null) {
            joined.onWritable(true);
        }
        if (recipient != null) {
            recipient.onWritable();
        }
    }

    /** What the log is told of the stream, whose request came at {@code beganNs}; null if it is not kept. */
    Summary.@Nullable Kept summary(long beganNs) {
        return recipient == null ? null : recipient.summary(this::streamId, beganNs);
    }

    /**
     * The client is gone.
     *
     * @return whether the answer goes on without it
     */
    boolean leave(String reason) {
        if (joined != null) {
            joined.onClientGone(reason);
        }
        return recipient != null && recipient.leave();
    }
}
