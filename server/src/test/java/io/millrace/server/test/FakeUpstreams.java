package io.millrace.server.test;

import io.millrace.server.upstream.ConnectFailure;
import io.millrace.server.upstream.Origin;
import io.millrace.server.upstream.Upstreams;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;

/**
 * Upstreams without sockets. A request for a connection waits until the test gives one, or gives the reason why there
 * is none.
 */
public final class FakeUpstreams implements Upstreams {
    private final Deque<Asked> asked = new ArrayDeque<>();

    /**
     * A request for a connection.
     *
     * @param fresh whether it must be a new connection
     */
    public record Asked(Origin origin, Waiter waiter, boolean fresh) {
        /** Gives a connection that has carried no request. */
        public FakeCall connect() {
            return connect(false);
        }

        /** Gives a connection; {@code used} if it has carried a request before. */
        public FakeCall connect(boolean used) {
            var call = new FakeCall(used);
            waiter.onCall(call);
            return call;
        }

        /** There is no connection. */
        public void refuse(ConnectFailure.Kind kind) {
            waiter.onConnectFailure(new ConnectFailure(kind, kind.name(), null));
        }
    }

    /** Takes the request that has waited longest. */
    public Asked next() {
        return asked.remove();
    }

    /** The number of waiting requests. */
    public int waiting() {
        return asked.size();
    }

    @Override
    public void acquire(Origin origin, Waiter waiter) {
        asked.add(new Asked(origin, waiter, false));
    }

    @Override
    public void acquireNew(Origin origin, Waiter waiter) {
        asked.add(new Asked(origin, waiter, true));
    }

    @Override
    public void keepOnly(Collection<Origin> origins) {}
}
