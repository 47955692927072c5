package io.millrace.codec.translate;

import org.jspecify.annotations.Nullable;

/**
 * Receives one answer, piece by piece. It is independent of dialects.
 *
 * <pre>
 * answer    = start *( text / refusal / thought / media / call / citation / hosted / usage ) ( [ stop ] end / error )
 * thought   = *reasoning reasoningEnd
 * call      = toolCall *( arguments / argumentsWhole ) toolCallEnd
 * </pre>
 *
 * <p>If a sink {@linkplain #interleaves interleaves}, anything may come between the pieces of a call, including other
 * calls. {@code usage} may come between any two calls before {@code stop}. A text is never an empty string.
 * {@code error} may come first. Readers need not follow this grammar, because a layer between them and the sink
 * enforces it. The layer opens and closes blocks that they leave open, holds {@code stop} back until {@code end}, and
 * drops what comes after {@code end} or {@code error}.
 */
public interface DeltaSink {
    /**
     * Whether this sink takes the pieces of several calls as they come. Otherwise other blocks wait for the end of a
     * call.
     */
    default boolean interleaves() {
        return false;
    }

    /** An upper estimate of the bytes of the answer that this keeps. The call is cheap. */
    default long heldBytes() {
        return 0;
    }

    /**
     * The answer begins.
     *
     * @param id the answer's id, may be null
     * @param model the model that answers, may be null
     * @param createdSeconds when it was made, in seconds since 1970; {@code -1} if not known
     */
    void start(@Nullable String id, @Nullable String model, long createdSeconds);

    /** More of the answer's text. */
    void text(String text);

    /** More of the text with which the model refuses. */
    void refusal(String text);

    /** More readable reasoning. */
    void reasoning(String text);

    /**
     * The reasoning so far is one block. Also called for reasoning that is not readable.
     *
     * @param seal the seal of the block, may be null
     */
    void reasoningEnd(@Nullable Seal seal);

    /** An image or other media of the answer, whole. */
    void media(Part.Media media);

    /** A source of earlier text. A sink whose dialect has no field for it leaves it out. */
    default void citation(Part.Citation citation) {}

    /** One whole use of a tool that the provider ran. A sink whose dialect has no field for it leaves it out. */
    default void hosted(Part.HostedUse use) {}

    /**
     * The model calls a tool.
     *
     * @param index the number of the call in the answer, from 0
     * @param id identifies the call and its result; never empty
     * @param seal the seal of the call, may be null
     */
    void toolCall(int index, String id, String name, @Nullable Seal seal);

    /** More of the JSON text of a call's arguments. */
    void arguments(int index, String json);

    /** The arguments so far are a whole JSON object. The call is still open: more white space may follow. */
    default void argumentsWhole(int index) {}

    /** The call is complete. */
    void toolCallEnd(int index);

    /** Counts, running or final. Each count replaces the same count reported before. */
    void usage(TokenCounts counts);

    /**
     * The reason for the end of the answer, as the upstream reports it.
     *
     * @param sequence the stop sequence that the model wrote, null if none or not known
     */
    void stop(StopReason reason, @Nullable String sequence);

    /** The answer is over. Without an earlier {@code stop}, the reason is not known. */
    void end();

    /** The answer failed. */
    void error(ModelError error);
}
