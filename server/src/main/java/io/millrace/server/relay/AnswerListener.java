package io.millrace.server.relay;

import io.millrace.server.telemetry.Outcome;

/** Is told what becomes of the answer that the client gets. */
interface AnswerListener {
    /**
     * A body that is no event stream is about to be the client's answer.
     *
     * @return true if the client already has a stream that the relay began. That stream has then ended with an error
     */
    boolean endsEarly(PlainRelay plain);

    /** The stream that is the client's answer ends as {@code ending} says. */
    void onStreamEnd(Ending ending);

    /** The whole body of a response that is no event stream was written to the client. */
    void onPlainEnd();

    /** The client has a part of the answer, and the rest will not come. */
    void onBroken(Outcome outcome);
}
