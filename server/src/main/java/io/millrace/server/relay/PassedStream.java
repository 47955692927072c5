package io.millrace.server.relay;

import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.ConnectionTerms;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpHeaders;
import java.net.InetAddress;
import org.jspecify.annotations.Nullable;

/** A client's response that is more than that of the client: what does not depend on it is asked of the client's own. */
abstract class PassedStream implements ClientStream {
    /** The client's own. */
    final ClientStream client;

    PassedStream(ClientStream client) {
        this.client = client;
    }

    @Override
    public final EventLoop eventLoop() {
        return client.eventLoop();
    }

    @Override
    public final ConnectionTerms terms() {
        return client.terms();
    }

    @Override
    public final @Nullable InetAddress client() {
        return client.client();
    }

    @Override
    public final ByteBufAllocator alloc() {
        return client.alloc();
    }

    @Override
    public final long bodyLimit() {
        return client.bodyLimit();
    }

    @Override
    public final void sendContinue() {
        client.sendContinue();
    }

    @Override
    public final void addToResponse(HttpHeaders headers) {
        client.addToResponse(headers);
    }
}
