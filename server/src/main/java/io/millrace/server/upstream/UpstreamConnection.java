package io.millrace.server.upstream;

import io.netty.channel.Channel;

/** A connection to an upstream that is ready for requests, in whatever HTTP. */
interface UpstreamConnection {
    /** For its address and event loop. */
    Channel channel();

    /** When it was made. */
    long openedNs();
}
