package io.millrace.bench.stream;

import io.netty.handler.ssl.SslContext;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link Load} does.
 *
 * @param template makes the requests
 * @param address to connect to, resolved
 * @param tls the context of the client, null for plain TCP
 * @param prompts by the stream's number
 * @param shape how much, and how long
 * @param clients who asks
 * @param seed of arrivals
 */
public record StreamPlan(
        RequestTemplate template,
        InetSocketAddress address,
        @Nullable SslContext tls,
        Prompts prompts,
        LoadShape shape,
        Clients clients,
        long seed) {
    /** This plan with another amount of load. */
    public StreamPlan withShape(LoadShape shape) {
        return new StreamPlan(template, address, tls, prompts, shape, clients, seed);
    }

    /** The reader of one connection. */
    BodyReader newReader(StreamObserver observer) {
        return clients.readers() == null
                ? new OutputReader(
                        template.endpoint().dialect(),
                        observer,
                        clients.limits().stallNs())
                : clients.readers().apply(observer);
    }
}
