package io.millrace.server.share;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Deletes names of streams from the store. A name may belong to another stream by now, so it is deleted only if it has
 * not changed since it was read ({@code WATCH}). If the store refuses to watch, the name stays until its time is over.
 * Names are deleted in turns of two round trips, because {@code EXEC} ends all watches of a connection. If a name of a
 * turn has changed, {@code EXEC} deletes none of them, and the next turn has half as many names. If the connection is
 * lost, the names wait for the next one. Confined to the event loop.
 */
final class FreedNames {
    private static final int MOST = 10_000;
    /** The most names of a turn. */
    private static final int TURN = 64;

    private final LoopShare share;
    /** The names that wait, by their keys in the store. The first ones are being deleted if {@code busy}. */
    private final Map<String, Freed> waiting = new LinkedHashMap<>();

    private boolean busy;
    private boolean watched;
    /** The most names of the next turn. */
    private int most = TURN;

    /** A name of {@code stream}. {@code then} runs when the name is free or belongs to another stream. */
    private record Freed(String stream, List<Runnable> then) {}

    FreedNames(LoopShare share) {
        this.share = share;
    }

    /** Deletes {@code key} if it names {@code stream}. */
    void free(String key, String stream) {
        if (waiting.size() < MOST) {
            waiting.putIfAbsent(key, new Freed(stream, new ArrayList<>(0)));
            next();
        }
    }

    /** Runs {@code action} when {@code key} does not wait to be deleted any more. */
    void then(String key, Runnable action) {
        Freed freed = waiting.get(key);
        if (freed == null) {
            action.run();
        } else {
            freed.then().add(action);
        }
    }

    private void next() {
        if (busy || waiting.isEmpty() || !share.isConnected()) {
            return;
        }
        busy = true;
        List<String> turn = waiting.keySet().stream().limit(most).toList();
        var own = new ArrayList<String>();
        share.call((reply, refusal) -> watched = refusal == null, words("WATCH", turn));
        for (int i = 0; i < turn.size(); i++) {
            String key = turn.get(i);
            boolean last = i == turn.size() - 1;
            share.call(
                    (reply, refusal) -> {
                        onRead(key, reply, own);
                        if (last) {
                            delete(turn, own);
                        }
                    },
                    "GET",
                    key);
        }
    }

    private static Object[] words(String command, List<String> keys) {
        return Stream.concat(Stream.of(command), keys.stream()).toArray();
    }

    private void onRead(String key, @Nullable Object reply, List<String> own) {
        Freed freed = waiting.get(key);
        if (freed != null && watched && isOf(Entries.text(reply), freed.stream())) {
            own.add(key);
        }
    }

    private void delete(List<String> turn, List<String> own) {
        if (own.isEmpty()) {
            share.call((done, refusal) -> onFreed(turn), "UNWATCH");
            return;
        }
        share.call(Shipper.IGNORED, "MULTI");
        share.call(Shipper.IGNORED, words("DEL", own));
        share.call(
                (done, refusal) -> {
                    if (done == null && refusal == null && turn.size() > 1) {
                        most = turn.size() / 2;
                        onFreed(turn.stream().filter(key -> !own.contains(key)).toList());
                    } else {
                        most = TURN;
                        onFreed(turn);
                    }
                },
                "EXEC");
    }

    private static boolean isOf(String value, String stream) {
        return value.equals(stream) || value.startsWith(stream + " ");
    }

    /** These names are free, or belong to other streams. */
    private void onFreed(List<String> names) {
        busy = false;
        for (String key : names) {
            Freed freed = waiting.remove(key);
            if (freed != null) {
                freed.then().forEach(Runnable::run);
            }
        }
        next();
    }

    void onConnected() {
        next();
    }

    void onLost() {
        busy = false;
    }
}
