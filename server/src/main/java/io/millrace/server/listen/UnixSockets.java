package io.millrace.server.listen;

import io.millrace.server.config.ListenAddress.UnixPath;
import io.millrace.server.config.Listener;
import io.millrace.server.transport.Transport;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Listening unix sockets: one for each path. Its connections go to the event loops in turn. */
final class UnixSockets {
    private static final Logger LOG = LoggerFactory.getLogger(UnixSockets.class);

    private final Transport transport;

    UnixSockets(Transport transport) {
        this.transport = transport;
    }

    /**
     * The file of a socket at {@code address}, if no other process listens there.
     *
     * @throws IllegalStateException if the address is taken, naming it
     */
    SocketFile file(UnixPath address) {
        try {
            return SocketFile.at(address.path());
        } catch (IOException e) {
            throw failed(address, e);
        }
    }

    /**
     * The file of a socket at {@code address} that another process has handed over.
     *
     * @throws IllegalStateException if it is not there any more, naming it
     */
    SocketFile existing(UnixPath address) {
        try {
            return SocketFile.existing(address.path());
        } catch (IOException e) {
            throw failed(address, e);
        }
    }

    /** Restricts a listener at {@code address} to its permitted users. */
    void restrict(ServerBootstrap bootstrap, Listener listener, UnixPath address) {
        if (!listener.users().isEmpty()) {
            bootstrap.handler(new OnlyUsers(users(listener, address)));
        }
    }

    /**
     * Listens at {@code address}, whose file is {@code file}.
     *
     * @throws IllegalStateException if it cannot be bound, naming it
     */
    Bound open(Listener listener, UnixPath address, SocketFile file, EventLoopGroup loops, ChannelHandler pipeline) {
        ServerBootstrap bootstrap = Sockets.bootstrap(loops, pipeline).channelFactory(transport::newUnixServerChannel);
        restrict(bootstrap, listener, address);
        var opened = new ArrayList<Channel>();
        Channel channel = Sockets.bind(bootstrap, transport.unixAddress(file.beside()), address, opened);
        try {
            file.publish(listener.mode());
        } catch (IOException e) {
            channel.close();
            throw failed(address, e);
        }
        return new Bound(listener, address, opened);
    }

    private Set<Integer> users(Listener listener, UnixPath address) {
        if (!transport.tellsUnixPeers()) {
            throw new IllegalStateException("listen: " + address + ": users cannot be told apart by the transport "
                    + transport.label() + " (expected: no users, or another transport)");
        }
        try {
            return UserNumbers.of(listener.users());
        } catch (IOException e) {
            throw new IllegalStateException("listen: " + address + ": users: " + e.getMessage(), e);
        }
    }

    private static IllegalStateException failed(UnixPath address, IOException e) {
        String reason = e.getMessage() == null ? e.toString() : e.getMessage();
        return new IllegalStateException("listen: " + address + " cannot be bound: " + reason, e);
    }

    /** Closes connections of users that are not listed. */
    private static final class OnlyUsers extends ChannelInboundHandlerAdapter {
        private final Set<Integer> users;

        OnlyUsers(Set<Integer> users) {
            this.users = users;
        }

        @Override
        public void channelRead(ChannelHandlerContext ctx, Object msg) {
            var accepted = (Channel) msg;
            try {
                int user = Transport.unixPeer(accepted);
                if (users.contains(user)) {
                    ctx.fireChannelRead(msg);
                    return;
                }
                LOG.debug("user {} may not connect to {}", user, ctx.channel().localAddress());
            } catch (IOException e) {
                LOG.debug(
                        "the user of a connection to {} is not known",
                        ctx.channel().localAddress(),
                        e);
            }
            accepted.unsafe().closeForcibly();
        }
    }
}
