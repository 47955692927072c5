package io.millrace.server.downstream;

import io.netty.channel.embedded.EmbeddedChannel;

/** Outputs of channels without a socket. */
final class Outputs {
    private Outputs() {}

    /** The output of {@code channel}, as its first handler. */
    static ClientOutput first(EmbeddedChannel channel) {
        var output = new ClientOutput(channel);
        channel.pipeline().addFirst(output);
        return output;
    }
}
