package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects an answer, for the writers of whole answers. */
abstract class Answer implements AnswerWriter {
    private final List<Part> parts = new ArrayList<>();
    private final List<Part.Citation> citations = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private final StringBuilder refusal = new StringBuilder();
    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder arguments = new StringBuilder();
    private long keptChars;
    private @Nullable String id;
    private @Nullable String model;
    private long created = -1;
    private String callId = "";
    private String callName = "";
    private @Nullable Seal callSeal;
    private TokenCounts usage = TokenCounts.NONE;
    private @Nullable StopReason stopReason;
    private @Nullable String stopSequence;

    /** The answer's id, {@code null} if the upstream gave none. */
    final @Nullable String id() {
        return id;
    }

    /** The model that answered, {@code null} if the upstream did not name it. */
    final @Nullable String model() {
        return model;
    }

    /** When the answer was made, in seconds since 1970. If the upstream did not say it, this is the current time. */
    final long created() {
        return created < 0 ? System.currentTimeMillis() / 1000 : created;
    }

    /** Reasoning, text and calls in their order. Neighbouring text is joined. */
    final List<Part> parts() {
        closeText();
        return parts;
    }

    /** The sources of the text. */
    final List<Part.Citation> citations() {
        return citations;
    }

    /** The text of all parts. */
    final String allText() {
        StringBuilder all = new StringBuilder();
        for (Part part : parts()) {
            all.append(part instanceof Part.Text said ? said.text() : "");
            all.append(part instanceof Part.Media media && !media.isImage() ? media.markdown() : "");
        }
        return all.toString();
    }

    /** The refusal; empty if the model did not refuse. */
    final String refusal() {
        return refusal.toString();
    }

    final TokenCounts usage() {
        return usage;
    }

    /** Why the answer ended, {@code null} if the upstream did not say it. */
    final @Nullable StopReason stopReason() {
        return stopReason;
    }

    final @Nullable String stopSequence() {
        return stopSequence;
    }

    @Override
    public final long heldBytes() {
        return Character.BYTES * keptChars;
    }

    @Override
    public final void start(@Nullable String answerId, @Nullable String answeringModel, long createdSeconds) {
        id = answerId;
        model = answeringModel;
        created = createdSeconds;
    }

    @Override
    public final void text(String more) {
        keptChars += more.length();
        text.append(more);
    }

    @Override
    public final void refusal(String more) {
        keptChars += more.length();
        refusal.append(more);
    }

    @Override
    public final void reasoning(String more) {
        closeText();
        keptChars += more.length();
        reasoning.append(more);
    }

    @Override
    public final void reasoningEnd(@Nullable Seal seal) {
        closeText();
        keptChars += BlockQueue.BLOCK_CHARS + (seal == null ? 0 : seal.value().length());
        parts.add(new Part.Reasoning(reasoning.toString(), seal));
        reasoning.setLength(0);
    }

    @Override
    public final void media(Part.Media media) {
        closeText();
        keptChars += BlockQueue.BLOCK_CHARS + media.chars();
        parts.add(media);
    }

    @Override
    public final void citation(Part.Citation citation) {
        keptChars += BlockQueue.BLOCK_CHARS + citation.chars();
        citations.add(citation);
    }

    @Override
    public final void hosted(Part.HostedUse use) {
        closeText();
        keptChars += BlockQueue.BLOCK_CHARS * (1L + use.sources().size()) + use.chars();
        parts.add(use);
    }

    @Override
    public final void toolCall(int index, String newId, String name, @Nullable Seal seal) {
        closeText();
        keptChars += BlockQueue.BLOCK_CHARS + newId.length() + name.length();
        keptChars += seal == null ? 0 : seal.value().length();
        callId = newId;
        callName = name;
        callSeal = seal;
        arguments.setLength(0);
    }

    @Override
    public final void arguments(int index, String json) {
        keptChars += json.length();
        arguments.append(json);
    }

    @Override
    public final void toolCallEnd(int index) {
        parts.add(new Part.ToolCall(callId, callName, arguments.toString(), callSeal));
    }

    @Override
    public final void usage(TokenCounts counts) {
        usage = usage.and(counts);
    }

    @Override
    public final void stop(StopReason reason, @Nullable String sequence) {
        stopReason = reason;
        stopSequence = sequence;
    }

    @Override
    public final void end() {}

    @Override
    public final void error(ModelError error) {}

    private void closeText() {
        if (text.length() > 0) {
            parts.add(new Part.Text(text.toString()));
            text.setLength(0);
        }
    }
}
