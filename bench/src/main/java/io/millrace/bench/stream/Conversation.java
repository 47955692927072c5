package io.millrace.bench.stream;

import static java.util.Objects.requireNonNull;

import io.millrace.bench.stream.Session.Turn;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** A session in progress. It makes the request of each turn before the turn is due. Lives on its lane's event loop. */
final class Conversation {
    private final RequestTemplate template;
    private final Session session;
    private final History history;
    private final long index;
    private int turn;
    private long words;
    private byte @Nullable [] request;
    private @Nullable Future<?> wake;

    Conversation(RequestTemplate template, Session session, long index) {
        this.template = template;
        this.session = session;
        this.index = index;
        history = History.of(template.endpoint().dialect());
        prepare();
    }

    /** The number of the session. */
    long index() {
        return index;
    }

    /** The number of the current turn, from 0. */
    int turn() {
        return turn;
    }

    /** Whether the current turn sends the result of a tool. */
    boolean isToolTurn() {
        return current().isTool();
    }

    /** The length of the current prompt in words, where a token that was answered is a word. */
    long promptWords() {
        return words;
    }

    /** The request of the current turn. Ownership is transferred. */
    ByteBuf request() {
        return Unpooled.wrappedBuffer(requireNonNull(request));
    }

    /** Whether the session goes on after a stream: it has a further turn, and this one has its answer. */
    boolean goesOn(StreamSample stream) {
        return stream.outcome == Outcome.COMPLETED
                && stream.behaviour().isPlain()
                && turn + 1 < session.turns().size();
    }

    /** Whether a stream was the last one of the session and has its answer. */
    boolean isWhole(StreamSample stream) {
        return stream.outcome == Outcome.COMPLETED
                && stream.turn() + 1 == session.turns().size();
    }

    /** Goes to the next turn with the answer of the current one, and returns when it is due. */
    long next(StreamSample stream, long nowNs) {
        var next = session.turns().get(turn + 1);
        history.answer(stream.answer == null ? "" : stream.answer.toString(), next.isTool());
        words += stream.tokens();
        turn++;
        prepare();
        return Math.max(nowNs + next.afterEndNs(), stream.scheduledNs() + next.afterDueNs());
    }

    /** The task that begins the current turn. */
    void wakeBy(Future<?> task) {
        wake = task;
    }

    /** Does not begin the current turn. */
    void cancel() {
        if (wake != null) {
            wake.cancel(false);
        }
    }

    private Turn current() {
        return session.turns().get(turn);
    }

    private void prepare() {
        var now = current();
        if (now.isFresh()) {
            history.clear();
            words = 0;
        }
        if (now.messages() != null) {
            now.messages().forEach(history::add);
            words += wordsOf(now.messages().toString());
        } else {
            String text = requireNonNull(now.text()).get();
            if (now.isTool()) {
                history.toolResult(text);
            } else {
                history.user(text);
            }
            words += wordsOf(text);
        }
        var tools = session.tools() != null ? session.tools() : session.hasToolTurns() ? history.tools() : null;
        request = template.request(new Prompt(null, history.messages(), now.maxTokens(), tools));
    }

    private static long wordsOf(String text) {
        return text.isEmpty() ? 0 : 1 + text.chars().filter(c -> c == ' ').count();
    }
}
