package io.millrace.server.live;

import io.millrace.server.balance.UpstreamState;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/** The requests in progress on all event loops. */
public interface LiveSource {
    /** The requests of one event loop. */
    interface Loop {
        /**
         * Shows all requests. Any thread may ask; both consumers are called on the event loop of the requests.
         *
         * @param each receives each request as it is then
         * @param done receives, after the last request, the nanoseconds that this took on the event loop
         */
        void show(Consumer<LiveStream> each, LongConsumer done);
    }

    /** The event loops that have requests. */
    List<Loop> loops();

    /** The states of the upstreams that are configured at the moment, by name. */
    Map<String, UpstreamState> upstreams();

    /** The last ten minutes. */
    LiveHistory history();

    /** Whether the relay ends what is in progress, so that a feed ends with the last request. */
    boolean isDraining();

    /**
     * Ends a request with an error for its client.
     *
     * @param id {@link LiveStream#id}
     * @param asking the event loop that asks
     * @param told called once on {@code asking}; receives whether there was such a request
     */
    void stop(String id, EventLoop asking, Consumer<Boolean> told);
}
