package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;

/**
 * Builds tool calls from the fragments that servers send. These may be interleaved, have no index or id, have a shifted index or
 * an id for each fragment, or come with a late name or one in pieces. A call is told once its name is known. Arguments that
 * belong to no call are kept until the end. There they go to the call that has none, or are an error.
 */
final class CallAssembler {
    private static final int MAX_CALLS = 4096;
    private static final int CALL_CHARS = 256;
    private static final Comparator<Call> LAST_FIRST =
            Comparator.<Call>comparingInt(call -> call.place).reversed();

    /** Sorted, so that those which begin with a piece of a name stand together. */
    private final NavigableSet<String> tools;

    private final List<Call> calls = new ArrayList<>();
    private final Map<Integer, Call> byIndex = new HashMap<>();
    private final Map<String, Call> byId = new HashMap<>();

    /** The calls that may be open, the last first. A call that is found to be over is removed then. */
    private final Queue<Call> opened = new PriorityQueue<>(LAST_FIRST);

    /** The same for those whose arguments have begun, by their names. */
    private final Map<String, Queue<Call>> openedByName = new HashMap<>();

    /** The index of the last fragment, and its call: most fragments belong to the same call as the one before. */
    private int lastIndex;

    private Call last;

    /** The ids that were told, and how many calls had each. */
    private final Map<String, Integer> copies = new HashMap<>();

    private int told;
    private long heldChars;

    /** The call whose arguments are an empty object so far, which may yet be replaced. */
    private Call unsettled;

    /**
     * What a server says of a call at once.
     *
     * @param index its own, or the place in its list
     * @param indexed whether it gave the index
     * @param id as it identifies the call, empty if it does not
     * @param name empty if it is not told here
     * @param arguments the next piece of them
     * @param seal what belongs to the call, may be null
     */
    record Fragment(int index, boolean indexed, String id, String name, String arguments, Seal seal) {}

    /** A call. */
    static final class Call {
        private final StringBuilder waiting = new StringBuilder();
        private final int place;
        private ObjectScan scan = new ObjectScan();
        private int index = -1;
        private int upstreamIndex;
        private String key = "";
        private String id = "";
        private String name = "";
        private Seal seal;
        private Call before;
        private boolean doubtful;
        private boolean inOpened;
        private boolean inOpenedByName;

        /** @param place counts the calls in the order in which they began */
        Call(int place) {
            this.place = place;
        }

        /** Whether it has a name, and its arguments are not whole. */
        private boolean isOpen() {
            return !name.isEmpty() && !doubtful && !scan.isWhole();
        }

        /** Whether nothing of its arguments came. */
        boolean isEmpty() {
            return scan.isEmpty();
        }
    }

    /** @param tools the names that the request offers; may be empty, if nobody knows */
    CallAssembler(Set<String> tools) {
        this.tools = new TreeSet<>(tools);
    }

    /** The characters that are kept. */
    long heldChars() {
        return heldChars + (long) CALL_CHARS * calls.size();
    }

    /** Whether there are calls, and each that was told is whole. */
    boolean isWhole() {
        return told > 0 && calls.stream().allMatch(call -> call.index < 0 || call.isEmpty() || call.scan.isWhole());
    }

