package io.millrace.server.config.file;

import io.millrace.server.config.Balance;
import io.millrace.server.config.Disconnect;
import io.millrace.server.config.Health;
import io.millrace.server.config.Hedge;
import io.millrace.server.config.Retry;
import io.millrace.server.config.RetryBudget;
import io.millrace.server.config.file.Node.Scalar;
import io.millrace.server.config.file.Section.Pending;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/** Reads what a route does about failures, and an upstream about those of its origins. */
final class PolicyReader {
    /** How a hedge's delay by the upstream's own percentile is written. */
    static final String P95 = "p95";

    static final String OFF = "off";

    private PolicyReader() {}

    /** {@code retry}: its settings, or {@code off}. */
    static Retry retry(Section route) {
        var result = new Retry[] {Retry.DEFAULT};
        if (route.node("retry") instanceof Scalar) {
            route.read("retry", word(OFF, Retry.OFF), v -> result[0] = v);
            return result[0];
        }
        route.readSection(
                "retry",
                section -> section.readTogether(List.of(
                        new Pending("attempts", v -> result[0] = result[0].withAttempts(Section.toInt(v))),
                        new Pending("base", v -> result[0] = result[0].withBase(Quantities.duration(v))),
                        new Pending("cap", v -> result[0] = result[0].withCap(Quantities.duration(v))),
                        new Pending(
                                "retryAfterCap", v -> result[0] = result[0].withRetryAfterCap(Quantities.duration(v))),
                        new Pending("total", v -> result[0] = result[0].withTotal(Quantities.duration(v))))));
        return result[0];
    }

    /** {@code hedge}: its settings, its delay, or {@code off}, which is null. */
    static Hedge hedge(Section route) {
        var result = new Hedge[1];
        if (route.node("hedge") instanceof Scalar) {
            route.read("hedge", PolicyReader::hedgeOf, v -> result[0] = v);
            return result[0];
        }
        route.readSection("hedge", section -> {
            result[0] = Hedge.P95;
            section.read("delay", PolicyReader::hedgeDelay, v -> result[0] = result[0].withDelay(v));
            section.read("maxShare", Section::toDouble, v -> result[0] = result[0].withMaxShare(v));
        });
        return result[0];
    }

    /** {@code disconnect}: its settings, or just the policy. */
    static Disconnect disconnect(Section route) {
        var result = new Disconnect[] {Disconnect.CANCEL};
        var policy = ConfigReader.choice(Disconnect.Policy.values());
        if (route.node("disconnect") instanceof Scalar) {
            route.read("disconnect", policy, v -> result[0] = result[0].withPolicy(v));
            return result[0];
        }
        route.readSection("disconnect", section -> {
            section.read("policy", policy, v -> result[0] = result[0].withPolicy(v));
            section.read("maxFrames", Section::toInt, v -> result[0] = result[0].withMaxFrames(v));
            section.read("maxTime", Quantities::duration, v -> result[0] = result[0].withMaxTime(v));
        });
        return result[0];
    }

    /** {@code balance}: {@code p2c}, or what requests have in common. */
    static Balance balance(Section route) {
        var result = new Balance[] {Balance.P2C};
        if (route.node("balance") instanceof Scalar) {
            route.read("balance", word("p2c", Balance.P2C), v -> result[0] = v);
            return result[0];
        }
        route.readSection("balance", section -> {
            section.read("header", ConfigReader::checkedHeader, v -> result[0] = Balance.header(v));
            section.read("promptPrefix", ConfigReader::bytes, v -> {
                if (section.node("header") != null) {
                    throw new IllegalArgumentException("beside header (expected: one of them)");
                }
                result[0] = Balance.promptPrefix(v);
            });
        });
        return result[0];
    }

    /** {@code health} of an upstream's origins. */
    static Health health(Section upstream) {
        var result = new Health[] {Health.DEFAULT};
        upstream.readSection("health", section -> {
            section.readTogether(List.of(
                    new Pending(
                            "consecutiveFailures",
                            v -> result[0] = result[0].withConsecutiveFailures(Section.toInt(v))),
                    new Pending("failureRate", v -> result[0] = result[0].withFailureRate(Section.toDouble(v))),
                    new Pending("minRequests", v -> result[0] = result[0].withMinRequests(Section.toInt(v))),
                    new Pending("window", v -> result[0] = result[0].withWindow(Quantities.duration(v))),
                    new Pending("ejection", v -> result[0] = result[0].withEjection(Quantities.duration(v))),
                    new Pending("maxEjection", v -> result[0] = result[0].withMaxEjection(Quantities.duration(v))),
                    new Pending("slowStart", v -> result[0] = result[0].withSlowStart(Quantities.duration(v)))));
            section.readSection("probe", probe -> {
                probe.read("path", Function.identity(), v -> result[0] = result[0].withProbePath(v));
                probe.read("interval", Quantities::duration, v -> result[0] = result[0].withProbeInterval(v));
            });
        });
        return result[0];
    }

    /** {@code retryBudget} of an upstream. */
    static RetryBudget retryBudget(Section upstream) {
        var result = new RetryBudget[] {RetryBudget.DEFAULT};
        upstream.readSection("retryBudget", section -> {
            section.read("ratio", Section::toDouble, v -> result[0] = result[0].withRatio(v));
            section.read("perSecond", Section::toInt, v -> result[0] = result[0].withPerSecond(v));
        });
        return result[0];
    }

    private static Hedge hedgeOf(String text) {
        return text.equals(OFF) ? null : Hedge.P95.withDelay(hedgeDelay(text));
    }

    /** A duration, or null for the upstream's own percentile. */
    private static Duration hedgeDelay(String text) {
        return text.equals(P95) ? null : Quantities.duration(text);
    }

    private static <T> Function<String, T> word(String word, T value) {
        return text -> {
            if (!text.equals(word)) {
                throw new IllegalArgumentException("'" + text + "' (expected: " + word + " or settings)");
            }
            return value;
        };
    }
}
