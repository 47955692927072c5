package io.millrace.server.telemetry;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.Usage;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** The counts of the answers of one event loop: written by that loop alone, read by any thread. */
final class AnswerCounters {
    /** Further models are counted together, because clients choose the names. */
    private static final int MAX_MODELS = 100;

    static final String OTHER = "other";
    static final String UNKNOWN = "unknown";

    final Map<Kind, AtomicLong> streams = new ConcurrentHashMap<>();
    final Map<String, AtomicLong> streamsByUsage = new ConcurrentHashMap<>();
    /** By the first digit of the status. */
    final Map<String, AtomicLong> byStatus = new ConcurrentHashMap<>();

    final Map<LoopHistograms.Served, Tokens> tokens = new ConcurrentHashMap<>();
    final AtomicLong frames = new AtomicLong();
    final AtomicLong bytes = new AtomicLong();
    final AtomicLong droppedFields = new AtomicLong();
    private final Map<String, String> models = new ConcurrentHashMap<>();

    /** What distinguishes a stream. It is looked up at each stream's end, by strings that know their hash. */
    record Kind(String outcome, String upstream, String dialect, String route, String model) {
        @Override
        public int hashCode() {
            return 31 * (31 * (31 * outcome.hashCode() + upstream.hashCode()) + route.hashCode()) + model.hashCode();
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Kind kind
                    && outcome.equals(kind.outcome)
                    && upstream.equals(kind.upstream)
                    && dialect.equals(kind.dialect)
                    && route.equals(kind.route)
                    && model.equals(kind.model);
        }
    }

    /** Tokens by what they are. */
    static final class Tokens {
        final AtomicLong input = new AtomicLong();
        final AtomicLong output = new AtomicLong();
        final AtomicLong cached = new AtomicLong();
        final AtomicLong cacheWritten = new AtomicLong();
        final AtomicLong reasoning = new AtomicLong();
        /** Those of caches that are not part of {@link #input}. */
        final AtomicLong besideInput = new AtomicLong();

        void add(Usage usage) {
            add(input, usage.inputTokens());
            add(output, usage.outputTokens());
            add(cached, usage.cachedTokens());
            add(cacheWritten, usage.cacheWriteTokens());
            add(reasoning, usage.reasoningTokens());
        }

        private static void add(AtomicLong cell, long tokens) {
            if (tokens > 0) {
                LoopCounters.add(cell, tokens);
            }
        }
    }

    /**
     * The model of an exchange, as metrics name it. A name becomes known when an upstream has served it. What upstreams
     * refuse, and what clients do not wait for, may be any word of a client.
     */
    String model(Summary summary) {
        String model = summary.model();
        if (model == null) {
            return UNKNOWN;
        }
        String known = models.get(model);
        if (known != null) {
            return known;
        }
        boolean served = summary.attempts().begun() > 0 && summary.response().status() / 100 == 2;
        if (!served || models.size() >= MAX_MODELS) {
            return OTHER;
        }
        models.put(model, model);
        return model;
    }

    /** An exchange ended; {@code model} is one of few. */
    void ended(Summary summary, String model) {
        Summary.Response response = summary.response();
        LoopCounters.add(bytes, response.bytes());
        LoopCounters.add(LoopCounters.cell(byStatus, statusClass(response.status())), 1);
        LoopCounters.add(droppedFields, count(summary.attempts().last().dropped()));
        Summary.Stream stream = summary.stream();
        if (stream != null) {
            var kind = new Kind(
                    response.outcome().label(),
                    LoopHistograms.upstream(summary),
                    summary.request().dialect(),
                    summary.attempts().route() == null
                            ? LoopHistograms.NONE
                            : summary.attempts().route(),
                    model);
            LoopCounters.add(streams.computeIfAbsent(kind, key -> new AtomicLong()), 1);
            LoopCounters.add(LoopCounters.cell(streamsByUsage, stream.usageExact() ? "exact" : "partial"), 1);
            LoopCounters.add(frames, stream.frames());
        }
        Usage usage = summary.usage();
        if (usage.inputTokens() >= 0 || usage.outputTokens() >= 0) {
            var served = new LoopHistograms.Served(LoopHistograms.upstream(summary), model);
            Tokens its = tokens.computeIfAbsent(served, key -> new Tokens());
            its.add(usage);
            if (countsCachesApart(summary)) {
                Tokens.add(its.besideInput, usage.cachedTokens());
                Tokens.add(its.besideInput, usage.cacheWriteTokens());
            }
        }
    }

    /** Messages counts tokens of a cache beside its input, the other dialects in it. */
    private static boolean countsCachesApart(Summary summary) {
        Dialect other = summary.attempts().last().translatedTo();
        return other == null ? summary.request().dialect().equals(Dialect.MESSAGES.label()) : other == Dialect.MESSAGES;
    }

    /** {@code 2xx} and the like; {@code none} if the client left before there was a status. */
    private static String statusClass(int status) {
        return switch (status / 100) {
            case 1 -> "1xx";
            case 2 -> "2xx";
            case 3 -> "3xx";
            case 4 -> "4xx";
            case 5 -> "5xx";
            default -> LoopHistograms.NONE;
        };
    }

    /** The number of names in a list with commas. */
    private static long count(@Nullable String names) {
        return names == null ? 0 : names.chars().filter(c -> c == ',').count() + 1;
    }
}
