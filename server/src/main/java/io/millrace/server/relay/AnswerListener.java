package io.millrace.server.relay;

import io.millrace.server.telemetry.Outcome;

/** Receives the events of the client's answer. */
interface AnswerListener {
    /**
     * A body that is not an event stream is about to become the client's answer.
     *
     * @return true if the client already has a stream that the relay began; this stream has then ended with an error
     */
    boolean endsEarly(PlainRelay plain);

    /** The stream that is the client's answer ends. */
    void onStreamEnd(Ending ending);

    /** The whole body of a response that is not an event stream was written to the client. */
    void onPlainEnd();

    /** The client has a part of the answer, and the rest will not come. */
    void onBroken(Outcome outcome);
}
