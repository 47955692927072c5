package io.millrace.server.telemetry;

import io.millrace.codec.dialect.Usage;
import io.millrace.server.config.Listener.Protocol;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The counts of one event loop: written by that loop alone, read by any thread. A write is a plain add and an ordered
 * store, without a locked instruction.
 */
public final class LoopCounters {
    /** Further models are counted together, because clients choose the names. */
    private static final int MAX_MODELS = 100;

    /** Further clients are counted together. */
    private static final int MAX_CLIENTS = 1_000;

    /** Further reasons of refusals are counted together. */
    private static final int MAX_REASONS = 50;

    private static final String OTHER = "other";

    // Metrics reads these.
    final Map<String, AtomicLong> exchangesByOutcome = new ConcurrentHashMap<>();
    /** By the code of the refusal. */
    final Map<String, AtomicLong> refusalsByReason = new ConcurrentHashMap<>();

    final Map<String, AtomicLong> streamsByOutcome = new ConcurrentHashMap<>();
    final Map<String, AtomicLong> streamsByUsage = new ConcurrentHashMap<>();
    final Map<String, AtomicLong> connectionsByProtocol = new ConcurrentHashMap<>();
    final Map<String, AtomicLong> goAwaysByReason = new ConcurrentHashMap<>();
    final Map<String, Tokens> tokensByModel = new ConcurrentHashMap<>();
    /** The counts of clients by name. */
    final Map<String, ClientCounts> byClient = new ConcurrentHashMap<>();

    final AtomicLong frames = new AtomicLong();
    final AtomicLong bytes = new AtomicLong();
    final AtomicLong connections = new AtomicLong();
    final AtomicLong exchanges = new AtomicLong();
    final AtomicLong retries = new AtomicLong();
    final AtomicLong fallbacks = new AtomicLong();
    final AtomicLong hedges = new AtomicLong();
    final AtomicLong failures = new AtomicLong();

    /** Input and output tokens. */
    static final class Tokens {
        final AtomicLong input = new AtomicLong();
        final AtomicLong output = new AtomicLong();
    }

    /** The counts of one client. */
    static final class ClientCounts {
        final Map<String, AtomicLong> requests = new ConcurrentHashMap<>();
        final Tokens tokens = new Tokens();
    }

    /** A client of this {@code protocol} connected ({@code +1}) or disconnected ({@code -1}). */
    public void connections(Protocol protocol, int change) {
        add(connections, change);
        add(cell(connectionsByProtocol, protocol.label()), change);
    }

    /** A client's HTTP/2 connection got a GOAWAY, for {@code reason}. */
    public void wentAway(String reason) {
        add(cell(goAwaysByReason, reason), 1);
    }

    /** A request arrived. */
    public void began() {
        add(exchanges, 1);
    }

    /** A request that the relay answered by itself ended. */
    public void endedLocally(String outcome) {
        add(exchanges, -1);
        add(cell(exchangesByOutcome, outcome), 1);
    }

    /** The relay failed to make an answer of its own. */
    public void failed() {
        add(failures, 1);
    }

    /** An exchange ended. */
    public void ended(Summary summary) {
        String outcome = summary.response().outcome().label();
        add(retries, summary.attempts().retries());
        add(fallbacks, summary.attempts().fallbacks());
        add(hedges, summary.attempts().hedged() ? 1 : 0);
        endedLocally(outcome);
        add(bytes, summary.response().bytes());
        countRefusal(summary.response());
        countClient(summary);
        Summary.Stream stream = summary.stream();
        if (stream != null) {
            add(cell(streamsByOutcome, outcome), 1);
            add(cell(streamsByUsage, stream.usageExact() ? "exact" : "partial"), 1);
            add(frames, stream.frames());
        }
        Usage usage = summary.usage();
        if (usage.inputTokens() >= 0 || usage.outputTokens() >= 0) {
            String model = summary.request().model();
            Tokens tokens = tokens(model == null ? "unknown" : model);
            add(tokens.input, Math.max(usage.inputTokens(), 0));
            add(tokens.output, Math.max(usage.outputTokens(), 0));
        }
    }

    /** The relay refused a request or a connection; {@code reason} is a code of its own. */
    public void refused(String reason) {
        boolean known = refusalsByReason.containsKey(reason) || refusalsByReason.size() < MAX_REASONS;
        add(cell(refusalsByReason, known ? reason : OTHER), 1);
    }

    private void countRefusal(Summary.Response response) {
        boolean refused = response.outcome() == Outcome.REFUSED || response.outcome() == Outcome.OVERLOADED;
        if (refused && response.error() != null) {
            refused(response.error());
        }
    }

    private Tokens tokens(String model) {
        Tokens known = tokensByModel.get(model);
        if (known != null) {
            return known;
        }
        String name = tokensByModel.size() < MAX_MODELS ? model : OTHER;
        return tokensByModel.computeIfAbsent(name, key -> new Tokens());
    }

    private void countClient(Summary summary) {
        String name = summary.request().caller();
        if (name == null) {
            return;
        }
        ClientCounts counts = byClient.get(name);
        if (counts == null) {
            String counted = byClient.size() < MAX_CLIENTS ? name : OTHER;
            counts = byClient.computeIfAbsent(counted, key -> new ClientCounts());
        }
        add(cell(counts.requests, result(summary.response())), 1);
        add(counts.tokens.input, Math.max(summary.usage().inputTokens(), 0));
        add(counts.tokens.output, Math.max(summary.usage().outputTokens(), 0));
    }

    private static String result(Summary.Response response) {
        return switch (response.outcome()) {
            case COMPLETED, STOPPED, CLIENT_GONE, UNREAD, RESUMED, LOCAL -> "served";
            case REFUSED -> response.status() == 429 ? "limited" : "refused";
            default -> "failed";
        };
    }

    private static AtomicLong cell(Map<String, AtomicLong> cells, String key) {
        return cells.computeIfAbsent(key, name -> new AtomicLong());
    }

    private static void add(AtomicLong cell, long change) {
        cell.lazySet(cell.getPlain() + change);
    }
}
