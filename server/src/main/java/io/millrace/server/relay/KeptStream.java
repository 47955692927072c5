package io.millrace.server.relay;

import io.netty.channel.EventLoop;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A stream that a client names, on whatever event loop it is.
 *
 * @param owner the event loop that the id names; null if it names none
 * @param asking the event loop of who asks
 * @param key the key of who asks
 */
@SuppressWarnings("ArrayRecordComponent") // not compared
record KeptStream(@Nullable RelayLoop owner, EventLoop asking, String id, byte[] key) implements FollowExchange.Source {
    @Override
    public void follow(FollowExchange told, FollowLink link, FollowQuery query) {
        if (owner == null) {
            told.onAnswer(FollowAnswer.NOT_FOUND);
            return;
        }
        OpenStreams streams = owner.streams();
        execute(() -> {
            OpenStreams.Kept kept = streams.kept(id, key);
            FollowAnswer answer = FollowAnswer.of(kept, query);
            asking.execute(() -> told.onAnswer(answer));
            if (kept != null && answer.refusal() == null && !answer.nothingLeft() && !query.headOnly()) {
                link.begin(kept.log(), query.offset());
            }
        });
    }

    @Override
    public void execute(Runnable task) {
        if (owner == null) {
            return;
        }
        try {
            owner.eventLoop().execute(task);
        } catch (RejectedExecutionException e) {
            // That event loop has ended, and has told its readers.
        }
    }
}
