package io.millrace.server.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.epoll.AbstractEpollStreamChannel;
import io.netty.channel.unix.Socket;
import io.netty.channel.unix.UnixChannel;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Gives bytes to a connection's socket at once, while nothing waits in the connection's outbound queue. That saves a
 * pass through queue and promise for each write, and most writes of a relay are the only one of their turn. Confined to
 * the connection's event loop.
 */
public final class SocketSend {
    private final Channel.Unsafe queue;
    private final Socket socket;

    private SocketSend(Channel.Unsafe queue, Socket socket) {
        this.queue = queue;
        this.socket = socket;
    }

    /** For the socket of {@code channel}; null if its transport has no call that returns at once. */
    public static @Nullable SocketSend of(Channel channel) {
        boolean epoll = channel instanceof AbstractEpollStreamChannel;
        return epoll && ((UnixChannel) channel).fd() instanceof Socket socket
                ? new SocketSend(channel.unsafe(), socket)
                : null;
    }

    /** Whether the socket is open. */
    public boolean isOpen() {
        return socket.isOpen() && !socket.isOutputShutdown();
    }

    /** Whether nothing waits for the socket. */
    public boolean isIdle() {
        var waiting = queue.outboundBuffer();
        return waiting != null && waiting.totalPendingWriteBytes() == 0;
    }

    /**
     * Offers {@code bytes} to the kernel. Those that it takes are skipped. The socket must be {@link #isOpen open} and {@link
     * #isIdle idle}.
     *
     * @return whether it took all of them. Otherwise the rest must be written to the channel, which also reports a
     *     broken connection.
     */
    public boolean offer(ByteBuf bytes) {
        if (!bytes.hasMemoryAddress()) {
            return false;
        }
        try {
            bytes.skipBytes(socket.sendAddress(bytes.memoryAddress(), bytes.readerIndex(), bytes.writerIndex()));
        } catch (IOException e) {
            return false; // the channel's own write fails in the same way
        }
        return !bytes.isReadable();
    }

    /** Writes and flushes what the kernel did not take, behind nothing else. Takes {@code rest} over. */
    public void queue(ByteBuf rest) {
        queue.write(rest, queue.voidPromise());
        queue.flush();
    }
}
