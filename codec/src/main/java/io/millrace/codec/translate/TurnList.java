package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.List;

/** Collects the turns of a conversation. Parts of the same side that follow each other are one turn. */
final class TurnList {
    private final List<Turn> turns;
    private final List<Part> parts = new ArrayList<>();
    private Turn.Role role = Turn.Role.USER;

    /** @param turns complete turns, to which no part is added */
    TurnList(List<Turn> turns) {
        this.turns = new ArrayList<>(turns);
    }

    boolean isEmpty() {
        return turns.isEmpty() && parts.isEmpty();
    }

    void add(Turn.Role next, List<Part> more) {
        if (more.isEmpty()) {
            return;
        }
        if (!parts.isEmpty() && role != next) {
            turns.add(new Turn(role, parts));
            parts.clear();
        }
        role = next;
        parts.addAll(more);
    }

    List<Turn> list() {
        List<Turn> all = new ArrayList<>(turns);
        if (!parts.isEmpty()) {
            all.add(new Turn(role, parts));
        }
        return all;
    }
}
