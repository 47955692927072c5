package io.millrace.bench.stream;

/**
 * What came of one stream. Times are {@link System#nanoTime()}, 0 for what did not happen.
 *
 * @param index its number in the run, from 0
 * @param measured whether it was due in the measured part of the run
 * @param behaviour what its client did
 * @param outcome how it ended
 * @param detail of the outcome, such as a status; empty if there is none
 * @param scheduledNs when it was due
 * @param begunNs when this client got to it
 * @param connectNs how long its connection took, TLS included; -1 if it had one
 * @param sentNs when its request was handed to the socket
 * @param headNs the read that completed the head
 * @param firstByteNs the read of the first byte of the body
 * @param firstFrameNs the read that completed the first frame
 * @param firstReasoningNs the first output that is reasoning
 * @param firstContentNs the first output that is not
 * @param firstOutputNs the first output of either kind
 * @param lastOutputNs the last output
 * @param endNs the frame that ended the answer, or what else ended the stream
 * @param longestGapNs between two outputs
 * @param stalls gaps over the stall threshold
 * @param frames of every kind
 * @param outputs frames with output
 * @param reads of the socket that brought output
 * @param bytes of the body
 * @param status of the response, 0 if none came
 * @param inputTokens as the provider told, -1 if it did not
 * @param outputTokens as the provider told, -1 if it did not
 * @param stamped whether its output bore the mock's stamps
 */
public record StreamSample(
        long index,
        boolean measured,
        Behaviour behaviour,
        Outcome outcome,
        String detail,
        long scheduledNs,
        long begunNs,
        long connectNs,
        long sentNs,
        long headNs,
        long firstByteNs,
        long firstFrameNs,
        long firstReasoningNs,
        long firstContentNs,
        long firstOutputNs,
        long lastOutputNs,
        long endNs,
        long longestGapNs,
        long stalls,
        long frames,
        long outputs,
        long reads,
        long bytes,
        int status,
        long inputTokens,
        long outputTokens,
        boolean stamped) {
    /** Whether it is one whose times count: a plain client's, in the measured part. */
    public boolean counts() {
        return measured && behaviour.isPlain();
    }

    /** Output tokens as the provider told them, else one a frame. */
    public long tokens() {
        return outputTokens >= 0 ? outputTokens : outputs;
    }

    /** Nanoseconds per output token after the first, over the time from the first output to the last; NaN if undefined. */
    public double tpotNs() {
        return tokens() < 2 || outputs < 2 ? Double.NaN : (double) (lastOutputNs - firstOutputNs) / (tokens() - 1);
    }
}
