package io.millrace.codec.translate;

/**
 * Receives one answer, piece by piece, in no dialect.
 *
 * <pre>
 * answer    = start *( text / refusal / thought / media / call / citation / hosted / usage ) ( [ stop ] end / error )
 * thought   = *reasoning reasoningEnd
 * call      = toolCall *( arguments / argumentsWhole ) toolCallEnd
 * </pre>
 *
 * <p>Of a sink that {@linkplain #interleaves interleaves}, anything may stand between the pieces of a call, those of other
 * calls, too. {@code usage} may stand between any two calls before {@code stop}. Strings are never empty where a text is meant.
 * {@code error} may come first. Readers may be laxer than this grammar; what lies between them and a sink makes good for
 * it: it opens and closes what they leave open, holds {@code stop} back until {@code end}, and lets nothing through
 * behind {@code end} or {@code error}.
 */
public interface DeltaSink {
    /** Whether this sink takes the pieces of calls as they come; else what belongs to another block waits for it. */
    default boolean interleaves() {
        return false;
    }

    /** How many bytes of what was told this keeps, estimated from above. It costs nothing to ask. */
    default long heldBytes() {
        return 0;
    }

    /**
     * The answer begins.
     *
     * @param id the answer's id, may be null
     * @param model the model that answers, may be null
     * @param createdSeconds when it was made, in seconds since 1970; {@code -1} if not told
     */
    void start(String id, String model, long createdSeconds);

    /** More of the answer's text. */
    void text(String text);

    /** More of the text with which the model refuses. */
    void refusal(String text);

    /** More readable reasoning. */
    void reasoning(String text);

    /**
     * The reasoning so far is one whole; also for reasoning that cannot be read.
     *
     * @param seal what belongs to it, may be null
     */
    void reasoningEnd(Seal seal);

    /** An image or other media of the answer, whole. */
    void media(Part.Media media);

    /** A source of text that was told before. A sink whose dialect has no place for it leaves it out. */
    default void citation(Part.Citation citation) {}

    /** What a tool of the provider's did, whole. A sink whose dialect has no place for it leaves it out. */
    default void hosted(Part.HostedUse use) {}

    /**
     * The model calls a tool.
     *
     * @param index counts the answer's calls from 0
     * @param id joins the call and its result; never empty
     * @param seal what belongs to the call, may be null
     */
    void toolCall(int index, String id, String name, Seal seal);

    /** More of the JSON text of a call's arguments. */
    void arguments(int index, String json);

    /** The arguments so far are a whole JSON object. The call is still open: more white space may follow. */
    default void argumentsWhole(int index) {}

    /** The call is complete. */
    void toolCallEnd(int index);

    /** Counts, running or final; each replaces what it tells again. */
    void usage(TokenCounts counts);

    /**
     * Why the answer ended, as the upstream says.
     *
     * @param sequence the stop sequence that came up, null if none or not told
     */
    void stop(StopReason reason, String sequence);

    /** The upstream has said its last. Without a {@code stop} before it nobody said why. */
    void end();

    /** The answer failed. */
    void error(ModelError error);
}
