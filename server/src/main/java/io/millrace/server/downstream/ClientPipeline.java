package io.millrace.server.downstream;

import io.millrace.server.address.AddressSet;
import io.millrace.server.address.ClientAddress;
import io.millrace.server.address.ProxyHeadHandler;
import io.millrace.server.config.Limits;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.RelayConfig;
import io.millrace.server.http.FrameBudget;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Turns;
import io.millrace.server.tls.ServerTls;
import io.millrace.server.transport.Transport;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import java.net.InetAddress;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes the pipelines of the connections that one listener accepts. A connection passes these steps in order. Each
 * step may read its first bytes before the next step begins:
 *
 * <ol>
 *    {@link #admit}: checks the limits of connections
 *   <li>{@link #encrypt}: TLS
 *    {@link #speak}: adds the handlers of its protocol
 *
 * <p>The handlers of HTTP/1.1:
 *
 * <ol>
 *   <li>{@link RequestDecoder}: bytes to request heads and bodies, strict, one request at a time
 *    {@link ResponseEncoder}: plain responses to bytes; streams and their heads bypass it
 *   <li>{@link Http1Connection}: the gate, and the exchange in progress
 * </ol>
 *
 * <p>The handlers of HTTP/2:
 *
 * <ol>
 *   <li>{@link FrameBudget}: ends a flood of frames before they are decoded
 *    {@link Http2Codec}: frames; DATA to the client bypasses it
 *   <li>{@link Http2Connection}: the gate, and the exchanges in progress
 * </ol>
 */
public final class ClientPipeline extends ChannelInitializer<Channel> {
    private static final ChannelHandler GOODBYE = new Goodbye();

    private final Listener listener;
    private final Admission admission;
    private final Shared shared;
    private final @Nullable ServerTls tls;

    /**
     * The parts that the connections of all listeners share.
     *
     * @param handler gets the requests
     * @param sweepers the sweep of a channel's event loop
     * @param memories what a channel's event loop holds
     * @param requests how many requests begin in one turn of a channel's event loop
     * @param config asked for at each new connection, so that a reload reaches the next one
     */
    public record Shared(
            Transport transport,
            RequestHandler handler,
            Function<Channel, Sweeper> sweepers,
            Function<Channel, LoopMemory> memories,
            Function<Channel, Turns> requests,
            Supplier<RelayConfig> config) {}

    /** Makes the pipelines of {@code listener}'s connections. {@code tls} encrypts them, unless it is null. */
    public ClientPipeline(Listener listener, Admission admission, Shared shared, @Nullable ServerTls tls) {
        this.tls = tls;
        this.listener = listener;
        this.admission = admission;
        this.shared = shared;
    }

    @Override
    protected void initChannel(Channel channel) {
        if (admit(channel)) {
            address(channel);
        }
    }

    /** Refuses a client over the limit: its pipeline only answers 503. */
    private boolean admit(Channel channel) {
        boolean admitted = admission.admits();
        if (!admitted) {
            refuse(channel, "connections");
        }
        return admitted;
    }

    /** Reads the PROXY head first if the peer is a listed load balancer. */
    private void address(Channel channel) {
        if (listener.proxies().contains(ClientAddress.peer(channel))) {
            channel.pipeline().addLast(new ProxyHeadHandler(this::admitAddress));
        } else {
            admitAddress(channel);
        }
    }

    private void admitAddress(Channel channel) {
        InetAddress client = ClientAddress.of(channel);
        AddressSet trusted = shared.config().get().trustedProxies();
        if (listener.proxies().contains(client) || admission.admits(channel, client, trusted)) {
            encrypt(channel);
        } else {
            refuse(channel, "connections_of_address");
        }
    }

    /** Checks the address's limit before the handshake, because a handshake costs much processor time. */
    private void refuse(Channel channel, String why) {
        shared.handler().onClientRefused(channel.eventLoop(), why);
        if (tls == null) {
            admission.refuse(channel);
        } else {
            channel.close();
        }
    }

    private void encrypt(Channel channel) {
        if (tls == null) {
            choose(channel);
            return;
        }
        var handshake = new HandshakeConnection(channel, shared.handler());
        handshake.begin();
        tls.secure(channel, shared.config().get().timeouts().handshake().toNanos(), (secure, agreed) -> {
            secure.pipeline().addLast(GOODBYE);
            speak(secure, new ConnectionTerms(listener, Protocol.named(agreed.protocol()), agreed), true);
            handshake.end();
        });
    }

    /** Without TLS, the client's first bytes tell its protocol, if more than one is allowed. */
    private void choose(Channel channel) {
        List<Protocol> spoken = listener.spoken();
        if (spoken.size() == 1) {
            speak(channel, ConnectionTerms.plain(listener, spoken.get(0)), false);
        } else {
            var undecided = context(channel, ConnectionTerms.plain(listener, Protocol.HTTP_1_1));
            new PriorKnowledge(undecided, chosen -> speak(channel, ConnectionTerms.plain(listener, chosen), true))
                    .open(false);
        }
    }

    /**
     * The last step.
     *
     * @param active whether the pipeline was told before that the channel is active, so that new handlers are not
     */
    private void speak(Channel channel, ConnectionTerms terms, boolean active) {
        ConnectionContext context = context(channel, terms);
        Limits limits = context.limits();
        shared.transport().allowStall(channel, context.timeouts().writeStall());
        channel.config()
                .setWriteBufferWaterMark(new WriteBufferWaterMark(limits.lowWatermark(), limits.highWatermark()));
        switch (terms.protocol()) {
            case HTTP_1_1 -> new Http1Connection(context).open(active);
            case H2 -> new Http2Connection(context).open(active);
        }
    }

    private ConnectionContext context(Channel channel, ConnectionTerms terms) {
        RelayConfig config = shared.config().get();
        return new ConnectionContext(
                channel,
                terms,
                shared.handler(),
                shared.sweepers().apply(channel),
                shared.memories().apply(channel),
                shared.requests().apply(channel),
                config.limits(),
                config.timeouts(),
                config.http2(),
                config.trustedProxies(),
                admission.debts());
    }

    /** A client that ends its side of TLS has left, like a client that ends its side of TCP. */
    @ChannelHandler.Sharable
    private static final class Goodbye extends ChannelInboundHandlerAdapter {
        @Override
        public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
            if (event == SslCloseCompletionEvent.SUCCESS) {
                ctx.close();
            } else {
                ctx.fireUserEventTriggered(event);
            }
        }
    }
}
