package io.millrace.codec.translate;

import io.millrace.codec.translate.CallAssembler.Fragment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** Finds the call of a fragment, by the fragment's id, name and index, and by the calls that are open. */
final class CallFinder {
    private static final Comparator<AssembledCall> LAST_FIRST =
            Comparator.<AssembledCall>comparingInt(call -> call.place).reversed();

    private final ToolNames tools;
    private final List<AssembledCall> calls = new ArrayList<>();
    private final Map<Integer, AssembledCall> byIndex = new HashMap<>();
    private final Map<String, AssembledCall> byId = new HashMap<>();

    /** The calls that may be open, the last one first. A call that is no longer open is removed when it is found. */
    private final Queue<AssembledCall> opened = new PriorityQueue<>(LAST_FIRST);

    /** The calls whose arguments have begun and that may be open, by their names. */
    private final Map<String, Queue<AssembledCall>> openedByName = new HashMap<>();

    /** The index of the last fragment, and its call. Most fragments belong to the same call as the one before. */
    private int lastIndex;

    private @Nullable AssembledCall last;

    CallFinder(ToolNames tools) {
        this.tools = tools;
    }

    /** The calls in the order in which they began. */
    List<AssembledCall> calls() {
        return calls;
    }

    /** The number of calls, or of indices of calls if there are more indices. */
    int size() {
        return Math.max(calls.size(), byIndex.size());
    }

    /** The call of the last fragment if it had this index, else null. */
    @Nullable
    AssembledCall last(int index) {
        return index == lastIndex ? last : null;
    }

    /** Begins a call that the server does not identify by an index. */
    AssembledCall begin() {
        AssembledCall call = new AssembledCall(calls.size(), 0, lastOpen());
        calls.add(call);
        return call;
    }

    /** The call of a fragment, which may begin with it; null if the fragment is empty. */
    @Nullable
    AssembledCall find(Fragment fragment, String arguments) {
        AssembledCall there = at(fragment.index());
        AssembledCall same = fragment.id().isEmpty() ? null : byId.get(fragment.id());
        if (same != null) {
            return ofId(same, there, fragment, arguments);
        }
        if (!fragment.name().isEmpty()) {
            return ofName(there, fragment, arguments);
        }
        return ofIndex(there, fragment, arguments);
    }

    /** Finds a call by a known id. Some servers give all calls the same id. */
    private @Nullable AssembledCall ofId(
            AssembledCall known, @Nullable AssembledCall there, Fragment fragment, String arguments) {
        AssembledCall call = there != null && there.key.equals(fragment.id()) ? there : known;
        boolean named = !fragment.name().isEmpty();
        boolean sameName = call.name.equals(fragment.name());
        if (named && fragment.indexed() && there == null && call.upstreamIndex != fragment.index()) {
            return sameName && continues(call, arguments) ? call : add(fragment);
        }
        if (named && call.scan.isWhole() && call.scan.isText(arguments) && sameName && !call.unsettled) {
            return null;
        }
        return named && isNext(call, fragment, arguments, false) ? add(fragment) : call;
    }

    /** Finds a call by a name without an id, or with a new id. */
    private AssembledCall ofName(@Nullable AssembledCall there, Fragment fragment, String arguments) {
        AssembledCall open = fragment.indexed() || !fragment.id().isEmpty() ? null : openOf(fragment.name());
        if (open != null && !arguments.isBlank() && !ObjectScan.begins(arguments)) {
            return open;
        }
        if (there == null) {
            return add(fragment);
        }
        boolean sameName = there.name.isEmpty() || there.name.equals(fragment.name());
        if (!fragment.id().isEmpty() && !there.key.isEmpty()) {
            return sameName && continues(there, arguments) ? there : add(fragment);
        }
        if (isNext(there, fragment, arguments, true)) {
            return add(fragment);
        }
        identify(there, fragment.id());
        return there;
    }

