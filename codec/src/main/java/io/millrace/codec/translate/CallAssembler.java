package io.millrace.codec.translate;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Builds tool calls from the fragments that servers send. Fragments may be interleaved, have no index or id, have a
 * shifted index, or have a different id each. The name may come late or in pieces. A call is reported once its name is
 * known. Arguments that belong to no call are kept until the end. There they go to the call that has none, or are an
 * error.
 */
final class CallAssembler {
    private static final int MAX_CALLS = 4096;
    private static final int CALL_CHARS = 256;

    private final ToolNames tools;
    private final CallFinder finder;

    /** The reported ids, and the number of calls with each id. */
    private final Map<String, Integer> copies = new HashMap<>();

    private int told;
    private long heldChars;

    /** The call whose arguments are an empty object so far, which may be replaced. */
    private @Nullable AssembledCall unsettled;

    /**
     * A part of a call that a server sends at once.
     *
     * @param index the call's index, or the position in the server's list
     * @param indexed whether the server sent the index
     * @param id the server's id of the call, empty if there is none
     * @param name empty if this fragment has no name
     * @param arguments the next piece of the arguments
     * @param seal the seal of the call, may be null
     */
    record Fragment(
            int index,
            boolean indexed,
            String id,
            String name,
            String arguments,
            @Nullable Seal seal) {}

    /** @param tools the names of the offered tools; empty if they are not known */
    CallAssembler(Set<String> tools) {
        this.tools = new ToolNames(tools);
        this.finder = new CallFinder(this.tools);
    }

    /** How many characters are kept. */
    long heldChars() {
        return heldChars + (long) CALL_CHARS * finder.calls().size();
    }

    /** Whether there are calls, and each reported one is whole. */
    boolean isWhole() {
        return told > 0
                && finder.calls().stream().allMatch(call -> !call.isTold() || call.isEmpty() || call.scan.isWhole());
    }

    /**
     * Reads a fragment without an id and a name, if it is the next piece of the last fragment's call. Most fragments
     * are.
     *
     * @return false if it may be something else; then nothing was read
     */
    boolean goesOn(int index, String arguments, DeltaSink out) {
        AssembledCall call = finder.last(index);
        if (call == null || !call.isTold() || unsettled != null) {
            return false;
        }
        if (call.isEmpty() || call.scan.isWhole()) {
            return false;
        }
        call.scan.add(arguments);
        send(call, arguments, out);
        return true;
    }

    /** Reads a fragment. */
    void fragment(Fragment fragment, DeltaSink out) {
        String arguments = nullToEmpty(fragment.arguments());
        AssembledCall call = finder.find(fragment, arguments);
        if (call == null) {
            return;
        }
        if (finder.size() > MAX_CALLS) {
            out.error(AnswerGrammar.garbled("it has more than " + MAX_CALLS + " tool calls"));
            return;
        }
        if (call.id.isEmpty()) {
            call.id = fragment.id();
        }
        if (!call.isTold() && !fragment.name().isEmpty()) {
            call.name = tools.joined(call.name, fragment.name());
            finder.noteOpen(call);
        }
        call.seal = fragment.seal() == null ? call.seal : fragment.seal();
        arguments(call, arguments, out);
    }

    /**
     * Begins a call that the server does not identify by an index.
     *
     * @param id empty if there is none
     */
    AssembledCall begin(String id, String name, @Nullable Seal seal, DeltaSink out) {
        AssembledCall call = finder.begin();
        call.seal = seal;
        name(call, id, name, out);
        return call;
    }

    /** Names a call that began without a name. */
    void name(AssembledCall call, String id, String name, DeltaSink out) {
        if (!call.isTold()) {
            settle(false, out);
            call.id = id;
            call.name = name;
            finder.noteOpen(call);
            if (!name.isEmpty()) {
                tell(call, out);
            }
        }
    }

