package io.millrace.bench.session;

import io.millrace.bench.stream.Lengths;
import io.millrace.bench.stream.Session;
import io.millrace.bench.stream.Session.Turn;
import io.millrace.bench.stream.Sessions;
import io.millrace.bench.stream.Words;
import java.util.ArrayList;
import java.util.SplittableRandom;
import java.util.function.Supplier;

/**
 * Sessions made from distributions.
 *
 * @param turns of a session
 * @param words of each new message
 * @param contextWords before the first message, the same for all sessions, as instructions and tools are; 0 for none
 * @param think between an answer and the next message of the user
 * @param toolShare the share of the later turns that send the result of a tool
 * @param toolTime how long a tool runs
 * @param seed of everything
 */
public record MadeSessions(
        Lengths turns, Lengths words, int contextWords, Delays think, double toolShare, Delays toolTime, long seed)
        implements Sessions {
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    @Override
    public Session of(long index) {
        var random = new SplittableRandom(seed ^ (index * GOLDEN));
        var all = new ArrayList<Turn>();
        int count = turns.next(random);
        for (int turn = 0; turn < count; turn++) {
            int length = words.next(random);
            long textSeed = random.nextLong();
            Supplier<String> text = () -> Words.text(length, new SplittableRandom(textSeed));
            if (turn == 0) {
                all.add(Turn.user(0, contextWords == 0 ? text : () -> context() + " " + text.get()));
            } else if (random.nextDouble() < toolShare) {
                all.add(Turn.tool(toolTime.nextNs(random), text));
            } else {
                all.add(Turn.user(think.nextNs(random), text));
            }
        }
        return new Session(all, null);
    }

    private String context() {
        return Words.text(contextWords, new SplittableRandom(seed));
    }
}
