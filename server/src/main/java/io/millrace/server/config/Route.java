package io.millrace.server.config;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.HeartbeatForm;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The targets of one kind of requests, and their treatment. Routes are tried in order. The first match takes the
 * request.
 *
 * @param name its name in logs
 * @param match the requests that it takes
 * @param targets at least one target; each is used if those before it cannot serve
 * @param dialect the dialect of their streams; null finds it by the path
 * @param timeouts the route's own, otherwise the relay's
 * @param heartbeat the route's own, otherwise the relay's
 * @param retry the rules for attempts at each target
 * @param hedge the rules for a parallel second attempt; null for none
 * @param disconnect the rules for an answer whose client closes
 * @param includeUsage whether the relay asks for usage in Chat streams whose clients did not ask for it
 * @param balance how one of an upstream's origins is chosen
 * @param translation what happens to a field that no translation knows
 */
public record Route(
        String name,
        Match match,
        List<Target> targets,
        @Nullable Dialect dialect,
        Timeouts timeouts,
        Heartbeat heartbeat,
        Retry retry,
        @Nullable Hedge hedge,
        Disconnect disconnect,
        boolean includeUsage,
        Balance balance,
        TranslationMode translation)
        implements Settings<Route, Route.Builder> {
    public Route {
        Checks.notBlank("name", name);
        targets = List.copyOf(targets);
        if (targets.isEmpty()) {
            throw new IllegalArgumentException("targets: [] (expected: at least one)");
        }
    }

    /** A route with defaults to one target. */
    public static Route of(String name, Match match, String upstream) {
        return of(name, match, List.of(Target.of(upstream)));
    }

    /** A route with defaults. */
    public static Route of(String name, Match match, List<Target> targets) {
        var route = new Builder();
        route.name = name;
        route.match = match;
        route.targets = targets;
        return Builders.build(Route.class, route);
    }

    /** The name of the first target's upstream. */
    public String upstream() {
        return targets.get(0).upstream();
    }

    /** The model that replaces the client's for the first target, or null. */
    public @Nullable String rewriteModel() {
        return targets.get(0).rewriteModel();
    }

    /** The timeouts that apply at {@code target}. */
    public Timeouts timeouts(Target target) {
        return target.timeouts() == null ? timeouts : target.timeouts();
    }

    /**
     * The rules for a second attempt in parallel with a first attempt that has no output yet. The first output wins.
     *
     * @param delay the time without output after which it starts; null uses the upstream's own 95th percentile
     * @param maxShare the largest share of hedges among all requests, a fraction
     */
    public record Hedge(@Nullable Duration delay, double maxShare) implements Settings<Hedge, Hedge.Builder> {
        /** After the upstream's own 95th percentile, for at most one request in twenty. */
        public static final Hedge P95 = Builders.build(Hedge.class, new Builder());

        public Hedge {
            if (delay != null) {
                Checks.positive("delay", delay);
            }
            Checks.fraction("maxShare", maxShare);
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public @Nullable Duration delay;
            public double maxShare = 0.05;
        }
    }

    /**
     * How the relay chooses one of an upstream's origins.
     *
     * @param kind by load, or by what requests have in common
     * @param header lower-case name of the header whose value chooses, for {@link Kind#HEADER}; else null
     * @param prefixBytes the bytes of the prompt that choose, for {@link Kind#PROMPT_PREFIX}; else 0
     */
    public record Balance(Kind kind, @Nullable String header, int prefixBytes) {
        /** The better of two at random. */
        public static final Balance P2C = new Balance(Kind.P2C, null, 0);

        /** The basis of the choice. */
        public enum Kind {
            /** The better of two random origins, by their moving time to first token and their requests in progress. */
            P2C,
            /** The same value of a header goes to the same origin. */
            HEADER,
            /** Prompts with the same beginning go to the same origin, whose prefix cache has that beginning. */
            PROMPT_PREFIX
        }

        public Balance {
            Objects.requireNonNull(kind, "kind");
            if (kind == Kind.HEADER) {
                Checks.headerName("header", header);
            }
            if (kind == Kind.PROMPT_PREFIX) {
                Checks.range("promptPrefix", prefixBytes, 1, 1 << 20);
            }
        }

        /** By the value of a header, whose name is in lower case. */
        public static Balance header(String name) {
            return new Balance(Kind.HEADER, name, 0);
        }

        /** By the first bytes of the prompt. */
        public static Balance promptPrefix(int bytes) {
            return new Balance(Kind.PROMPT_PREFIX, null, bytes);
        }
    }

    /**
     * What happens to the upstream's answer when its client closes.
     *
     * @param policy whether it is cancelled, read to its end, or kept for readers
     * @param maxFrames the output frames without a reader after which it is cancelled nevertheless
     * @param maxTime the time without a reader after which it is cancelled nevertheless; zero only with {@link Policy#DETACH}
     */
    public record Disconnect(Policy policy, int maxFrames, Duration maxTime)
            implements Settings<Disconnect, Disconnect.Builder> {
        /** The answer is cancelled at once. */
        public static final Disconnect CANCEL = Builders.build(Disconnect.class, new Builder());

        /** The answer is read on for at most 10,000 frames of output or 60 s. */
        public static final Disconnect READ_ON = CANCEL.with(d -> d.policy = Policy.READ_ON);

        /** The answer goes on without a reader for at most 10,000 frames of output or 60 s, and is kept for readers. */
        public static final Disconnect DETACH = CANCEL.with(d -> d.policy = Policy.DETACH);

        /** The action. */
        public enum Policy {
            /** The upstream's connection is closed at once. */
            CANCEL,
            /** The answer is read to its end, within bounds, so that its usage is exact. */
            READ_ON,
            /** The answer goes on, within bounds, and is kept, so that readers can follow it and read it again. */
            DETACH
        }

        /** Whether answers are kept for readers. */
        public boolean detaches() {
            return policy == Policy.DETACH;
        }

        public Disconnect {
            Objects.requireNonNull(policy, "policy");
            Checks.range("maxFrames", maxFrames, 1, Integer.MAX_VALUE);
            if (policy == Policy.DETACH) {
                Checks.notNegative("maxTime", maxTime);
            } else {
                Checks.positive("maxTime", maxTime);
            }
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public Policy policy = Policy.CANCEL;
            public int maxFrames = 10_000;
            public Duration maxTime = Duration.ofSeconds(60);
        }
    }

    /**
     * Heartbeats between frames after a silence, so that no intermediary closes the stream.
     *
     * @param interval the silence before a heartbeat; zero turns heartbeats off
     * @param form the bytes of a heartbeat; null uses the dialect's form
     * @param early whether heartbeats also come before the first frame; the status is then 200 whatever the upstream
     *     answers
     */
    public record Heartbeat(Duration interval, @Nullable HeartbeatForm form, boolean early)
            implements Settings<Heartbeat, Heartbeat.Builder> {
        /** After 15 s, in the dialect's form, not before the first frame. */
        public static final Heartbeat DEFAULT = Builders.build(Heartbeat.class, new Builder());

        /** Never. */
        public static final Heartbeat OFF = DEFAULT.with(h -> h.interval = Duration.ZERO);

        public Heartbeat {
            Checks.notNegative("interval", interval);
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public Duration interval = Duration.ofSeconds(15);
            public @Nullable HeartbeatForm form;
            public boolean early;
        }
    }

    /** What happens to a field that no translation knows. */
    public enum TranslationMode {
        /** It is left out and reported. */
        LENIENT,
        /** The request is refused. */
        STRICT
    }

    /**
     * How often a target is tried before its first output, and how long the relay waits between two attempts. Nothing is
     * retried after the first output.
     *
     * @param attempts the most attempts at one target, including the first
     * @param base the wait before the first retry at the same origin, doubled for each further one; the real wait is a
     *     random part of it
     * @param cap the longest such wait
     * @param retryAfterCap the longest wait that an upstream may ask for; if it asks for more, the next target is used
     * @param total no attempt begins later than this after the request was read
     * @param sentOnce whether a request that the kernel has taken completely is never sent again to any target
     */
    public record Retry(
            int attempts, Duration base, Duration cap, Duration retryAfterCap, Duration total, boolean sentOnce)
            implements Settings<Retry, Retry.Builder> {
        /** Three attempts, 250 ms to 8 s between them, an upstream's own wait up to 10 s, ten minutes in total. */
        public static final Retry DEFAULT = Builders.build(Retry.class, new Builder());

        /** One attempt at each target. The next target follows only if the target before it cannot have done anything. */
        public static final Retry OFF = DEFAULT.with(r -> {
            r.attempts = 1;
            r.sentOnce = true;
        });

        public Retry {
            Checks.range("attempts", attempts, 1, 20);
            Checks.notNegative("base", base);
            Checks.notNegative("cap", cap);
            Checks.notNegative("retryAfterCap", retryAfterCap);
            Checks.positive("total", total);
            Checks.atMost("base", base, "cap", cap);
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public int attempts = 3;
            public Duration base = Duration.ofMillis(250);
            public Duration cap = Duration.ofSeconds(8);
            public Duration retryAfterCap = Duration.ofSeconds(10);
            public Duration total = Duration.ofMinutes(10);
            public boolean sentOnce;
        }
    }

    /**
     * One of the targets of a route. The next target is used if this one has failed, is ejected or is over its limit.
     *
     * @param upstream the name of the upstream
     * @param rewriteModel the model that replaces the body's model; null keeps it
     * @param timeouts the target's own; null uses the route's
     */
    public record Target(
            String upstream,
            @Nullable String rewriteModel,
            @Nullable Timeouts timeouts) implements Settings<Target, Target.Builder> {
        public Target {
            Checks.notBlank("upstream", upstream);
            if (rewriteModel != null) {
                Checks.notBlank("rewriteModel", rewriteModel);
            }
        }

        /** A target that gets the model unchanged, with the route's timeouts. */
        public static Target of(String upstream) {
            return new Target(upstream, null, null);
        }

        /** The components by name; the values of a new one are the defaults. */
        public static final class Builder {
            public String upstream = "";
            public @Nullable String rewriteModel;
            public @Nullable Timeouts timeouts;
        }
    }

    /** The components by name; the values of a new one are the defaults. */
    public static final class Builder {
        public String name = "";
        public Match match = Match.ALL;
        public List<Target> targets = List.of();
        public @Nullable Dialect dialect;
        public Timeouts timeouts = Timeouts.DEFAULT;
        public Heartbeat heartbeat = Heartbeat.DEFAULT;
        public Retry retry = Retry.DEFAULT;
        public @Nullable Hedge hedge;
        public Disconnect disconnect = Disconnect.CANCEL;
        public boolean includeUsage;
        public Balance balance = Balance.P2C;
        public TranslationMode translation = TranslationMode.LENIENT;
    }
}
