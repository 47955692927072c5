package io.millrace.server.test;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.ConnectionTerms;
import io.millrace.server.downstream.FrameSink;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.EventLoop;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A client without a connection. It keeps what is written to it, and takes all of it at each flush unless the test says
 * otherwise. It checks that a response begins once and ends once.
 */
public final class FakeClientStream implements ClientStream {
    private static final ConnectionTerms TERMS =
            ConnectionTerms.plain(Listener.at(new HostAndPort("127.0.0.1", 0)), Protocol.HTTP_1_1);

    private final EmbeddedChannel channel;
    private final StringBuilder unflushed = new StringBuilder();
    private final StringBuilder flushed = new StringBuilder();
    private final List<Runnable> notices = new ArrayList<>();
    private HttpResponse head;
    private Sink sink;
    private End end;
    private boolean reset;
    private boolean takesNothing;
    private boolean reading = true;
    private long bodyLimit = Long.MAX_VALUE;
    private int flushes;

    /** A client on an event loop of its own. The test moves the time. */
    public FakeClientStream() {
        this(new EmbeddedChannel());
        channel.freezeTime();
    }

    private FakeClientStream(EmbeddedChannel channel) {
        this.channel = channel;
    }

    /** Another client on the same event loop. */
    public FakeClientStream another() {
        return new FakeClientStream(channel);
    }

    /** Moves the time of tasks that are scheduled on the event loop. */
    public void pass(Duration time) {
        channel.advanceTimeBy(time.toNanos(), TimeUnit.NANOSECONDS);
        channel.runScheduledPendingTasks();
        channel.runPendingTasks();
    }

    /** The most bytes that the request's body may have. */
    public void bodyLimit(long bytes) {
        bodyLimit = bytes;
    }

    /** The head that was written or begun, null before. */
    public HttpResponse head() {
        return head;
    }

    /** The status of the response; 0 before it has begun. */
    public int status() {
        return head == null ? 0 : head.status().code();
    }

    /** The body that has been flushed. */
    public String body() {
        return flushed.toString();
    }

    /** How the response ended; null if it has not, or was reset. */
    public End ended() {
        return end;
    }

    /** Whether the response was reset. */
    public boolean isReset() {
        return reset;
    }

    /** Whether the request is read. */
    public boolean isReading() {
        return reading;
    }

    /** How often there was a flush. */
    public int flushes() {
        return flushes;
    }

    /** Stops taking data, or takes all data again. */
    public void takesNothing(boolean nothing) {
        takesNothing = nothing;
        if (!nothing) {
            take();
        }
    }

    @Override
    public EventLoop eventLoop() {
        return channel.eventLoop();
    }

    @Override
    public ConnectionTerms terms() {
        return TERMS;
    }

    @Override
    public InetAddress client() {
        return InetAddress.getLoopbackAddress();
    }

    @Override
    public ByteBufAllocator alloc() {
        return UnpooledByteBufAllocator.DEFAULT;
    }

    @Override
    public boolean isActive() {
        return !reset;
    }

    @Override
    public long bodyLimit() {
        return bodyLimit;
    }

    @Override
    public boolean inRead() {
        return false;
    }

    @Override
    public void readRequest(boolean on) {
        reading = on;
    }

    @Override
    public void sendContinue() {}

    @Override
    public void addToResponse(HttpHeaders headers) {}

    @Override
    public boolean responseStarted() {
        return head != null;
    }

    @Override
    public boolean isWritable() {
        return !takesNothing;
    }

    @Override
    public long pendingBytes() {
        return unflushed.length();
    }

    @Override
    public void respond(int status, byte[] json, HttpHeaders headers) {
        writeHead(new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status), headers));
        writeBody(Unpooled.wrappedBuffer(json));
        end();
    }

    @Override
    public void writeHead(HttpResponse response) {
        assertThat(head).as("a head before this one").isNull();
        head = response;
    }

    @Override
    public void writeBody(ByteBuf content) {
        assertThat(head).as("the head of a body").isNotNull();
        unflushed.append(content.toString(StandardCharsets.UTF_8));
        content.release();
    }

    @Override
    public FrameSink newSink() {
        return new Sink();
    }

    @Override
    public void beginStream(HttpResponse response, FrameSink held) {
        if (response != null) {
            writeHead(response);
        }
        Sink before = sink;
        sink = (Sink) held;
        sink.begun = true;
        sink.bodyBytes += before == null ? 0 : before.bodyBytes;
    }

    @Override
    public void flush() {
        flushes++;
        if (!takesNothing) {
            take();
        }
    }

    @Override
    public void end(End how, Runnable written) {
        assertOpen();
        end = how;
        if (sink != null) {
            sink.write(written);
        } else if (written != null) {
            notices.add(written);
        }
        flush();
    }

    @Override
    public void reset() {
        assertOpen();
        reset = true;
    }

    private void assertOpen() {
        assertThat(end).as("an end before this one").isNull();
        assertThat(reset).as("a reset before this end").isFalse();
    }

    private void take() {
        flushed.append(unflushed);
        unflushed.setLength(0);
        List<Runnable> due = List.copyOf(notices);
        notices.clear();
        due.forEach(Runnable::run);
    }

    /** Copies at once what is appended: no read is looked at. */
    private final class Sink implements FrameSink {
        private final StringBuilder pending = new StringBuilder();
        private boolean begun;
        private long bodyBytes;

        @Override
        public void onRead(ByteBuf raw) {}

        @Override
        public void onChunk(int start, int data, int end) {}

        @Override
        public void onReadEnd() {}

        @Override
        public long bodyBytes() {
            return bodyBytes;
        }

        @Override
        public boolean hasPending() {
            return pending.length() > 0;
        }

        @Override
        public int pendingBytes() {
            return pending.length();
        }

        @Override
        public void append(ByteBuf frames, int start, int end) {
            pending.append(frames.toString(start, end - start, StandardCharsets.UTF_8));
            bodyBytes += end - start;
        }

        @Override
        public void write(Runnable written) {
            assertThat(begun).as("the response of what is written").isTrue();
            unflushed.append(pending);
            pending.setLength(0);
            if (written != null) {
                notices.add(written);
            }
        }

        @Override
        public void discard() {
            bodyBytes -= pending.length();
            pending.setLength(0);
        }
    }
}
