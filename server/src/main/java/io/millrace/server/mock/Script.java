package io.millrace.server.mock;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The frames of one response body in their order, made one at a time. A dialect adds its parts, faults are inserted,
 * and then {@link #next} is called until it returns null.
 */
final class Script {
    /** The kinds of frames for the fault counters. Only output counts. */
    enum Kind {
        STRUCTURE,
        OUTPUT,
        TERMINAL
    }

    /** Appends frame {@code index} of its part, including the blank line. */
    @FunctionalInterface
    interface FrameWriter {
        void write(int index, ByteBuf out);
    }

    private record Part(Kind kind, int count, FrameWriter writer) {}

    private final List<Part> parts = new ArrayList<>();
    private int part;
    private int index;
    private int outputs;

    private int insertAfter = MockSpec.NEVER;
    private FrameWriter inserted = (index, out) -> {};
    private int frames;
    private boolean endsAfterInsert;

    /** Adds one frame. */
    Script add(Kind kind, String frame) {
        byte[] bytes = Frames.utf8(frame);
        return add(kind, 1, (index, out) -> out.writeBytes(bytes));
    }

    /** Adds {@code count} frames. Each is written when its turn comes. */
    Script add(Kind kind, int count, FrameWriter writer) {
        if (count > 0) {
            parts.add(new Part(kind, count, writer));
        }
        return this;
    }

    /** Adds {@code count} output frames. Each has {@code text} between the same beginning and end. */
    Script outputs(int count, String before, FrameWriter text, String after) {
        byte[] beginning = Frames.utf8(before);
        byte[] end = Frames.utf8(after);
        return add(Kind.OUTPUT, count, (index, out) -> {
            out.writeBytes(beginning);
            text.write(index, out);
            out.writeBytes(end);
        });
    }

    /** Removes the terminals. */
    void dropTerminals() {
        parts.removeIf(part -> part.kind == Kind.TERMINAL);
    }

    /**
     * Inserts a frame after that many output frames; 0 inserts it before the first one. Its writer gets the number of
     * frames before it.
     */
    void insertAfter(int outputFrames, FrameWriter frame, boolean thenEnd) {
        insertAfter = outputFrames;
        inserted = frame;
        endsAfterInsert = thenEnd;
    }

    /** Removes all frames. */
    void clear() {
        parts.clear();
    }

    /** Replaces all frames by one. */
    void replaceBy(String frame) {
        clear();
        add(Kind.STRUCTURE, frame);
    }

    /** The kind of the next frame, or null at the end. */
    @Nullable
    Kind nextKind() {
        if (reached(insertAfter)) {
            return Kind.STRUCTURE;
        }
        return part < parts.size() ? parts.get(part).kind : null;
    }

    /** Whether that many output frames were made. For 0: whether everything before the first output frame was made. */
    boolean reached(int outputFrames) {
        return outputs >= outputFrames
                && (outputFrames > 0 || part >= parts.size() || parts.get(part).kind != Kind.STRUCTURE);
    }

    /** Appends the next frame. Returns its kind, or null at the end. */
    @Nullable
    Kind next(ByteBuf out) {
        if (reached(insertAfter)) {
            return insert(out);
        }
        if (part >= parts.size()) {
            return null;
        }
        var current = parts.get(part);
        current.writer.write(index, out);
        frames++;
        if (++index == current.count) {
            index = 0;
            part++;
        }
        if (current.kind == Kind.OUTPUT) {
            outputs++;
        }
        return current.kind;
    }

    private Kind insert(ByteBuf out) {
        insertAfter = MockSpec.NEVER;
        inserted.write(frames, out);
        if (endsAfterInsert) {
            part = parts.size();
        }
        return Kind.STRUCTURE;
    }
}
