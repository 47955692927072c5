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
        var search = new Search(this, owner.streams(), told, link, query, null);
        execute(() -> search.streams.whenKept(id, key, search));
    }

    /**
     * A search for the bytes that a client asks for. Confined to the event loop that has the stream.
     *
     * @param gone what the client is told if the store has not the stream either; null before the store is asked
     */
    private record Search(
            KeptStream stream,
            OpenStreams streams,
            FollowExchange told,
            FollowLink link,
            FollowQuery query,
            @Nullable FollowAnswer gone)
            implements Kept.Asker {
        @Override
        public void onKept(@Nullable Kept kept) {
            if (kept == null && gone != null) {
                stream.answer(told, gone);
            } else {
                serve(kept, query);
            }
        }

        @Override
        public void onUnavailable() {
            stream.answer(told, FollowAnswer.UNAVAILABLE);
        }

        /** @param from what the client asks for, with an offset in place of a name of an event */
        private void serve(@Nullable Kept kept, FollowQuery from) {
            FollowAnswer answer = FollowAnswer.of(kept, from);
            if (kept != null && answer.isFull() && kept.log().cutStalled(System.nanoTime())) {
                answer = FollowAnswer.of(kept, from);
            }
            if (kept != null && answer.isGone() && streams.mayBeStored(kept, from.offset())) {
                streams.whenStored(stream.id(), stream.key(), new Search(stream, streams, told, link, query, answer));
                return;
            }
            if (kept == null || answer.refusal() != null || from.headOnly()) {
                stream.answer(told, answer);
                return;
            }
            Seek seek = FollowAnswer.isAhead(kept, from) ? Seek.ofOffset(from.offset()) : from.seek(told.alloc());
            if (seek != null) {
                link.seek(seek, kept.log(), found -> serve(kept, from.from(found)));
                return;
            }
            stream.answer(told, answer);
            if (!answer.nothingLeft()) {
                link.begin(kept.log(), answer.begin());
            }
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
