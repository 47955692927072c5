package io.millrace.server.relay;

import io.millrace.server.downstream.RequestListener;
import io.millrace.server.own.OwnEndpoints;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Requests about streams: each asks the event loop in the stream's id, whose answer comes back to the asking event loop. */
final class StreamRequests implements OwnEndpoints.Streams {
    private final List<RelayLoop> loops;

    /** For the streams of {@code loops}, which have their numbers by their places. */
    StreamRequests(List<RelayLoop> loops) {
        this.loops = List.copyOf(loops);
    }

    @Override
    public void stop(String id, byte[] key, EventLoop asking, Consumer<Boolean> told) {
        RelayLoop owner = ownerOf(id);
        if (owner == null) {
            told.accept(false);
            return;
        }
        owner.eventLoop().execute(() -> {
            boolean stopped = owner.streams().stop(id, key);
            asking.execute(() -> told.accept(stopped));
        });
    }

    @Override
    public RequestListener follow(String id, byte[] key, OwnEndpoints.Asked asked) {
        EventLoop asking = asked.downstream().eventLoop();
        return new FollowExchange(
                asked.downstream(),
                FollowQuery.of(asked.request(), asked.target()),
                loopOf(asking).requestIds().next(),
                new KeptStream(ownerOf(id), asking, id, key),
                asked.done());
    }

    private @Nullable RelayLoop ownerOf(String id) {
        int owner = OpenStreams.loopOf(id);
        return owner < 0 || owner >= loops.size() ? null : loops.get(owner);
    }

    @SuppressWarnings("ReferenceEquality")
    private RelayLoop loopOf(EventLoop eventLoop) {
        for (RelayLoop loop : loops) {
            if (loop.eventLoop() == eventLoop) {
                return loop;
            }
        }
        throw new IllegalArgumentException("not an event loop of this relay");
    }
}
