package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gives an answer to a sink by the grammar of {@link DeltaSink}, even if its reader does not follow this grammar. A
 * reader may report several calls at once, and anything else between their pieces. An answer of more than
 * {@value #MAX_CHARS} characters fails, because some dialects repeat the answer at its end, so it must be kept.
 */
final class AnswerGrammar implements DeltaSink {
    static final int MAX_CHARS = 16 * 1024 * 1024;

    private final List<Call> calls = new ArrayList<>();

    private final DeltaSink out;
    private final @Nullable BlockQueue queue;
    private long chars;

    /** The code points of the text so far. */
    private int told;

    private boolean started;
    private boolean over;
    private boolean reasoning;
    private boolean refusing;
    private @Nullable StopReason stopReason;
    private @Nullable String stopSequence;
    private TokenCounts usage = TokenCounts.NONE;
    private @Nullable ModelError failure;

    /** A call that has begun. */
    private static final class Call {
        private boolean argued;
        private boolean ended;
    }

    AnswerGrammar(DeltaSink sink) {
        queue = sink.interleaves() ? null : new BlockQueue(sink);
        out = queue == null ? sink : queue;
    }

    /** Whether {@code end} or {@code error} was called. */
    boolean isOver() {
        return over;
    }

    /** The error, null if there was none. */
    @Nullable
    ModelError failure() {
        return failure;
    }

    TokenCounts usage() {
        return usage;
    }

    /** How many characters wait for their turn. */
    long heldChars() {
        return (queue == null ? 0 : queue.heldChars()) + (long) BlockQueue.BLOCK_CHARS / 4 * calls.size();
    }

    @Override
    public void start(@Nullable String id, @Nullable String model, long createdSeconds) {
        if (!started && !over) {
            started = true;
            out.start(id, model, createdSeconds);
        }
    }

    @Override
    public void text(String text) {
        if (!text.isEmpty() && fits(text.length()) && open(false)) {
            refusing = false;
            told += CodePoints.count(text);
            out.text(text);
        }
    }

    @Override
    public void refusal(String text) {
        int more = text.length() + (refusing ? 0 : BlockQueue.BLOCK_CHARS);
        if (!text.isEmpty() && fits(more) && open(false)) {
            refusing = true;
            out.refusal(text);
        }
    }

    @Override
    public void reasoning(String text) {
        int more = text.length() + (reasoning ? 0 : BlockQueue.BLOCK_CHARS);
        if (!text.isEmpty() && fits(more) && open(true)) {
            reasoning = true;
            out.reasoning(text);
        }
    }

    @Override
    public void reasoningEnd(@Nullable Seal seal) {
        int more = seal == null ? 0 : BlockQueue.BLOCK_CHARS + seal.value().length();
        if ((reasoning || seal != null) && fits(more) && open(true)) {
            reasoning = false;
            out.reasoningEnd(seal);
        }
    }

    @Override
    public void media(Part.Media media) {
        if (fits(BlockQueue.BLOCK_CHARS + media.chars()) && open(false)) {
            out.media(media);
        }
    }

    @Override
    public void citation(Part.Citation citation) {
        if (fits(BlockQueue.BLOCK_CHARS + citation.chars()) && open(false)) {
            boolean known = citation.start() >= 0 && citation.start() <= citation.end();
            int end = known ? Math.min(citation.end(), told) : told;
            int start = known ? Math.min(citation.start(), end) : 0;
            out.citation(new Part.Citation(citation.url(), citation.title(), citation.quote(), start, end));
        }
    }

    @Override
    public void hosted(Part.HostedUse use) {
        if (fits(BlockQueue.BLOCK_CHARS * (1 + use.sources().size()) + use.chars()) && open(false)) {
            out.hosted(use);
        }
    }

    @Override
    public void toolCall(int index, String id, String name, @Nullable Seal seal) {
        int sealed = seal == null ? 0 : seal.value().length();
        if (fits(BlockQueue.BLOCK_CHARS + id.length() + name.length() + sealed) && open(false)) {
            if (index != calls.size()) {
                error(garbled("tool call " + index + " began out of its turn"));
                return;
            }
            calls.add(new Call());
            out.toolCall(index, id, name, seal);
        }
    }

    @Override
    public void arguments(int index, String json) {
        if (json.isEmpty() || over || !fits(json.length())) {
            return;
        }
        Call call = index < calls.size() ? calls.get(index) : null;
        if (call == null || call.ended || (queue != null && queue.isClosed(index))) {
            if (!json.isBlank()) {
                error(garbled("arguments of tool call " + index + " came when it was not open"));
            }
            return;
        }
        call.argued = true;
        out.arguments(index, json);
    }

    @Override
    public void argumentsWhole(int index) {
        if (!over) {
            out.argumentsWhole(index);
        }
    }

    @Override
    public void toolCallEnd(int index) {
        if (!over && index < calls.size() && !calls.get(index).ended) {
            closeCall(index, calls.get(index));
        }
    }

    @Override
    public void usage(TokenCounts counts) {
        if (!over && counts.isKnown()) {
            begin();
            usage = usage.and(counts);
            out.usage(counts);
        }
    }

    @Override
    public void stop(StopReason reason, @Nullable String sequence) {
        stopReason = reason;
        stopSequence = sequence;
    }

    @Override
    public void end() {
        if (open(false)) {
            for (int i = 0; i < calls.size(); i++) {
                toolCallEnd(i);
            }
            if (stopReason != null) {
                out.stop(meaning(stopReason), stopSequence);
            }
            over = true;
            out.end();
        }
    }

    @Override
    public void error(ModelError error) {
        if (!over) {
            over = true;
            failure = error;
            out.error(error);
        }
    }

    static ModelError garbled(String message) {
        return new ModelError(502, "upstream_error", "the upstream's answer cannot be read: " + message);
    }

    /**
     * The reason with which the answer ends. An answer with calls stops for its tools, whatever the upstream reports,
     * unless it was cut. An answer without calls does not stop for tools.
     */
    private StopReason meaning(StopReason reason) {
        return switch (reason) {
            case END, STOP_SEQUENCE, OTHER -> calls.isEmpty() ? reason : StopReason.TOOL_CALLS;
            case TOOL_CALLS -> calls.isEmpty() ? StopReason.END : reason;
            case LENGTH, CONTEXT_FULL, CONTENT_FILTER, REFUSAL, PAUSE, STOPPED -> reason;
        };
    }

    private boolean fits(int more) {
        chars += more;
        if (chars > MAX_CHARS) {
            error(garbled("it has more than " + MAX_CHARS + " characters"));
        }
        return !over;
    }

    private void begin() {
        if (!started) {
            start(null, null, -1);
        }
    }

    /** Begins the answer, and closes open reasoning unless {@code inReasoning}. Returns false if the answer is over. */
    private boolean open(boolean inReasoning) {
        if (over) {
            return false;
        }
        begin();
        if (reasoning && !inReasoning) {
            reasoning = false;
            out.reasoningEnd(null);
        }
        return true;
    }

    /** Closes a call. A call without arguments gets an empty object, unless the answer was cut. */
    private void closeCall(int index, Call call) {
        call.ended = true;
        if (!call.argued && !isCut()) {
            out.arguments(index, "{}");
        }
        out.toolCallEnd(index);
    }

    private boolean isCut() {
        return stopReason == StopReason.LENGTH
                || stopReason == StopReason.CONTEXT_FULL
                || stopReason == StopReason.CONTENT_FILTER
                || stopReason == StopReason.STOPPED;
    }
}
