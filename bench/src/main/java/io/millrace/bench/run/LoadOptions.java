package io.millrace.bench.run;

import io.millrace.bench.stats.Quantity;
import io.millrace.bench.stream.Behaviour;
import io.millrace.bench.stream.Behaviours;
import io.millrace.bench.stream.LoadShape;
import io.millrace.bench.stream.StreamLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options for the kind of load, its amount and its duration. */
@SuppressWarnings("NullAway.Init") // picocli sets the options
final class LoadOptions {
    private static final long DEFAULT_DURATION_NS = TimeUnit.SECONDS.toNanos(10);

    @Option(
            names = "--rate",
            paramLabel = "R[,R...]",
            description = "Open loop: streams that begin each second, also if earlier ones are late. Several: a sweep.")
    private @Nullable String rate;

    @Option(
            names = "--arrivals",
            paramLabel = "KIND",
            defaultValue = "poisson",
            description =
                    "How streams of an open loop begin: constant, poisson, or gamma:BURSTINESS, where 1 is poisson and less is"
                            + " burstier. Default ${DEFAULT-VALUE}.")
    private String arrivals;

    @Option(
            names = "--concurrency",
            paramLabel = "N[,N...]",
            description = "Closed loop: so many clients that each ask again when they have their answer; 1..256 doubles"
                    + " from one to the other. Several: a sweep. Default 1.")
    private @Nullable String concurrency;