    /**
     * Reads a fragment without an id and a name, if it is the next piece of the call that the last fragment belonged to, as
     * most are.
     *
     * @return false if it may be anything else: nothing was read
     */
    boolean goesOn(int index, String arguments, DeltaSink out) {
        Call call = last;
        if (call == null || index != lastIndex || call.index < 0 || unsettled != null) {
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
        Call call = find(fragment, arguments);
        if (call == null) {
            return;
        }
        if (calls.size() > MAX_CALLS || byIndex.size() > MAX_CALLS) {
            out.error(AnswerGrammar.garbled("it has more than " + MAX_CALLS + " tool calls"));
            return;
        }
        if (call.id.isEmpty()) {
            call.id = fragment.id();
        }
        if (call.index < 0 && !fragment.name().isEmpty()) {
            call.name = joined(call.name, fragment.name());
            noteOpen(call);
        }
        call.seal = fragment.seal() == null ? call.seal : fragment.seal();
        arguments(call, arguments, out);
    }

    /**
     * A call begins whose fragments the server identifies by other means.
     *
     * @param id empty if it has none
     */
    Call begin(String id, String name, Seal seal, DeltaSink out) {
        Call call = new Call(calls.size());
        call.before = lastOpen();
        calls.add(call);
        call.seal = seal;
        name(call, id, name, out);
        return call;
    }

    /** Names a call that began without a name. */
    void name(Call call, String id, String name, DeltaSink out) {
        if (call.index < 0) {
            settle(false, out);
            call.id = id;
            call.name = name;
            noteOpen(call);
            if (!name.isEmpty()) {
                tell(call, out);
            }
        }
    }

    /** The next piece of a call's arguments. */
    void arguments(Call call, String text, DeltaSink out) {
        String json = call.isEmpty() ? nullToEmpty(text) : text;
        if (unsettled != null && (unsettled != call || !json.isBlank())) {
            settle(unsettled == call && ObjectScan.begins(json), out);
        }
        boolean more = !json.isBlank() || !call.isEmpty();
        if (call.index < 0 && !call.name.isEmpty() && (more || (isName(call.name) && !call.doubtful))) {
            tell(call, out);
        }
        if (call.index >= 0 && call.isEmpty() && json.strip().equals("{}")) {
            call.scan.add(json);
            noteBegun(call);
            unsettled = call;
            return;
        }
        call.scan.add(json);
        noteBegun(call);
        if (call.index >= 0) {
            send(call, json, out);
        } else {
            keep(call, json, out);
        }
    }

    /** A whole call. */
    void whole(String id, String name, String json, Seal seal, DeltaSink out) {
        Call call = begin(id, name, seal, out);
        arguments(call, json, out);
        end(call, out);
    }

    /** The server says that the call is over. */
    void end(Call call, DeltaSink out) {
        settle(false, out);
        if (call.index >= 0) {
            out.toolCallEnd(call.index);
        }
    }

    /** Something else than a fragment came. */
    void settle(DeltaSink out) {
        settle(false, out);
    }

    /** The answer is over: tells what was kept, an error if it belongs to no call. */
    void finish(DeltaSink out) {
        settle(false, out);
        for (Call call : calls) {
            if (call.index < 0 && !call.name.isEmpty() && !call.doubtful) {
                tell(call, out);
            }
        }
        for (Call call : calls) {
            if (call.index < 0 && !call.isEmpty()) {
                Call owner = ownerOf(call);
                if (owner == null) {
                    out.error(AnswerGrammar.garbled("it has arguments that belong to no tool call"));
                    return;
                }
                owner.scan.add(call.waiting.toString());
                send(owner, call.waiting.toString(), out);
            }
        }
    }

    /** The call that a fragment belongs to, which may begin with it; null if it says nothing. */
    private Call find(Fragment fragment, String arguments) {
        Call there = at(fragment.index());
        Call same = fragment.id().isEmpty() ? null : byId.get(fragment.id());
        if (same != null) {
            return ofId(same, there, fragment, arguments);
        }
        if (!fragment.name().isEmpty()) {
            return ofName(there, fragment, arguments);
        }
        return ofIndex(there, fragment, arguments);
    }

    /** The id is known. Some servers give all calls the same. */
    private Call ofId(Call known, Call there, Fragment fragment, String arguments) {
        boolean shared = there != null && there != known && there.key.equals(fragment.id());
        Call call = shared ? there : known;
        boolean named = !fragment.name().isEmpty();
        boolean sameName = call.name.equals(fragment.name());
        if (named && fragment.indexed() && there == null && call.upstreamIndex != fragment.index()) {
            boolean goesOn = sameName && call.scan.isOpen() && !arguments.isBlank() && !ObjectScan.begins(arguments);
            return goesOn ? call : add(fragment);
        }
        if (named && call.scan.isWhole() && call.scan.isText(arguments) && sameName && call != unsettled) {
            return null;
        }
        return named && isNext(call, fragment, arguments, false) ? add(fragment) : call;
    }

    /** A name without an id, or with one that is new. */
    private Call ofName(Call there, Fragment fragment, String arguments) {
        Call open = fragment.indexed() || !fragment.id().isEmpty() ? null : openOf(fragment.name());
        if (open != null && !arguments.isBlank() && !ObjectScan.begins(arguments)) {
            return open;
        }
        if (there == null) {
            return add(fragment);
        }
        boolean sameName = there.name.isEmpty() || there.name.equals(fragment.name());
        if (!fragment.id().isEmpty() && !there.key.isEmpty()) {
            boolean goesOn = sameName && there.scan.isOpen() && !arguments.isBlank() && !ObjectScan.begins(arguments);
            return goesOn ? there : add(fragment);
        }
        if (isNext(there, fragment, arguments, true)) {
            return add(fragment);
        }
        if (!fragment.id().isEmpty()) {
            there.key = fragment.id();
            byId.put(fragment.id(), there);
        }
        return there;
    }

    /** No name, and no id that is known. */
    private Call ofIndex(Call there, Fragment fragment, String arguments) {
        boolean begins = ObjectScan.begins(arguments);
        if (there != null && !there.scan.isWhole()) {
            if (!fragment.id().isEmpty() && there.key.isEmpty()) {
                there.key = fragment.id();
                byId.put(fragment.id(), there);
            }
            return there;
        }
        Call open = lastOpen();
        if (there != null && (!begins || there == unsettled) && (fragment.indexed() || open == null)) {
            return there;
        }
        if (arguments.isBlank() && (fragment.id().isEmpty() || there != null)) {
            return null;
        }
        if (open != null && !fragment.indexed()) {
            return open;
        }
        if (open != null && open.scan.isOpen() && !begins && !arguments.isBlank()) {
            put(fragment.index(), open);
            return open;
        }
        return add(fragment);
    }

    /** Whether a fragment with a name is that of another call than this. */
    private boolean isNext(Call call, Fragment fragment, String arguments, boolean nameless) {
        String name = fragment.name();
        if (call.name.isEmpty() || (call.index < 0 && call.isEmpty() && isJoinable(call.name, name))) {
            return false;
        }
        if (call.name.equals(name)) {
            boolean replaces = call == unsettled && !nameless;
            return call.scan.isWhole() && !replaces && (arguments.isBlank() ? nameless : ObjectScan.begins(arguments));
        }
        return nameless || call.scan.isWhole() || tools.isEmpty() || tools.contains(name);
    }

    private Call add(Fragment fragment) {
        Call call = new Call(calls.size());
        call.key = fragment.id();
        call.id = fragment.id();
        call.upstreamIndex = fragment.index();
        call.before = lastOpen();
        Call there = put(fragment.index(), call);
        // The last fragment of a call may repeat its name: without arguments this need not be another call.
        call.doubtful =
                there != null && fragment.id().isEmpty() && there.scan.isWhole() && there.name.equals(fragment.name());
        calls.add(call);
        if (!call.key.isEmpty()) {
            byId.put(call.key, call);
        }
        return call;
    }

    /** The call that has this index now, null if none. */
    private Call at(int index) {
        if (last == null || index != lastIndex) {
            last = byIndex.get(index);
            lastIndex = index;
        }
        return last;
    }

    /** Gives an index to a call and returns the one that had it, null if none. */
    private Call put(int index, Call call) {
        last = call;
        lastIndex = index;
        return byIndex.put(index, call);
    }

    /** The last call that has a name and whose arguments are not whole. */
    private Call lastOpen() {
        while (!opened.isEmpty() && !opened.peek().isOpen()) {
            opened.poll().inOpened = false;
        }
        return opened.peek();
    }

    /** The last call of this name whose arguments have begun and are not whole. */
    private Call openOf(String name) {
        Queue<Call> named = openedByName.get(name);
        while (named != null
                && !named.isEmpty()
                && !(named.peek().scan.isOpen() && named.peek().name.equals(name))) {
            named.poll().inOpenedByName = false;
        }
        return named == null ? null : named.peek();
    }

    /** The call may be open from now on. */
    private void noteOpen(Call call) {
        if (!call.inOpened && call.isOpen()) {
            call.inOpened = true;
            opened.add(call);
        }
    }

    /** The arguments of the call may be open from now on. */
    private void noteBegun(Call call) {
        if (!call.inOpenedByName && !call.name.isEmpty() && call.scan.isOpen()) {
            call.inOpenedByName = true;
            openedByName
                    .computeIfAbsent(call.name, name -> new PriorityQueue<>(LAST_FIRST))
                    .add(call);
        }
    }

    /** The call that lacks these arguments. */
    private Call ownerOf(Call orphan) {
        Call before = orphan.before;
        if (before != null && before.index >= 0 && !before.scan.isWhole()) {
            return before;
        }
        Call open = lastOpen();
        return open != null && open.index >= 0 && open.isEmpty() ? open : null;
    }

    /** Some servers send {@code null} for a call without arguments. */
    private static String nullToEmpty(String json) {
        return json.length() < 16 && json.strip().equals("null") ? "" : json;
    }

    private String joined(String name, String more) {
        boolean again = name.isEmpty() || more.startsWith(name);
        return again || !isJoinable(name, more) ? more : name + more;
    }

    /** Whether a name goes on with this piece. */
    private boolean isJoinable(String name, String more) {
        return more.startsWith(name) || begins(tools.ceiling(name + more), name + more);
    }

    /** Whether the name is complete: it is not the beginning of another tool's name. */
    private boolean isName(String name) {
        return !begins(tools.higher(name), name);
    }

    private static boolean begins(String tool, String name) {
        return tool != null && tool.startsWith(name);
    }

    private void tell(Call call, DeltaSink out) {
        call.index = told++;
        call.doubtful = false;
        noteOpen(call);
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

    private static void send(Call call, String json, DeltaSink out) {
        out.arguments(call.index, json);
        if (call.scan.isWhole()) {
            out.argumentsWhole(call.index);
        }
    }

    private void keep(Call call, String json, DeltaSink out) {
        call.waiting.append(json);
        heldChars += json.length();
        if (heldChars > AnswerGrammar.MAX_CHARS) {
            out.error(AnswerGrammar.garbled("it has arguments that belong to no tool call"));
        }
    }

    /** Tells the empty object that was kept back, or forgets it if another takes its place. */
    private void settle(boolean replaced, DeltaSink out) {
        if (unsettled == null) {
            return;
        }
        if (replaced) {
            unsettled.scan = new ObjectScan();
            noteOpen(unsettled);
        } else {
            send(unsettled, "{}", out);
        }
        unsettled = null;
    }
}
