package io.millrace.server.downstream;

import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2CodecUtil;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2RemoteFlowController;
import io.netty.handler.codec.http2.Http2Stream;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * How many bytes of DATA a client allows: a window for the connection, and one for each stream. Netty's codec opens them
 * when the client says so, and {@link Http2Output} takes from them. The codec writes no DATA itself, so it queues none
 * here. Confined to the connection's event loop.
 */
final class Http2Windows extends Http2ConnectionAdapter implements Http2RemoteFlowController {
    private final Http2Connection connection;
    private final Http2Connection.PropertyKey key;
    private final Window whole = new Window(0, Http2CodecUtil.DEFAULT_WINDOW_SIZE);
    private int initial = Http2CodecUtil.DEFAULT_WINDOW_SIZE;
    private @Nullable ChannelHandlerContext context;

    /** A window. It may be below zero, after the client has made it smaller. */
    static class Window {
        /** Netty's object of the stream has it, too, but would have to be fetched from memory for each frame. */
        private final int stream;

        private int size;

        private Window(int stream, int size) {
            this.stream = stream;
            this.size = size;
        }

        /** The window of the same stream, in place of {@code before}. */
        Window(Window before) {
            this(before.stream, before.size);
        }

        /** The id of its stream; 0 for the connection. */
        final int streamId() {
            return stream;
        }

        /** The bytes that it allows. */
        final int size() {
            return size;
        }

        /** Bytes were written. */
        final void take(int bytes) {
            size -= bytes;
        }
    }

    Http2Windows(Http2Connection connection) {
        this.connection = connection;
        key = connection.newKey();
        connection.connectionStream().setProperty(key, whole);
        connection.addListener(this);
    }

    /** The connection's window. */
    Window whole() {
        return whole;
    }

    /** The window of a stream that is open. */
    Window of(Http2Stream stream) {
        return Objects.requireNonNull(stream.<Window>getProperty(key));
    }

    /** Makes {@code window}, which has the size of the one before, the window of a stream. */
    void replace(Http2Stream stream, Window window) {
        stream.setProperty(key, window);
    }

    @Override
    public void onStreamActive(Http2Stream stream) {
        stream.setProperty(key, new Window(stream.id(), initial));
    }

    @Override
    public int windowSize(Http2Stream stream) {
        Window window = stream.getProperty(key);
        return window == null ? 0 : window.size;
    }

    @Override
    public void incrementWindowSize(Http2Stream stream, int change) throws Http2Exception {
        Window window = stream.getProperty(key);
        if (window == null) {
            return;
        }
        if (change > 0 && Integer.MAX_VALUE - change < window.size) {
            throw Http2Exception.streamError(
                    stream.id(), Http2Error.FLOW_CONTROL_ERROR, "the window of stream %d is too large", stream.id());
        }
        window.size += change;
    }

    @Override
    public void initialWindowSize(int size) throws Http2Exception {
        int change = size - initial;
        initial = size;
        connection.forEachActiveStream(stream -> {
            Window window = of(stream);
            if (change > 0 && Integer.MAX_VALUE - change < window.size) {
                throw Http2Exception.connectionError(
                        Http2Error.FLOW_CONTROL_ERROR, "SETTINGS make the window of stream %d too large", stream.id());
            }
            window.size += change;
            return true;
        });
    }

    @Override
    public int initialWindowSize() {
        return initial;
    }

    @Override
    public void channelHandlerContext(ChannelHandlerContext ctx) {
        context = ctx;
    }

    @Override
    public @Nullable ChannelHandlerContext channelHandlerContext() {
        return context;
    }

    @Override
    public boolean isWritable(Http2Stream stream) {
        return Math.min(whole.size, windowSize(stream)) > 0;
    }

    @Override
    public boolean hasFlowControlled(Http2Stream stream) {
        return false;
    }

    /** Only {@code encoder().writeData} calls this, which the relay does not use. */
    @Override
    public void addFlowControlled(Http2Stream stream, FlowControlled frame) {
        throw new UnsupportedOperationException("DATA is written without Netty's encoder");
    }

    @Override
    public void writePendingBytes() {
        // Nothing is queued here.
    }

    @Override
    public void listener(@Nullable Listener listener) {
        // Netty's listener is about what is queued here.
    }

    @Override
    public void channelWritabilityChanged() {
        // Nothing is queued here.
    }

    @Override
    public void updateDependencyTree(int child, int parent, short weight, boolean exclusive) {
        // Priorities of RFC 7540 are ignored, as RFC 9113 has it.
    }
}