    @Option(
            names = "--max-concurrency",
            paramLabel = "N",
            description = "The most streams at once of an open loop; others wait, and their waiting counts.")
    private int maxConcurrency;

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            description = "How long to measure. Default 10s, or until --requests are done.")
    private @Nullable String duration;

    @Option(names = "--requests", paramLabel = "N", description = "Streams in the measured part.")
    private long requests;

    @Option(
            names = "--warmup",
            paramLabel = "TIME",
            description = "How long load runs before it is measured. Default 1s, and 0s for a trace at its own times.")
    private @Nullable String warmup;

    @Option(
            names = "--ramp",
            paramLabel = "TIME",
            defaultValue = "0s",
            description = "How long the load grows, before the warm-up; not measured.")
    private String ramp;

    @Option(
            names = "--drain",
            paramLabel = "TIME",
            defaultValue = "60s",
            description = "How long streams may go on after the measured part. Default ${DEFAULT-VALUE}.")
    private String drain;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "The seed of arrivals, prompts and clients.")
    long seed;

    @Option(
            names = "--connect-timeout",
            paramLabel = "TIME",
            defaultValue = "10s",
            description = "The longest connect, with TLS. Default ${DEFAULT-VALUE}.")
    private String connectTimeout;

    @Option(
            names = "--idle-timeout",
            paramLabel = "TIME",
            defaultValue = "120s",
            description = "The longest time without a byte. Default ${DEFAULT-VALUE}.")
    private String idleTimeout;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "600s",
            description = "The longest time of a whole stream. Default ${DEFAULT-VALUE}.")
    private String timeout;

    @Option(
            names = "--stall",
            paramLabel = "TIME",
            defaultValue = "1s",
            description = "The gap between two outputs that counts as a stall. Default ${DEFAULT-VALUE}.")
    private String stall;

    @Option(
            names = "--cancel",
            paramLabel = "SHARE@WHEN",
            description = "A share of clients that leave: 10%%@5 after 5 output frames, 10%%@200ms after that time.")
    private @Nullable String cancel;

    @Option(names = "--slow-readers", paramLabel = "SHARE", description = "A share of clients that read 5 KB a second.")
    private @Nullable String slowReaders;

    @Option(
            names = "--half-open",
            paramLabel = "SHARE@N",
            description = "A share of clients that stop reading after N output frames and never close.")
    private @Nullable String halfOpen;

    /** The sessions a second of a trace that is replayed at its own times; 0 for none. */
    private double replayed;

    /** Whether the user says how much load there is. */
    boolean isGiven() {
        return rate != null || concurrency != null;
    }

    /** The load is a trace at its own times, with so many sessions a second on average. */
    void replay(double rate) {
        replayed = rate;
    }

    /** The loads, one after another. */
    List<LoadShape> shapes() {
        if (replayed > 0) {
            long untilNs = duration == null ? Long.MAX_VALUE : nanos("--duration", duration);
            return List.of(shape(replayed, maxConcurrency, untilNs));
        }
        long durationNs =
                duration != null ? nanos("--duration", duration) : requests > 0 ? Long.MAX_VALUE : DEFAULT_DURATION_NS;
        var shapes = new ArrayList<LoadShape>();
        if (rate != null) {
            if (concurrency != null) {
                throw new IllegalArgumentException(
                        "--rate and --concurrency (expected: one of them; --max-concurrency bounds an open loop)");
            }
            for (String each : rate.split(",", -1)) {
                shapes.add(shape(number("--rate", each), maxConcurrency, durationNs));
            }
        } else {
            for (int each : Range.parse("--concurrency", concurrency == null ? "1" : concurrency)) {
                shapes.add(shape(0, each, durationNs));
            }
        }
        return shapes;
    }

    StreamLimits limits() {
        return new StreamLimits(
                (int) Math.min(
                        Integer.MAX_VALUE, TimeUnit.NANOSECONDS.toMillis(nanos("--connect-timeout", connectTimeout))),
                nanos("--idle-timeout", idleTimeout),
                nanos("--timeout", timeout),
                nanos("--stall", stall));
    }

    Behaviours behaviours() {
        var shares = new ArrayList<Behaviours.Share>();
        if (cancel != null) {
            shares.add(share("--cancel", cancel, Behaviour.Kind.CANCEL));
        }
        if (halfOpen != null) {
            shares.add(share("--half-open", halfOpen, Behaviour.Kind.HALF_OPEN));
        }
        if (slowReaders != null) {
            shares.add(new Behaviours.Share(fraction("--slow-readers", slowReaders), Behaviour.SLOW));
        }
        return new Behaviours(shares, seed);
    }

    /** The loads as text. */
    String words(List<LoadShape> shapes) {
        var first = shapes.get(0);
        String times = replayed > 0 ? "recorded" : arrivals;
        var words = new StringBuilder(first.isOpen() ? "open loop, " + times + " arrivals, " : "closed loop, ");
        for (int i = 0; i < shapes.size(); i++) {
            words.append(i == 0 ? "" : ", ").append(shapes.get(i).label());
        }
        if (requests > 0) {
            words.append("; ").append(requests).append(" requests");
        }
        if (first.durationNs() != Long.MAX_VALUE) {
            words.append("; ").append(Quantity.text(first.durationNs()));
        }
        words.append(" after ").append(Quantity.text(first.warmupNs())).append(" of warm-up");
        if (first.rampNs() > 0) {
            words.append(" and ").append(Quantity.text(first.rampNs())).append(" of ramp");
        }
        return words.append(", seed ").append(seed).toString();
    }

    private LoadShape shape(double rate, int concurrency, long durationNs) {
        return new LoadShape(
                rate,
                burstiness(),
                concurrency,
                nanos("--ramp", ramp),
                nanos("--warmup", warmup != null ? warmup : replayed > 0 ? "0s" : "1s"),
                durationNs,
                requests > 0 ? requests : Long.MAX_VALUE,
                nanos("--drain", drain));
    }

    private double burstiness() {
        String kind = arrivals.toLowerCase(Locale.ROOT);
        if (kind.startsWith("gamma:")) {
            return number("--arrivals", kind.substring("gamma:".length()));
        }
        return switch (kind) {
            case "constant" -> Double.POSITIVE_INFINITY;
            case "poisson" -> 1;
            default ->
                throw new IllegalArgumentException(
                        "--arrivals: " + arrivals + " (expected: constant, poisson or gamma:BURSTINESS)");
        };
    }

    private static Behaviours.Share share(String option, String text, Behaviour.Kind kind) {
        int at = text.indexOf('@');
        if (at < 0) {
            throw new IllegalArgumentException(option + ": " + text + " (expected: SHARE@WHEN, such as 10%@5)");
        }
        String when = text.substring(at + 1);
        boolean frames = when.chars().allMatch(Character::isDigit);
        if (!frames && kind == Behaviour.Kind.HALF_OPEN) {
            throw new IllegalArgumentException(option + ": " + text + " (expected: SHARE@FRAMES, such as 1%@5)");
        }
        var behaviour = frames
                ? new Behaviour(kind, (int) number(option, when), 0)
                : new Behaviour(kind, -1, Quantity.nanos(when));
        return new Behaviours.Share(fraction(option, text.substring(0, at)), behaviour);
    }

    static double fraction(String option, String text) {
        boolean percent = text.endsWith("%");
        double value = number(option, percent ? text.substring(0, text.length() - 1) : text) / (percent ? 100 : 1);
        if (value < 0 || value > 1) {
            throw new IllegalArgumentException(option + ": " + text + " (expected: 0% to 100%)");
        }
        return value;
    }

    private static long nanos(String option, String text) {
        try {
            return Quantity.nanos(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(option + ": " + e.getMessage(), e);
        }
    }

    private static double number(String option, String text) {
        try {
            return Double.parseDouble(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(option + ": " + text + " (expected: a number)", e);
        }
    }
}
