package io.millrace.server.relay;

import io.millrace.server.replay.Seek;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * A stream that a client names, on whatever event loop it is.
 *
 * @param owner the event loop that the id names; null if it names none
 * @param asking the event loop of who asks, which counts the answer
 * @param key the key of who asks
 */
@SuppressWarnings("ArrayRecordComponent") // not compared
record KeptStream(@Nullable RelayLoop owner, RelayLoop asking, String id, byte[] key) implements FollowExchange.Source {
    /** The stream with this id, for who asks on {@code asking} with this key. */
    static KeptStream of(RelayLoop asking, String id, byte[] key) {
        return new KeptStream(asking.ownerOf(id), asking, id, key);
    }

    @Override
    public void follow(FollowExchange told, FollowLink link, FollowQuery query) {
        if (owner == null) {
            tell(told, FollowAnswer.NOT_FOUND);
            return;
        }
        OpenStreams streams = owner.streams();
        execute(() -> streams.whenKept(id, key, new Kept.Asker() {
            @Override
            public void onKept(@Nullable Kept kept) {
                KeptStream.this.onKept(kept, told, link, query);
            }

            @Override
            public void onUnavailable() {
                answer(told, FollowAnswer.UNAVAILABLE);
            }
        }));
    }

    private void onKept(@Nullable Kept kept, FollowExchange told, FollowLink link, FollowQuery query) {
        FollowAnswer answer = FollowAnswer.of(kept, query);
        if (kept != null && answer.isFull() && kept.log().cutStalled(System.nanoTime())) {
            answer = FollowAnswer.of(kept, query);
        }
        if (kept == null || answer.refusal() != null || query.headOnly()) {
            answer(told, answer);
            return;
        }
        Seek seek = FollowAnswer.isAhead(kept, query) ? Seek.ofOffset(query.offset()) : query.seek(told.alloc());
        if (seek != null) {
            link.seek(seek, kept.log(), found -> onKept(kept, told, link, query.from(found)));
            return;
        }
        answer(told, answer);
        if (!answer.nothingLeft()) {
            link.begin(kept.log(), answer.begin());
        }
    }

    private void answer(FollowExchange told, FollowAnswer answer) {
        try {
            asking.eventLoop().execute(() -> tell(told, answer));
        } catch (RejectedExecutionException e) {
            // That event loop has ended, and with it who asks.
        }
    }

    private void tell(FollowExchange told, FollowAnswer answer) {
        asking.shared().logs().resumed(answer.result());
        told.onAnswer(answer);
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
