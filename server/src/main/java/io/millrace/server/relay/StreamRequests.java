package io.millrace.server.relay;

import io.millrace.server.downstream.RequestListener;
import io.millrace.server.own.OwnEndpoints;
import io.millrace.server.own.OwnEndpoints.Asked;
import io.millrace.server.replay.StreamNames;
import io.millrace.server.share.LoopShare;
import io.millrace.server.telemetry.Timeline;
import io.netty.channel.EventLoop;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Requests about streams: each asks the event loop in the stream's id, whose answer comes back to the asking event loop. */
final class StreamRequests implements OwnEndpoints.Streams {
    /** The id of an event of {@code /chat} whose answer is kept: the stream's id, and the number of the event. */
    private static final Pattern CHAT_EVENT =
            Pattern.compile("((?:[a-z0-9]{8}\\.)?[0-9]{1,4}-[0-9a-f]{1,64})\\.[0-9]{1,18}");

    private final List<RelayLoop> loops;

    /** For the streams of {@code loops}, which have their numbers by their places. */
    StreamRequests(List<RelayLoop> loops) {
        this.loops = List.copyOf(loops);
    }

    @Override
    public void stop(String id, byte[] key, EventLoop asking, Consumer<Stopped> told) {
        RelayLoop owner = loopOf(asking).ownerOf(id);
        if (owner == null) {
            told.accept(Stopped.NOT_FOUND);
            return;
        }
        owner.eventLoop().execute(() -> owner.streams().stop(id, key, how -> asking.execute(() -> told.accept(how))));
    }

    @Override
    public RequestListener follow(String id, byte[] key, Asked asked) {
        return follow(id, key, asked, FollowQuery.of(asked.request(), asked.target()));
    }

    @Override
    public @Nullable RequestListener followAnswer(String answerId, byte[] key, Asked asked) {
        RelayLoop asking = loopOf(asked.downstream().eventLoop());
        String name = StreamNames.ofAnswer(key, answerId);
        String id = asking.shared().names().find(name);
        if (id != null) {
            return follow(id, key, asked);
        }
        LoopShare share = asking.streams().share();
        if (share == null) {
            return null;
        }
        var sought = new SoughtAnswer(asked, found -> follow(found, key, asked));
        share.ofAnswer(name, sought::onFound);
        return sought;
    }

    @Override
    public @Nullable RequestListener followChat(String lastEventId, byte[] key, Asked asked) {
        Matcher event = CHAT_EVENT.matcher(lastEventId);
        return event.matches() ? follow(event.group(1), key, asked, FollowQuery.ofChat(lastEventId)) : null;
    }

    private RequestListener follow(String id, byte[] key, Asked asked, FollowQuery query) {
        RelayLoop asking = loopOf(asked.downstream().eventLoop());
        String requestId = asking.requestIds().next();
        var timeline = new Timeline();
        return new FollowExchange(asked.downstream(), query, requestId, KeptStream.of(asking, id, key), end -> {
            asked.done().run();
            end.log(asking, RequestFacts.ofFollow(asked, requestId), pathOf(asked), timeline);
        });
    }

    /** The path with a star in place of the id, which may be all that it takes to read the stream. */
    private static String pathOf(Asked asked) {
        String path = asked.target().path();
        return OwnEndpoints.isChat(asked.config(), asked.target())
                ? path
                : path.substring(0, path.lastIndexOf('/') + 1) + '*';
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
