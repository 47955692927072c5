package io.millrace.codec.translate;

import java.util.List;

/** A part of a conversation by one side. Results of tools belong to the user's side. */
public record Turn(Role role, List<Part> parts) {
    /** Copies the list. */
    public Turn {
        parts = List.copyOf(parts);
    }

    /** The side. */
    public enum Role {
        /** The client, including the tools that it ran. */
        USER,
        /** The model. */
        ASSISTANT
    }
}
