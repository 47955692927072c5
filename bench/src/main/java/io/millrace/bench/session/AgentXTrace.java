package io.millrace.bench.session;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.millrace.bench.session.Trace.Recorded;
import io.millrace.bench.stream.Session;
import io.millrace.bench.stream.Session.Turn;
import java.util.ArrayList;
import java.util.List;

/**
 * A session of AgentX: the object of a recorded coding agent, in the form of Weka's KV-Cache-Tester. Each request has
 * its time {@code t}, the length {@code in} of its whole prompt, and the length {@code out} of its answer.
 *
 * <p>What a prompt is longer than the prompt before it with its answer is the new message of a turn. A prompt that is
 * shorter begins anew: the agent has left out what was said. A subagent is a session of its own, at its own time.
 */
final class AgentXTrace {
    private static final int BLOCK = 64;
    private static final double NS_PER_S = 1e9;

    private final long seed;
    private final int block;
    private final List<Turn> turns = new ArrayList<>();
    private long startNs;
    private JsonNode before;

    private AgentXTrace(long seed, int block) {
        this.seed = seed;
        this.block = block;
        before = MissingNode.getInstance();
    }

    /** Reads a session and those of its subagents. */
    static void read(JsonNode trace, List<Recorded> all) {
        // Hashes count within their trace, unless it says that they are those of all traces.
        boolean global = trace.path("hash_id_scope").asText().equals("global");
        long seed = global ? 0 : trace.path("id").asText().hashCode();
        read(
                trace.get("requests"),
                0,
                seed,
                Math.max(1, trace.path("block_size").asInt(BLOCK)),
                all);
    }

    private static void read(JsonNode requests, double fromS, long seed, int block, List<Recorded> all) {
        var session = new AgentXTrace(seed, block);
        for (JsonNode request : requests) {
            if (request.path("type").asText().equals("subagent")) {
                subagent(request, fromS, seed, block, all);
            } else {
                session.add(request, fromS);
            }
        }
        if (!session.turns.isEmpty()) {
            all.add(new Recorded(session.startNs, new Session(session.turns, null)));
        }
    }

    /** Its requests have times of the whole trace, or count from its own beginning. */
    private static void subagent(JsonNode agent, double fromS, long seed, int block, List<Recorded> all) {
        JsonNode requests = agent.path("requests");
        double atS = agent.path("t").asDouble();
        boolean relative = requests.path(0).path("t").asDouble() < atS;
        read(requests, relative ? fromS + atS : fromS, seed, block, all);
    }

    private void add(JsonNode request, double fromS) {
        if (!request.path("t").isNumber() || !request.path("in").isNumber()) {
            throw new IllegalArgumentException("a request without t or in (expected: as AgentX records it)");
        }
        long words = Math.max(1, request.get("in").asLong());
        int answer = Math.max(0, request.path("out").asInt());
        double atS = request.get("t").asDouble();
        if (turns.isEmpty()) {
            startNs = Math.round((fromS + atS) * NS_PER_S);
            turns.add(first(request, 0, 0, false));
        } else {
            long known = before.get("in").asLong() + before.path("out").asLong();
            boolean thought = request.path("think_time").isNumber();
            long afterEndNs = thought ? Math.round(request.get("think_time").asDouble() * NS_PER_S) : 0;
            long sinceNs = thought ? 0 : Math.round((atS - before.get("t").asDouble()) * NS_PER_S);
            if (words > known) {
                var text = Blocks.text((int) (words - known), null, block, seed ^ turns.size());
                turns.add(new Turn(afterEndNs, sinceNs, isTool(request), false, text, null, answer));
            } else {
                turns.add(first(request, afterEndNs, sinceNs, true));
            }
        }
        before = request;
    }

    private Turn first(JsonNode request, long afterEndNs, long sinceNs, boolean fresh) {
        var text = Blocks.text((int) request.get("in").asLong(), request.get("hash_ids"), block, seed);
        return new Turn(
                afterEndNs,
                sinceNs,
                false,
                fresh,
                text,
                null,
                request.path("out").asInt());
    }

    /** By what the message is made of; if that was not recorded, by why the answer before has stopped. */
    private boolean isTool(JsonNode request) {
        JsonNode types = request.path("input_types");
        if (types.size() > 0) {
            for (JsonNode type : types) {
                if (type.asText().equals("tool_result")) {
                    return true;
                }
            }
            return false;
        }
        return before.path("stop").asText().equals("tool_use");
    }
}
