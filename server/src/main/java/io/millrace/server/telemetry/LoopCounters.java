package io.millrace.server.telemetry;

import io.millrace.server.config.Listener.Protocol;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The counts of one event loop: written by that loop alone, read by any thread. A write is a plain add and an ordered
 * store, without a locked instruction.
 */
public final class LoopCounters {
    /** Further clients are counted together. */
    private static final int MAX_CLIENTS = 1_000;

    /** Further reasons of refusals are counted together. */
    private static final int MAX_REASONS = 50;

    // Metrics reads these.
    final Map<String, AtomicLong> exchangesByOutcome = new ConcurrentHashMap<>();
    /** By the code of the refusal. */
    final Map<String, AtomicLong> refusalsByReason = new ConcurrentHashMap<>();

    final Map<String, AtomicLong> connectionsByProtocol = new ConcurrentHashMap<>();
    final Map<String, AtomicLong> goAwaysByReason = new ConcurrentHashMap<>();
    /** The counts of clients by name. */
    final Map<String, ClientCounts> byClient = new ConcurrentHashMap<>();

    final AnswerCounters answers = new AnswerCounters();
    private final LoopHistograms histograms;
    final AtomicLong connections = new AtomicLong();
    final AtomicLong exchanges = new AtomicLong();
    final AtomicLong retries = new AtomicLong();
    final AtomicLong fallbacks = new AtomicLong();
    final AtomicLong hedges = new AtomicLong();
    final AtomicLong failures = new AtomicLong();
    final AtomicLong heartbeats = new AtomicLong();
    final AtomicLong streams = new AtomicLong();

    /** The counts of one client. */
    static final class ClientCounts {
        final Map<String, AtomicLong> requests = new ConcurrentHashMap<>();
        final AnswerCounters.Tokens tokens = new AnswerCounters.Tokens();
    }

    /** Counts with classic histograms alone. */
    public LoopCounters() {
        this(false);
    }

    /** @param natively whether there are also native histograms */
    public LoopCounters(boolean natively) {
        histograms = new LoopHistograms(natively);
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

    /** The histograms of this event loop. */
    public LoopHistograms histograms() {
        return histograms;
    }

    /** A client's event stream began ({@code +1}) or ended ({@code -1}). */
    public void streams(int change) {
        add(streams, change);
    }

    /** A heartbeat was written. */
    public void heartbeat() {
        add(heartbeats, 1);
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
        add(retries, summary.attempts().retries());
        add(fallbacks, summary.attempts().fallbacks());
        add(hedges, summary.attempts().hedged() ? 1 : 0);
        endedLocally(summary.response().outcome().label());
        countRefusal(summary.response());
        countClient(summary);
        String model = answers.model(summary);
        answers.ended(summary, model);
        histograms.ended(summary, model);
    }

    /** The relay refused a request or a connection; {@code reason} is a code of its own. */
    public void refused(String reason) {
        boolean known = refusalsByReason.containsKey(reason) || refusalsByReason.size() < MAX_REASONS;
        add(cell(refusalsByReason, known ? reason : AnswerCounters.OTHER), 1);
    }

    private void countRefusal(Summary.Response response) {
        boolean refused = response.outcome() == Outcome.REFUSED || response.outcome() == Outcome.OVERLOADED;
        if (refused && response.error() != null) {
            refused(response.error());
        }
    }

    private void countClient(Summary summary) {
        String name = summary.request().caller();
        if (name == null) {
            return;
        }
        ClientCounts counts = byClient.get(name);
        if (counts == null) {
            String counted = byClient.size() < MAX_CLIENTS ? name : AnswerCounters.OTHER;
            counts = byClient.computeIfAbsent(counted, key -> new ClientCounts());
        }
        add(cell(counts.requests, result(summary.response())), 1);
        counts.tokens.add(summary.usage());
    }

    private static String result(Summary.Response response) {
        return switch (response.outcome()) {
            case COMPLETED, STOPPED, CLIENT_GONE, UNREAD, RESUMED, LOCAL -> "served";
            case REFUSED -> response.status() == 429 ? "limited" : "refused";
            default -> "failed";
        };
    }

    static AtomicLong cell(Map<String, AtomicLong> cells, String key) {
        return cells.computeIfAbsent(key, name -> new AtomicLong());
    }

    static void add(AtomicLong cell, long change) {
        cell.lazySet(cell.getPlain() + change);
    }
}
