package io.millrace.codec.translate;

import java.util.HashSet;
import java.util.Set;

/**
 * Gives a sink an answer by the grammar of {@link DeltaSink}, whatever its reader reports. An answer of more than
 * {@value #MAX_CHARS} characters fails: some clients are told it once more at its end, so that it must be kept.
 */
final class AnswerGrammar implements DeltaSink {
    static final int MAX_CHARS = 16 * 1024 * 1024;

    private static final int NO_CALL = -1;

    private final DeltaSink out;
    private final Set<Integer> calls = new HashSet<>();
    private long chars;
    private boolean started;
    private boolean over;
    private boolean reasoning;
    private int openCall = NO_CALL;
    private boolean argued;
    private StopReason stopReason;
    private String stopSequence;
    private TokenCounts usage = TokenCounts.NONE;
    private ModelError failure;

    AnswerGrammar(DeltaSink out) {
        this.out = out;
    }

    /** Whether {@code end} or {@code error} came. */
    boolean isOver() {
        return over;
    }

    /** The error that came, null if none. */
    ModelError failure() {
        return failure;
    }

    long chars() {
        return chars;
    }

    TokenCounts usage() {
        return usage;
    }

    @Override
    public void start(String id, String model, long createdSeconds) {
        if (!started && !over) {
            started = true;
            out.start(id, model, createdSeconds);
        }
    }

    @Override
    public void text(String text) {
        if (!text.isEmpty() && fits(text) && open(false)) {
            out.text(text);
        }
    }

    @Override
    public void refusal(String text) {
        if (!text.isEmpty() && fits(text) && open(false)) {
            out.refusal(text);
        }
    }

    @Override
    public void reasoning(String text) {
        if (!text.isEmpty() && fits(text) && open(true)) {
            reasoning = true;
            out.reasoning(text);
        }
    }

    @Override
    public void reasoningEnd(Seal seal) {
        if ((reasoning || seal != null) && open(true)) {
            reasoning = false;
            out.reasoningEnd(seal);
        }
    }

    @Override
    public void toolCall(int index, String id, String name, Seal seal) {
        if (open(false)) {
            if (!calls.add(index)) {
                error(garbled("tool call " + index + " began twice"));
                return;
            }
            openCall = index;
            argued = false;
            out.toolCall(index, id, name, seal);
        }
    }

    @Override
    public void arguments(int index, String json) {
        if (json.isEmpty() || over || !fits(json)) {
            return;
        }
        if (openCall != index) {
            error(garbled("arguments of tool call " + index + " came when it was not open"));
            return;
        }
        argued = true;
        out.arguments(index, json);
    }

    @Override
    public void toolCallEnd(int index) {
        if (!over && openCall == index) {
            closeCall();
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
    public void stop(StopReason reason, String sequence) {
        stopReason = reason;
        stopSequence = sequence;
    }

    @Override
    public void end() {
        if (open(false)) {
            if (stopReason != null) {
                boolean called = stopReason == StopReason.END && !calls.isEmpty();
                out.stop(called ? StopReason.TOOL_CALLS : stopReason, stopSequence);
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

    private boolean fits(String more) {
        chars += more.length();
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

    /** Begins the answer and closes what is open, but reasoning if {@code inReasoning}; false if the answer is over. */
    private boolean open(boolean inReasoning) {
        if (over) {
            return false;
        }
        begin();
        if (openCall != NO_CALL) {
            closeCall();
        }
        if (reasoning && !inReasoning) {
            reasoning = false;
            out.reasoningEnd(null);
        }
        return true;
    }

    /** A call without arguments has an empty object of them, unless the limit of tokens cut it. */
    private void closeCall() {
        if (!argued && stopReason != StopReason.LENGTH) {
            out.arguments(openCall, "{}");
        }
        int call = openCall;
        openCall = NO_CALL;
        out.toolCallEnd(call);
    }
}
