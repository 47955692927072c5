package io.millrace.bench.session;

import io.millrace.bench.stats.Quantity;
import io.millrace.bench.stream.Lengths;
import java.util.SplittableRandom;
import java.util.regex.Pattern;

/** A distribution of times: {@code 2s} (fixed), {@code uniform:1s-5s}, {@code normal:2s:500ms}, {@code exp:2s}. */
public final class Delays {
    private static final Pattern TIME = Pattern.compile("[0-9.]+(ns|us|µs|ms|s|m|h)");
    private static final Pattern FORM = Pattern.compile("exp:T|uniform:T-T|normal:T:T");
    private static final int NS_PER_US = 1000;

    private final long fixedNs;
    private final Lengths us;

    private Delays(long fixedNs, Lengths us) {
        this.fixedNs = fixedNs;
        this.us = us;
    }

    /**
     * Parses a distribution.
     *
     * @throws IllegalArgumentException with the expected form
     */
    public static Delays parse(String text) {
        try {
            if (TIME.matcher(text).matches()) {
                return new Delays(Quantity.nanos(text), Lengths.parse("1"));
            }
            if (FORM.matcher(TIME.matcher(text).replaceAll("T")).matches()) {
                String us =
                        TIME.matcher(text).replaceAll(time -> Long.toString(Quantity.nanos(time.group()) / NS_PER_US));
                return new Delays(-1, Lengths.of(us, Long.MAX_VALUE / NS_PER_US));
            }
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(message(text), e);
        }
        throw new IllegalArgumentException(message(text));
    }

    private static String message(String text) {
        return text + " (expected: TIME, uniform:FROM-TO, normal:MEAN:DEVIATION or exp:MEAN, of times such as 500ms)";
    }

    /** The next time in nanoseconds. */
    long nextNs(SplittableRandom random) {
        return fixedNs >= 0 ? fixedNs : us.nextLong(random) * NS_PER_US;
    }
}
