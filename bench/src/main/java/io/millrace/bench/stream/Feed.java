package io.millrace.bench.stream;

import io.netty.channel.EventLoop;

/** Decides when the streams of one lane begin. Lives on the lane's event loop. */
interface Feed {
    /** Begins to call {@link Lane#dispatch}. */
    void start(Lane lane, EventLoop loop);

    /** A stream of the lane has ended. */
    void onEnd(StreamSample sample);

    /** Whether no further stream will begin. */
    boolean isDry();

    /** The most streams in progress at once; further streams wait. 0 for no bound. */
    int maxInProgress();

    /** Ends the feed: no further stream begins. */
    void stop();
}
