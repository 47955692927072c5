package io.millrace.server.balance;

/**
 * One attempt at an origin, from {@link OriginState#onStart} to exactly one of {@link #onSuccess}, {@link #onFailure} and
 * {@link #onIgnored}. Later calls have no effect. Confined to its event loop.
 */
public final class OriginAttempt {
    private final OriginState origin;
    private final long startNs;
    private final boolean probe;
    private boolean output;
    private boolean ended;

    OriginAttempt(OriginState origin, long startNs, boolean probe) {
        this.origin = origin;
        this.startNs = startNs;
        this.probe = probe;
    }

    /** The first output came. An answer that is not a stream has none. */
    public void onFirstOutput(long nowNs) {
        if (!output && !ended) {
            origin.onFirstOutput(this, nowNs);
            output = true;
        }
    }

    /** It ended as it should, or with an error that is the client's fault. */
    public void onSuccess(long nowNs) {
        if (end()) {
            origin.onSuccess(this, nowNs);
        }
    }

    /**
     * It failed, before or after its first output.
     *
     * @param deadlineNs the time limit of the attempt for its first output. It is added to the moving time to first token,
     *     because an origin that fails fast is not a fast one
     */
    public void onFailure(long nowNs, long deadlineNs) {
        if (end()) {
            origin.onFailure(this, nowNs, deadlineNs);
        }
    }

    /** It ended for a reason that is not the origin's: the client left, or another attempt was faster. */
    public void onIgnored() {
        if (end()) {
            origin.onIgnored(this);
        }
    }

    long startNs() {
        return startNs;
    }

    /** Whether its result decides if an ejected origin serves again. */
    boolean isProbe() {
        return probe;
    }

    boolean hadOutput() {
        return output;
    }

    private boolean end() {
        boolean first = !ended;
        ended = true;
        return first;
    }
}
