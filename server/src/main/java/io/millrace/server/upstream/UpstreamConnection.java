package io.millrace.server.upstream;

import io.netty.channel.Channel;

/** A connection to an upstream that is ready for requests, with any version of HTTP. */
interface UpstreamConnection {
    /** The channel, for its address and event loop. */
    Channel channel();

    /** When it was made. */
    long openedNs();
}
