package io.millrace.server.redis;

import io.lettuce.core.ConnectionBuilder;
import io.lettuce.core.ConnectionEvents;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.resource.ClientResources;
import io.netty.bootstrap.Bootstrap;
import java.net.SocketAddress;
import java.util.function.Supplier;
import reactor.core.publisher.Mono;

/**
 * A client of Lettuce that makes channels as the relay does. Lettuce itself would choose the kind of channel by the
 * class path. That kind may not fit the relay's event loops.
 */
final class RelayRedisClient extends RedisClient {
    private final SocketAddress address;
    private final Supplier<Bootstrap> bootstraps;

    RelayRedisClient(ClientResources resources, RedisURI uri, SocketAddress address, Supplier<Bootstrap> bootstraps) {
        super(resources, uri);
        this.address = address;
        this.bootstraps = bootstraps;
    }

    @Override
    protected void connectionBuilder(
            Mono<SocketAddress> socketAddress, ConnectionBuilder builder, ConnectionEvents events, RedisURI uri) {
        super.connectionBuilder(socketAddress, builder, events, uri);
        builder.bootstrap(bootstraps.get());
        builder.socketAddressSupplier(Mono.just(address));
        builder.apply(uri);
    }
}
