package io.millrace.server.relay;

import io.millrace.codec.dialect.Usage;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;

/** The tokens that an exchange has used, as far as they are known. The limits of its client are settled with them. */
record TokensUsed(long input, long output) {
    private static final TokensUsed NONE = new TokensUsed(0, 0);
    private static final int BYTES_PER_TOKEN = 4;

    /**
     * The tokens of an exchange that is over. A provider bills what it has read and written, even if the client has
     * closed or the stream has broken.
     *
     * @param estimatedInput used if the provider did not report the input
     */
    static TokensUsed of(Summary summary, long estimatedInput) {
        Summary.Stream stream = summary.stream();
        if (stream != null && stream.frames() > 0) {
            return of(stream, estimatedInput);
        }
        Outcome outcome = summary.response().outcome();
        Usage whole = summary.response().whole().usage();
        if (whole.outputTokens() >= 0) {
            return new TokensUsed(
                    whole.inputTokens() >= 0 ? whole.inputTokens() : estimatedInput, whole.outputTokens());
        }
        if (outcome == Outcome.COMPLETED) {
            return new TokensUsed(estimatedInput, summary.response().bytes() / BYTES_PER_TOKEN);
        }
        boolean asked = outcome == Outcome.CLIENT_GONE && summary.attempts().begun() > 0;
        return asked ? new TokensUsed(estimatedInput, 0) : NONE;
    }

    private static TokensUsed of(Summary.Stream stream, long estimatedInput) {
        Usage usage = stream.usage();
        if (stream.usageExact()) {
            return new TokensUsed(usage.inputTokens(), usage.outputTokens());
        }
        long input = usage.inputTokens() >= 0 ? usage.inputTokens() : estimatedInput;
        return new TokensUsed(input, Math.max(usage.outputTokens(), stream.outputFrames()));
    }
}
