package io.millrace.codec.translate;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Passes an answer whose calls interleave to a writer whose blocks must not interleave. The open block is written as it
 * comes. Other blocks wait, in their order, until the open call is over. A call is over when it has ended, or when its
 * arguments are a whole object and another block waits.
 */
final class BlockQueue implements DeltaSink {
    /** The memory of a block without its text, in characters. */
    static final int BLOCK_CHARS = 128;

    private static final int NO_CALL = -1;

    private final DeltaSink out;
    private final Deque<Block> waiting = new ArrayDeque<>();
    private final Map<Integer, Block> waitingCalls = new HashMap<>();
    private int open = NO_CALL;

    /** Whether the arguments of the open call are a whole object. */
    private boolean whole;

    private long heldChars;

    private enum Kind {
        TEXT,
        REFUSAL,
        THOUGHT,
        CALL,
        OTHER
    }

    /** A block that waits. */
    private static final class Block {
        private final Kind kind;
        private final StringBuilder text = new StringBuilder();
        private int index;
        private String id = "";
        private String name = "";
        private @Nullable Seal seal;
        private Consumer<DeltaSink> other = sink -> {};
        private int otherChars;
        private boolean whole;
        private boolean ended;

        Block(Kind kind) {
            this.kind = kind;
        }
    }

    BlockQueue(DeltaSink out) {
        this.out = out;
    }

    /** How many characters wait. */
    long heldChars() {
        return heldChars;
    }

    /** Whether the call has begun and takes no further arguments. */
    boolean isClosed(int index) {
        return index != open && !waitingCalls.containsKey(index);
    }

    @Override
    public void start(@Nullable String id, @Nullable String model, long createdSeconds) {
        out.start(id, model, createdSeconds);
    }

    @Override
    public void text(String text) {
        if (isFree()) {
            out.text(text);
        } else {
            append(last(Kind.TEXT), text);
        }
    }

    @Override
    public void refusal(String text) {
        if (isFree()) {
            out.refusal(text);
        } else {
            append(last(Kind.REFUSAL), text);
        }
    }

    @Override
    public void reasoning(String text) {
        if (isFree()) {
            out.reasoning(text);
        } else {
            append(last(Kind.THOUGHT), text);
        }
    }

    @Override
    public void reasoningEnd(@Nullable Seal seal) {
        if (isFree()) {
            out.reasoningEnd(seal);
        } else {
            Block thought = last(Kind.THOUGHT);
            thought.seal = seal;
            thought.ended = true;
            heldChars += seal == null ? 0 : seal.value().length();
        }
    }

    @Override
    public void media(Part.Media media) {
        if (isFree()) {
            out.media(media);
        } else {
            addOther(media.chars(), sink -> sink.media(media));
        }
    }

    @Override
    public void citation(Part.Citation citation) {
        if (isFree()) {
            out.citation(citation);
        } else {
            addOther(citation.chars(), sink -> sink.citation(citation));
        }
    }

    @Override
    public void hosted(Part.HostedUse use) {
        if (isFree()) {
            out.hosted(use);
        } else {
            addOther(use.chars(), sink -> sink.hosted(use));
        }
    }

    @Override
    public void toolCall(int index, String id, String name, @Nullable Seal seal) {
        if (isFree()) {
            begin(index, id, name, seal);
            return;
        }
        Block call = add(Kind.CALL);
        call.index = index;
        call.id = id;
        call.name = name;
        call.seal = seal;
        waitingCalls.put(index, call);
    }

    @Override
    public void arguments(int index, String json) {
        if (index == open) {
            out.arguments(index, json);
            return;
        }
        Block call = waitingCalls.get(index);
        if (call != null) {
            append(call, json);
        }
    }

    @Override
    public void argumentsWhole(int index) {
        if (index != open) {
            Block call = waitingCalls.get(index);
            if (call != null) {
                call.whole = true;
            }
            return;
        }
        whole = true;
        if (!waiting.isEmpty()) {
            close();
            writeWaiting();
        }
    }

    @Override
    public void toolCallEnd(int index) {
        if (index == open) {
            close();
            writeWaiting();
            return;
        }
        Block call = waitingCalls.get(index);
        if (call != null) {
            call.ended = true;
        }
    }

    @Override
    public void usage(TokenCounts counts) {
        out.usage(counts);
    }

    @Override
    public void stop(StopReason reason, @Nullable String sequence) {
        out.stop(reason, sequence);
    }

    /** All calls have ended. */
    @Override
    public void end() {
        out.end();
    }

    @Override
    public void error(ModelError error) {
        waiting.clear();
        waitingCalls.clear();
        heldChars = 0;
        out.error(error);
    }

    /** Whether the next block can be written. Closes a call whose arguments are whole. */
    private boolean isFree() {
        if (open != NO_CALL && whole) {
            close();
        }
        return open == NO_CALL;
    }

    private void begin(int index, String id, String name, @Nullable Seal seal) {
        open = index;
        whole = false;
        out.toolCall(index, id, name, seal);
    }

    private void close() {
        int call = open;
        open = NO_CALL;
        out.toolCallEnd(call);
    }

    private Block last(Kind kind) {
        Block last = waiting.peekLast();
        return last != null && last.kind == kind && !last.ended ? last : add(kind);
    }

    private Block add(Kind kind) {
        Block block = new Block(kind);
        waiting.add(block);
        heldChars += BLOCK_CHARS;
        return block;
    }

    /** Adds a part that is complete. */
    private void addOther(int chars, Consumer<DeltaSink> part) {
        Block block = add(Kind.OTHER);
        block.other = part;
        block.otherChars = chars;
        heldChars += chars;
    }

    private void append(Block block, String text) {
        block.text.append(text);
        heldChars += text.length();
    }

    /** Writes the waiting blocks, up to the next call that is not over. */
    private void writeWaiting() {
        while (open == NO_CALL && !waiting.isEmpty()) {
            Block block = waiting.poll();
            heldChars -= BLOCK_CHARS + block.text.length();
            write(block, block.text.toString());
            if (open != NO_CALL && (block.ended || (whole && !waiting.isEmpty()))) {
                close();
            }
        }
    }

    private void write(Block block, String text) {
        switch (block.kind) {
            case TEXT -> out.text(text);
            case REFUSAL -> out.refusal(text);
            case THOUGHT -> {
                if (!text.isEmpty()) {
                    out.reasoning(text);
                }
                if (block.ended) {
                    heldChars -= block.seal == null ? 0 : block.seal.value().length();
                    out.reasoningEnd(block.seal);
                }
            }
            case OTHER -> {
                heldChars -= block.otherChars;
                block.other.accept(out);
            }
            case CALL -> {
                waitingCalls.remove(block.index);
                begin(block.index, block.id, block.name, block.seal);
                whole = block.whole;
                if (!text.isEmpty()) {
                    out.arguments(block.index, text);
                }
            }
        }
    }
}
