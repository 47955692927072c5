package io.millrace.server.listen;

import io.millrace.server.config.ListenAddress;
import io.millrace.server.config.Listener;
import io.netty.channel.Channel;
import java.util.List;

/**
 * A listener that is open.
 *
 * @param listener as it was configured
 * @param address where it is, with the real port where 0 was asked for and the address where a name was
 * @param channels those that listen there
 */
public record Bound(Listener listener, ListenAddress address, List<Channel> channels) {
    public Bound {
        channels = List.copyOf(channels);
    }
}
