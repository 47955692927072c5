package io.millrace.bench.stream;

import io.netty.handler.ssl.SslContext;
import java.net.InetSocketAddress;

/**
 * What a {@link Load} shall do.
 *
 * @param template makes the requests
 * @param address to connect to, resolved
 * @param tls the client context, null for plain TCP
 * @param prompts by the stream's number
 * @param shape how much, and how long
 * @param behaviours of the clients
 * @param limits on time
 * @param seed of arrivals
 */
public record StreamPlan(
        RequestTemplate template,
        InetSocketAddress address,
        SslContext tls,
        Prompts prompts,
        LoadShape shape,
        Behaviours behaviours,
        StreamLimits limits,
        long seed) {
    /** This plan with another amount of load. */
    public StreamPlan withShape(LoadShape shape) {
        return new StreamPlan(template, address, tls, prompts, shape, behaviours, limits, seed);
    }
}
