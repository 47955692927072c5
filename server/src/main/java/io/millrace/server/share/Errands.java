package io.millrace.server.share;

import io.millrace.server.replay.OnceKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks the store or another node a single question. Each question ends within a second, with or without an answer.
 * Confined to an event loop.
 */
final class Errands {
    private static final long PATIENCE_NS = TimeUnit.SECONDS.toNanos(1);

    private final LoopShare share;
    private final Map<String, Stop> stops = new HashMap<>();
    /** The open questions to the store. */
    private final List<Question> questions = new ArrayList<>();

    private long tokens;

    @SuppressWarnings("ArrayRecordComponent") // not compared
    private record Stop(String id, byte[] key, Consumer<LoopShare.Stopped> told, long untilNs) {}

    /** A question. {@code give} tells the caller that there is no answer. */
    private static final class Question {
        private final Runnable give;
        private final long untilNs;

        Question(Runnable give, long untilNs) {
            this.give = give;
            this.untilNs = untilNs;
        }
    }

    /** A claim of a name for the stream {@code id}. */
    private record Claim(
            Question question, String key, String id, String content, Consumer<LoopShare.@Nullable Holder> told) {
        /** The stream that has the name, as the store says; null if it is the one that claims it. */
        LoopShare.@Nullable Holder holder(@Nullable Object reply) {
            String[] words = Entries.text(reply).split(" ", -1);
            boolean other = words.length == 2 && !words[0].equals(id) && StreamId.of(words[0]) != null;
            return other ? new LoopShare.Holder(words[0], words[1]) : null;
        }
    }

    Errands(LoopShare share) {
        this.share = share;
    }

    /** Asks the node that writes a stream to stop it. */
    void stop(String id, byte[] key, Consumer<LoopShare.Stopped> told) {
        StreamId parts = StreamId.of(id);
        if (parts == null) {
            told.accept(LoopShare.Stopped.NOT_FOUND);
        } else if (!share.isConnected()) {
            told.accept(LoopShare.Stopped.UNAVAILABLE);
        } else {
            String token = share.number() + "-" + Long.toString(tokens++, 36);
            var stop = new Stop(id, key, told, share.nowNs() + PATIENCE_NS);
            stops.put(token, stop);
            String text = "stop " + id + " " + HexFormat.of().formatHex(key) + " " + share.nodeName() + " " + token;
            share.call(
                    (heard, refusal) -> onAsked(token, heard, refusal),
                    "PUBLISH",
                    share.keys().inbox(parts.node()),
                    text);
        }
    }

    private void onAsked(String token, @Nullable Object heard, @Nullable String refusal) {
        if (refusal != null) {
            end(token, LoopShare.Stopped.UNAVAILABLE);
        } else if (heard instanceof Long nodes && nodes == 0) {
            forget(token);
        }
    }

    /** The node that wrote the stream is gone. Deletes what the store has of the stream, if the key may do that. */
    private void forget(String token) {
        Stop stop = stops.get(token);
        if (stop == null) {
            return;
        }
        share.call(
                (reply, refusal) -> {
                    RemoteHead head = RemoteHead.of(reply);
                    if (head == null || !head.isOf(stop.key())) {
                        end(token, LoopShare.Stopped.NOT_FOUND);
                        return;
                    }
                    share.call(
                            Shipper.IGNORED,
                            "DEL",
                            share.keys().head(stop.id()),
                            share.keys().bytes(stop.id()));
                    end(token, LoopShare.Stopped.DONE);
                },
                "GET",
                share.keys().head(stop.id()));
    }

    private void end(String token, LoopShare.Stopped how) {
        Stop stop = stops.remove(token);
        if (stop != null) {
            stop.told().accept(how);
        }
    }

    /** Another node asks this event loop to stop one of its streams. */
    void onStop(String id, String key, String asker, String token) {
        boolean stopped;
        try {
            stopped =
                    share.node().owner().stop(share.number(), id, HexFormat.of().parseHex(key));
        } catch (IllegalArgumentException e) {
            stopped = false;
        }
        share.tell(asker, "stopped " + token + " " + stopped);
    }

    /** The node that writes the stream has answered. */
    void onStopped(String token, String stopped) {
        end(token, stopped.equals("true") ? LoopShare.Stopped.DONE : LoopShare.Stopped.NOT_FOUND);
    }

    void claim(OnceKey name, String id, Consumer<LoopShare.@Nullable Holder> told) {
        String key = share.keys().once(name.scope());
        Question question = ask(() -> told.accept(null));
        if (question != null) {
            var claim = new Claim(question, key, id, name.content(), told);
            share.freed().then(key, () -> write(claim, holder -> onWritten(claim, holder)));
        }
    }

    /**
     * Gives the name to the stream that claims it, unless the store names another one. {@code then} gets that other one;
     * null if there is none.
     */
    private void write(Claim claim, Consumer<LoopShare.@Nullable Holder> then) {
        if (!questions.contains(claim.question())) {
            return; // Too late: the stream may be over.
        }
        share.call(
                Shipper.IGNORED, "SET", claim.key(), claim.id() + " " + claim.content(), "PX", Shipment.LIFE_MS, "NX");
        share.call((reply, refusal) -> then.accept(claim.holder(reply)), "GET", claim.key());
    }

    /**
     * The streams of this node know who of them has the name: the one that claims it. If the store names another one of
     * this node, that one has given the name back, perhaps on another event loop, and the store does not know that yet. So
     * its name is deleted, and the claim is written a second and last time.
     */
    private void onWritten(Claim claim, LoopShare.@Nullable Holder holder) {
        if (holder != null
                && share.owns(holder.stream())
                && questions.contains(claim.question())
                && share.free(claim.key(), holder.stream())) {
            share.freed().then(claim.key(), () -> write(claim, last -> answer(claim, last)));
        } else {
            answer(claim, holder);
        }
    }

    /** Tells who has the name. A stream of this node whose name could not be deleted does not count. */
    private void answer(Claim claim, LoopShare.@Nullable Holder holder) {
        if (questions.remove(claim.question())) {
            claim.told().accept(holder == null || share.owns(holder.stream()) ? null : holder);
        }
    }

    void ofAnswer(String name, Consumer<@Nullable String> told) {
        Question question = ask(() -> told.accept(null));
        if (question != null) {
            share.call(
                    (reply, refusal) -> {
                        String id = Entries.text(reply);
                        if (questions.remove(question)) {
                            told.accept(StreamId.of(id) == null ? null : id);
                        }
                    },
                    "GET",
                    share.keys().answer(name));
        }
    }

    /** Opens a question. If there is no connection, tells the caller so and returns null. */
    private @Nullable Question ask(Runnable give) {
        if (!share.isConnected()) {
            give.run();
            return null;
        }
        var question = new Question(give, share.nowNs() + PATIENCE_NS);
        questions.add(question);
        return question;
    }

    void tick(long nowNs) {
        for (Question each : List.copyOf(questions)) {
            if (nowNs - each.untilNs >= 0 && questions.remove(each)) {
                each.give.run();
            }
        }
        for (Map.Entry<String, Stop> each : List.copyOf(stops.entrySet())) {
            if (nowNs - each.getValue().untilNs() >= 0) {
                end(each.getKey(), LoopShare.Stopped.UNAVAILABLE);
            }
        }
    }

    /** The connection was lost. No open question gets an answer. */
    void onLost() {
        List<Question> all = List.copyOf(questions);
        questions.clear();
        all.forEach(each -> each.give.run());
        List.copyOf(stops.keySet()).forEach(token -> end(token, LoopShare.Stopped.UNAVAILABLE));
    }
}
