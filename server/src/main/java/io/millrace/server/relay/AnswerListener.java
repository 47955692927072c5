package io.millrace.server.relay;

import io.millrace.server.telemetry.Outcome;

/** Learns how an answer that the client gets fares. */
interface AnswerListener {
    /**
     * A body that is no event stream is about to be the client's answer.
     *
     * @return true if the client has a stream of the relay's own, which has ended for want of another
     */
    boolean endsEarly(PlainRelay plain);

    /** The stream that is the client's answer is to end so. */
    void onStreamEnd(Ending ending);

    /** The body of a response that is no event stream is with the client. */
    void onPlainEnd();

    /** What the client has a part of cannot be completed. */
    void onBroken(Outcome outcome);
}
