package io.millrace.server.share;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Deletes names of streams from the store. A name may belong to another stream by now, so it is deleted only if it has
 * not changed since it was read ({@code WATCH}). If the store refuses to watch, the name stays until its time is over.
 * The names take turns, because {@code EXEC} ends all watches of a connection. If the connection is lost, they wait for
 * the next one. Confined to the event loop.
 */
final class FreedNames {
    private static final int MOST = 10_000;

    private final LoopShare share;
    /** The names that wait, by their keys in the store. The first one is being deleted if {@code busy}. */
    private final Map<String, Freed> waiting = new LinkedHashMap<>();

    private boolean busy;
    private boolean watched;

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
        String key = waiting.keySet().iterator().next();
        share.call((reply, refusal) -> watched = refusal == null, "WATCH", key);
        share.call((reply, refusal) -> onRead(key, reply), "GET", key);
    }

    private void onRead(String key, @Nullable Object reply) {
        Freed freed = waiting.get(key);
        if (freed != null && watched && isOf(Entries.text(reply), freed.stream())) {
            share.call(Shipper.IGNORED, "MULTI");
            share.call(Shipper.IGNORED, "DEL", key);
            share.call((done, refusal) -> onFreed(key), "EXEC");
        } else {
            share.call((done, refusal) -> onFreed(key), "UNWATCH");
        }
    }

    private static boolean isOf(String value, String stream) {
        return value.equals(stream) || value.startsWith(stream + " ");
    }

    private void onFreed(String key) {
        busy = false;
        Freed freed = waiting.remove(key);
        if (freed != null) {
            freed.then().forEach(Runnable::run);
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