    /** Finds the call of a fragment without a name and without a known id. */
    private @Nullable AssembledCall ofIndex(@Nullable AssembledCall there, Fragment fragment, String arguments) {
        boolean begins = ObjectScan.begins(arguments);
        if (there != null && !there.scan.isWhole()) {
            if (there.key.isEmpty()) {
                identify(there, fragment.id());
            }
            return there;
        }
        AssembledCall open = lastOpen();
        if (there != null && (!begins || there.unsettled) && (fragment.indexed() || open == null)) {
            return there;
        }
        if (arguments.isBlank() && (fragment.id().isEmpty() || there != null)) {
            return null;
        }
        if (open != null && !fragment.indexed()) {
            return open;
        }
        if (open != null && continues(open, arguments)) {
            put(fragment.index(), open);
            return open;
        }
        return add(fragment);
    }

    /** Whether the text can be the next piece of the call's arguments. */
    private static boolean continues(AssembledCall call, String arguments) {
        return call.scan.isOpen() && !arguments.isBlank() && !ObjectScan.begins(arguments);
    }

    /** Whether a fragment with a name belongs to another call than this one. */
    private boolean isNext(AssembledCall call, Fragment fragment, String arguments, boolean nameless) {
        String name = fragment.name();
        if (call.name.isEmpty() || (!call.isTold() && call.isEmpty() && tools.isJoinable(call.name, name))) {
            return false;
        }
        if (call.name.equals(name)) {
            boolean replaces = call.unsettled && !nameless;
            return call.scan.isWhole() && !replaces && (arguments.isBlank() ? nameless : ObjectScan.begins(arguments));
        }
        return nameless || call.scan.isWhole() || tools.mayBe(name);
    }

    private AssembledCall add(Fragment fragment) {
        AssembledCall call = new AssembledCall(calls.size(), fragment.index(), lastOpen());
        AssembledCall there = put(fragment.index(), call);
        // The last fragment of a call may repeat its name. Without arguments it need not be another call.
        call.doubtful =
                there != null && fragment.id().isEmpty() && there.scan.isWhole() && there.name.equals(fragment.name());
        calls.add(call);
        call.id = fragment.id();
        identify(call, fragment.id());
        return call;
    }

    /** From now on fragments identify the call by this id, unless it is empty. */
    private void identify(AssembledCall call, String id) {
        if (!id.isEmpty()) {
            call.key = id;
            byId.put(id, call);
        }
    }

    /** The current call with this index, null if there is none. */
    private @Nullable AssembledCall at(int index) {
        if (last == null || index != lastIndex) {
            last = byIndex.get(index);
            lastIndex = index;
        }
        return last;
    }

    /** Gives an index to a call. Returns the call that had it, null if there was none. */
    private @Nullable AssembledCall put(int index, AssembledCall call) {
        last = call;
        lastIndex = index;
        return byIndex.put(index, call);
    }

    /** The last call that has a name and incomplete arguments, null if there is none. */
    @Nullable
    AssembledCall lastOpen() {
        AssembledCall call = opened.peek();
        while (call != null && !call.isOpen()) {
            call.inOpened = false;
            opened.poll();
            call = opened.peek();
        }
        return call;
    }

    /** The last call of this name whose arguments have begun and are incomplete, null if there is none. */
    private @Nullable AssembledCall openOf(String name) {
        Queue<AssembledCall> named = openedByName.get(name);
        if (named == null) {
            return null;
        }
        AssembledCall call = named.peek();
        while (call != null && !(call.scan.isOpen() && call.name.equals(name))) {
            call.inOpenedByName = false;
            named.poll();
            call = named.peek();
        }
        return call;
    }

    /** Notes that the call may be open. */
    void noteOpen(AssembledCall call) {
        if (!call.inOpened && call.isOpen()) {
            call.inOpened = true;
            opened.add(call);
        }
    }

    /** Notes that the arguments of the call may be open. */
    void noteBegun(AssembledCall call) {
        if (!call.inOpenedByName && !call.name.isEmpty() && call.scan.isOpen()) {
            call.inOpenedByName = true;
            openedByName
                    .computeIfAbsent(call.name, name -> new PriorityQueue<>(LAST_FIRST))
                    .add(call);
        }
    }
}
