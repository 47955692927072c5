package io.millrace.bench.run;

import io.millrace.bench.session.Delays;
import io.millrace.bench.session.MadeSessions;
import io.millrace.bench.session.Trace;
import io.millrace.bench.stream.Lengths;
import io.millrace.bench.stream.Sessions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for sessions of several turns, as agents and people have them. */
@SuppressWarnings("NullAway.Init") // picocli sets the options
final class SessionOptions {
    private static final String DEFAULT_WORDS = "100";

    @Option(
            names = "--turns",
            paramLabel = "LENGTH",
            description =
                    "Sessions of so many turns: 5, uniform:2-8, normal:5:2 or exp:5. Each prompt is all that was said"
                            + " and answered before, and --prompt-words new words. --rate, --concurrency and --requests then"
                            + " count sessions.")
    private @Nullable String turns;

    @Option(
            names = "--think",
            paramLabel = "TIME",
            description = "Between an answer and the next message of the user: 2s, uniform:1s-5s, normal:2s:500ms or"
                    + " exp:2s. Default 0s.")
    private @Nullable String think;

    @Option(
            names = "--tool-turns",
            paramLabel = "SHARE",
            description = "With --turns: the share of the later turns that send the result of a tool. Default 0%%.")
    private @Nullable String toolTurns;

    @Option(
            names = "--tool-time",
            paramLabel = "TIME",
            description = "How long a tool runs, as --think has it. Default 0s.")
    private @Nullable String toolTime;

    @Option(
            names = "--context-words",
            paramLabel = "N",
            description = "With --turns: words before the first message, the same in all sessions. Default 0.")
    private int contextWords;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description =
                    "Recorded sessions: Mooncake's JSON lines or AgentX's JSON, in a file or a directory. They begin"
                            + " at their recorded times; with --rate or --concurrency as those say.")
    private @Nullable Path trace;

    /** The sessions; null if each stream is for itself. A trace at its own times also sets the load. */
    @Nullable
    Sessions sessions(TargetOptions target, LoadOptions load) throws IOException {
        if (trace != null) {
            return trace(trace, load);
        }
        if (turns == null) {
            if (think != null || toolTurns != null || toolTime != null || contextWords != 0) {
                throw new IllegalArgumentException(
                        "--think, --tool-turns, --tool-time, --context-words: no --turns (expected: sessions)");
            }
            return null;
        }
        if (contextWords < 0) {
            throw new IllegalArgumentException("--context-words: " + contextWords + " (expected: >= 0)");
        }
        return new MadeSessions(
                lengths("--turns", turns),
                lengths("--prompt-words", target.wordsOfSessions(DEFAULT_WORDS)),
                contextWords,
                delays("--think", think),
                toolTurns == null ? 0 : LoadOptions.fraction("--tool-turns", toolTurns),
                delays("--tool-time", toolTime),
                load.seed);
    }

    private Trace trace(Path file, LoadOptions load) throws IOException {
        if (turns != null || think != null || toolTurns != null || toolTime != null || contextWords != 0) {
            throw new IllegalArgumentException("--trace: has its own turns and times (expected: no --turns, --think,"
                    + " --tool-turns, --tool-time, --context-words)");
        }
        var sessions = Trace.read(file, !load.isGiven());
        if (!load.isGiven()) {
            load.replay(sessions.rate());
        }
        return sessions;
    }

    /** The sessions in words; empty if there are none. */
    String words(@Nullable Sessions sessions) {
        if (sessions instanceof Trace recorded) {
            return String.format(
                    Locale.ROOT,
                    "; sessions of %s: %,d with %,d turns%s",
                    trace,
                    recorded.size(),
                    recorded.turns(),
                    recorded.startsNs() == null ? "" : ", at their own times");
        }
        return sessions == null
                ? ""
                : "; sessions of " + turns + " turns, think " + (think == null ? "0s" : think)
                        + (toolTurns == null
                                ? ""
                                : ", " + toolTurns + " tool turns of " + (toolTime == null ? "0s" : toolTime))
                        + (contextWords == 0 ? "" : ", " + contextWords + " words of context");
    }

    private static Lengths lengths(String option, String text) {
        try {
            return Lengths.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(option + ": " + e.getMessage(), e);
        }
    }

    private static Delays delays(String option, @Nullable String text) {
        try {
            return Delays.parse(text == null ? "0s" : text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(option + ": " + e.getMessage(), e);
        }
    }
}