    /** Adds the next piece of a call's arguments. */
    void arguments(AssembledCall call, String text, DeltaSink out) {
        String json = call.isEmpty() ? nullToEmpty(text) : text;
        if (unsettled != null && (unsettled != call || !json.isBlank())) {
            settle(unsettled == call && ObjectScan.begins(json), out);
        }
        boolean more = !json.isBlank() || !call.isEmpty();
        if (!call.isTold() && !call.name.isEmpty() && (more || (tools.isComplete(call.name) && !call.doubtful))) {
            tell(call, out);
        }
        boolean emptyObject = call.isTold() && call.isEmpty() && json.strip().equals("{}");
        call.scan.add(json);
        finder.noteBegun(call);
        if (emptyObject) {
            unsettled = call;
            call.unsettled = true;
        } else if (call.isTold()) {
            send(call, json, out);
        } else {
            keep(call, json, out);
        }
    }

    /** Adds a whole call. */
    void whole(String id, String name, String json, @Nullable Seal seal, DeltaSink out) {
        AssembledCall call = begin(id, name, seal, out);
        arguments(call, json, out);
        end(call, out);
    }

    /** Ends a call that the server has marked as complete. */
    void end(AssembledCall call, DeltaSink out) {
        settle(false, out);
        if (call.isTold()) {
            out.toolCallEnd(call.index);
        }
    }

    /** Called before anything that is not a fragment. */
    void settle(DeltaSink out) {
        settle(false, out);
    }

    /** Called at the end of the answer. Reports the kept arguments; those that belong to no call are an error. */
    void finish(DeltaSink out) {
        settle(false, out);
        for (AssembledCall call : finder.calls()) {
            if (!call.isTold() && !call.name.isEmpty() && !call.doubtful) {
                tell(call, out);
            }
        }
        for (AssembledCall call : finder.calls()) {
            if (!call.isTold() && !call.isEmpty()) {
                AssembledCall owner = ownerOf(call);
                if (owner == null) {
                    out.error(AnswerGrammar.garbled("it has arguments that belong to no tool call"));
                    return;
                }
                owner.scan.add(call.waiting.toString());
                send(owner, call.waiting.toString(), out);
            }
        }
    }

    /** The call that lacks these arguments, null if there is none. */
    private @Nullable AssembledCall ownerOf(AssembledCall orphan) {
        AssembledCall before = orphan.before;
        if (before != null && before.isTold() && !before.scan.isWhole()) {
            return before;
        }
        AssembledCall open = finder.lastOpen();
        return open != null && open.isTold() && open.isEmpty() ? open : null;
    }

    /** Some servers send {@code null} for a call without arguments. */
    private static String nullToEmpty(String json) {
        return json.length() < 16 && json.strip().equals("null") ? "" : json;
    }

    private void tell(AssembledCall call, DeltaSink out) {
        call.index = told++;
        call.doubtful = false;
        finder.noteOpen(call);
        String id = call.id.isEmpty() ? CallIds.fresh() : call.id;
        while (copies.containsKey(id)) {
            int copy = copies.merge(call.id, 1, Integer::sum);
            id = call.id + "_" + copy;
        }
        copies.put(id, 1);
        out.toolCall(call.index, id, call.name, call.seal);
        if (!call.waiting.isEmpty()) {
            send(call, call.waiting.toString(), out);
            heldChars -= call.waiting.length();
            call.waiting.setLength(0);
        }
    }

    private static void send(AssembledCall call, String json, DeltaSink out) {
        out.arguments(call.index, json);
        if (call.scan.isWhole()) {
            out.argumentsWhole(call.index);
        }
    }

    private void keep(AssembledCall call, String json, DeltaSink out) {
        call.waiting.append(json);
        heldChars += json.length();
        if (heldChars > AnswerGrammar.MAX_CHARS) {
            out.error(AnswerGrammar.garbled("it has arguments that belong to no tool call"));
        }
    }

    /** Reports the empty object that was held back, or discards it if other arguments replace it. */
    private void settle(boolean replaced, DeltaSink out) {
        AssembledCall call = unsettled;
        if (call == null) {
            return;
        }
        unsettled = null;
        call.unsettled = false;
        if (replaced) {
            call.scan = new ObjectScan();
            finder.noteOpen(call);
        } else {
            send(call, "{}", out);
        }
    }
}
