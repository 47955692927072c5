package io.millrace.bench.stream;

import io.netty.channel.EventLoop;

/** Says when the streams of one lane begin. Lives on the lane's event loop. */
interface Feed {
    /** Begins to call {@link Lane#dispatch}. */
    void start(Lane lane, EventLoop loop);

    /** A stream of the lane has ended. */
    void onEnd(StreamSample sample);

    /** Whether no stream will begin any more. */
    boolean isDry();

    /** The most streams in progress at once, beyond which streams wait; 0 for no bound. */
    int maxInProgress();

    /** No stream begins any more. */
    void stop();
}
