package io.millrace.server.share;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Deletes names of streams from the store. A name may belong to another stream by now, so it is deleted only if it has
 * not changed since it was read ({@code WATCH}). If the store refuses to watch, the name stays until its time is over.
 * Names are deleted in turns of two round trips, because {@code EXEC} ends all watches of a connection. If a name of a
 * turn has changed, {@code EXEC} deletes none of them, and the next turn has half as many names. If the connection is
 * lost, the names wait for the next one. Confined to the event loop.
 */
final class FreedNames {
    /** The most names that wait. Those beyond stay in the store until their time is over. */
    static final int MOST_WAITING = 10_000;

    private static final int LARGEST_TURN = 64;

    private final LoopShare share;
    /** The names that wait, by their keys in the store. The first ones are being deleted if {@code busy}. */
    private final Map<String, Freed> waiting = new LinkedHashMap<>();

    private boolean busy;
    private boolean watched;
    /** The most names of the next turn. */
    private int turnSize = LARGEST_TURN;

    /** A name that {@code streams} have given back. {@code then} runs when it is free or belongs to another stream. */
    private record Freed(String key, List<String> streams, List<Runnable> then) {
        Freed by(String stream) {
            return new Freed(
                    key, Stream.concat(streams.stream(), Stream.of(stream)).toList(), then);
        }

        /** Whether this value of the key names one of the streams. */
        boolean isIn(String value) {
            int end = value.indexOf(' ');
            return streams.contains(end < 0 ? value : value.substring(0, end));
        }
    }

    FreedNames(LoopShare share) {
        this.share = share;
    }

    /**
     * Deletes {@code key} if it names {@code stream}. If the key waits already, because another stream has given it back,
     * it is deleted if it names one of the two.
     *
     * @return whether it was taken; false if too many names wait
     */
    boolean free(String key, String stream) {
        Freed before = waiting.get(key);
        if (before == null && waiting.size() >= MOST_WAITING) {
            return false;
        }
        if (before == null) {
            waiting.put(key, new Freed(key, List.of(stream), new ArrayList<>(0)));
        } else if (!before.streams().contains(stream)) {
            waiting.put(key, before.by(stream));
        }
        next();
        return true;
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
        List<Freed> turn = waiting.values().stream().limit(turnSize).toList();
        var own = new ArrayList<Freed>();
        share.call((reply, refusal) -> watched = refusal == null, words("WATCH", turn));
        for (int i = 0; i < turn.size(); i++) {
            Freed freed = turn.get(i);
            boolean last = i == turn.size() - 1;
            share.call(
                    (reply, refusal) -> {
                        if (watched && freed.isIn(Entries.text(reply))) {
                            own.add(freed);
                        }
                        if (last) {
                            delete(turn, own);
                        }
                    },
                    "GET",
                    freed.key());
        }
    }

    private static Object[] words(String command, List<Freed> names) {
        return Stream.concat(Stream.of(command), names.stream().map(Freed::key)).toArray();
    }

    private void delete(List<Freed> turn, List<Freed> own) {
        if (own.isEmpty()) {
            share.call((done, refusal) -> onFreed(turn), "UNWATCH");
            return;
        }
        share.call(Shipper.IGNORED, "MULTI");
        share.call(Shipper.IGNORED, words("DEL", own));
        share.call(
                (done, refusal) -> {
                    if (done == null && refusal == null && turn.size() > 1) {
                        turnSize = turn.size() / 2;
                        onFreed(turn.stream()
                                .filter(name -> !own.contains(name))
                                .toList());
                    } else {
                        turnSize = LARGEST_TURN;
                        onFreed(turn);
                    }
                },
                "EXEC");
    }

    /** These names are free, or belong to other streams. One that was given back once more meanwhile still waits. */
    private void onFreed(List<Freed> names) {
        busy = false;
        for (Freed freed : names) {
            if (waiting.remove(freed.key(), freed)) {
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
