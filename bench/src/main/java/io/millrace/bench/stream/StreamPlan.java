package io.millrace.bench.stream;

import io.netty.handler.ssl.SslContext;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/**
 * The plan of a {@link Load}.
 *
 * @param template of the requests
 * @param address the resolved address to connect to
 * @param tls the context of the client, null for plain TCP
 * @param prompts by the stream's number
 * @param shape the amount and the duration of the load
 * @param clients how the clients behave
 * @param seed of arrivals
 * @param sessions null if each stream is for itself; else the load's rate and number count sessions
 */
public record StreamPlan(
        RequestTemplate template,
        InetSocketAddress address,
        @Nullable SslContext tls,
        Prompts prompts,
        LoadShape shape,
        Clients clients,
        long seed,
        @Nullable Sessions sessions) {
    /** Each stream is for itself. */
    public StreamPlan(
            RequestTemplate template,
            InetSocketAddress address,
            @Nullable SslContext tls,
            Prompts prompts,
            LoadShape shape,
            Clients clients,
            long seed) {
        this(template, address, tls, prompts, shape, clients, seed, null);
    }

    /** This plan with sessions of several turns. */
    public StreamPlan withSessions(@Nullable Sessions sessions) {
        return new StreamPlan(template, address, tls, prompts, shape, clients, seed, sessions);
    }

    /** This plan with another amount of load. */
    public StreamPlan withShape(LoadShape shape) {
        return new StreamPlan(template, address, tls, prompts, shape, clients, seed, sessions);
    }

    /** The reader for one connection. */
    BodyReader newReader(StreamObserver observer) {
        return clients.readers() == null
                ? new OutputReader(
                        template.endpoint().dialect(),
                        observer,
                        clients.limits().stallNs())
                : clients.readers().apply(observer);
    }
}
