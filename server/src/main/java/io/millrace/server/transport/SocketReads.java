package io.millrace.server.transport;

import io.millrace.server.memory.LoopMemory;
import io.millrace.server.memory.WarmBuffers;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.epoll.AbstractEpollStreamChannel;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.unix.Socket;
import io.netty.channel.unix.UnixChannel;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Reads a connection's socket past its channel and pipeline, while only bytes arrive. Each read of a stream would touch
 * some ten objects of Netty for that connection, which are in no cache by then. Everything else, such as the end of the
 * connection, goes through the channel. Confined to the connection's event loop.
 */
public final class SocketReads {
    private static final RecvByteBufAllocator LENGTHS =
            LoopMemory.reads(WarmBuffers.BYTES, WarmBuffers.BYTES, 64 * 1024);

    private final Channel channel;
    private final EpollIoHandle handle;
    private final Socket socket;
    private final Receiver receiver;
    private final ByteBufAllocator alloc;
    private final WarmBuffers buffers = WarmBuffers.current();

    @SuppressWarnings("deprecation") // the handle without a channel's loop around it
    private final RecvByteBufAllocator.Handle length = LENGTHS.newHandle();

    /** Takes what is read. */
    public interface Receiver {
        /** Bytes were read. They are the reader's: whoever keeps some must retain them. */
        void onBytes(ByteBuf bytes);

        /**
         * All bytes of a read were given.
         *
         * @param filled whether there may be more
         */
        void onBytesEnd(boolean filled);
    }

    private SocketReads(Channel channel, EpollIoHandle handle, Socket socket, Receiver receiver) {
        this.channel = channel;
        this.handle = handle;
        this.socket = socket;
        this.receiver = receiver;
        alloc = channel.alloc();
    }

    /** For the socket of {@code channel}; null if its transport has no call that returns at once. */
    public static @Nullable SocketReads of(Channel channel, Receiver receiver) {
        return channel instanceof AbstractEpollStreamChannel
                        && channel.unsafe() instanceof EpollIoHandle handle
                        && ((UnixChannel) channel).fd() instanceof Socket socket
                ? new SocketReads(channel, handle, socket, receiver)
                : null;
    }

    /** Gives what is read to the receiver from the next read on, instead of to the pipeline. */
    public void begin() {
        ResumableEpoll.read(handle, this);
    }

    /** Gives what is read to the pipeline again, from the next read on. */
    public void end() {
        ResumableEpoll.read(handle, null);
    }

    /**
     * Reads once.
     *
     * @return whether that was all. Otherwise the channel must read, because the connection has ended.
     */
    boolean read() {
        ByteBuf bytes = null;
        try {
            int guess = length.guess();
            bytes = guess <= WarmBuffers.BYTES ? buffers.take(alloc, guess) : length.allocate(alloc);
            if (!bytes.hasMemoryAddress()) {
                return false;
            }
            int room = bytes.writableBytes();
            int read = socket.recvAddress(bytes.memoryAddress(), 0, room);
            if (read <= 0) {
                return read == 0;
            }
            length.lastBytesRead(read);
            receiver.onBytes(bytes.writerIndex(read));
            length.readComplete();
            receiver.onBytesEnd(read == room);
        } catch (IOException | RuntimeException | Error e) {
            fail(e);
        } finally {
            if (bytes != null) {
                buffers.giveBack(bytes);
            }
        }
        return true;
    }

    /** What Netty's own read does. The kernel tells of a failure only once. */
    private void fail(Throwable cause) {
        channel.pipeline().fireChannelReadComplete();
        channel.pipeline().fireExceptionCaught(cause);
        if (cause instanceof IOException || cause instanceof OutOfMemoryError) {
            channel.unsafe().close(channel.unsafe().voidPromise());
        }
    }
}
