package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Upstream;
import io.millrace.server.timing.Turns;
import io.millrace.server.upstream.CallListener.Breakage;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpRequestEncoder;
import io.netty.handler.codec.http.HttpVersion;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * One request on a connection at a time, without sockets: the events for its listener, and the state of the connection.
 */
class Http1CallTest {
    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    private static final String STREAM =
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    private static final String FRAME = "9\r\ndata: a\n\n\r\n";
    private static final String END = "0\r\n\r\n";

    private final Wire channel = new Wire();
    private final Pool pool = new Pool();
    private final Http1Connection connection =
            new Http1Connection(pool, new ResponseDecoder(new HttpDecoderConfig().setMaxChunkSize(Integer.MAX_VALUE)));

    @BeforeEach
    void connect() {
        channel.pipeline().addLast(connection.decoder(), new HttpRequestEncoder(), connection);
        connection.stale().roundTripNs(TimeUnit.SECONDS.toNanos(1));
        channel.freezeTime();
    }

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    @Test
    void connectionIsIdleAgainBehindAWholeResponse() {
        CallRecorder first = send();
        read(OK);
        assertThat(first.said()).isEqualTo("200 ok whole");
        assertThat(pool.idle).containsExactly(connection);

        CallRecorder second = send();
        read(STREAM + FRAME, END);
        assertThat(second.said()).isEqualTo("200 stream data: a\n\n whole");
        assertThat(pool.idle).containsExactly(connection, connection);
        assertThat(channel.isActive()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
                "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
                OK + "H",
                STREAM + END + "H"
            })
    void connectionIsClosedBehindAResponseThatIsItsLastOrThatMoreFollows(String response) {
        CallRecorder told = send();
        read(response);
        assertThat(told.said()).endsWith(" whole");
        assertThat(pool.idle).isEmpty();
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void connectionIsClosedBehindAResponseToHalfARequest() {
        var call = new Http1Call(connection);
        var told = new CallRecorder(call, channel.alloc());
        call.send(request(), told);
        call.sendBody(Unpooled.copiedBuffer("half", StandardCharsets.US_ASCII));
        call.flush();
        read(OK);
        call.sendBody(Unpooled.copiedBuffer("rest", StandardCharsets.US_ASCII));
        call.endRequest();
        assertThat(told.said()).isEqualTo("200 ok whole");
        assertThat(pool.idle).isEmpty();
        assertThat(channel.isActive()).isFalse();
    }

    @ParameterizedTest
    @CsvSource({"false, '', CLOSED_UNUSED", "true, '', STALE", "true, H, TRUNCATED", "false, H, TRUNCATED"})
    void closeBeforeAByteOfTheResponseIsStaleOnAReusedConnection(boolean used, String bytes, Breakage.Kind kind) {
        if (used) {
            send();
            read(OK);
        }
        CallRecorder told = send();
        read(bytes);
        channel.close();
        channel.runPendingTasks();
        assertThat(told.said()).isEqualTo(" broken " + kind);
        assertThat(pool.closed).containsExactly(connection);
    }

    @Test
    void closeThatTheRequestCanHaveReachedIsNotStale() {
        send();
        read(OK);
        long nowNs = System.nanoTime();
        assertThat(connection.wasStale(nowNs, true)).isTrue();
        assertThat(connection.wasStale(nowNs - TimeUnit.MILLISECONDS.toNanos(400), true))
                .isFalse();
        assertThat(connection.wasStale(nowNs - TimeUnit.MILLISECONDS.toNanos(400), false))
                .isTrue();
        assertThat(connection.wasStale(nowNs - TimeUnit.SECONDS.toNanos(2), false))
                .isFalse();
    }

    @Test
    void mayBeStaleUntilTheHeadCame() {
        assertThat(new Http1Call(connection).mayBeStale()).isFalse();
        send();
        read(OK);
        var call = new Http1Call(connection);
        assertThat(call.mayBeStale()).isTrue();
        call.sendWhole(request(), Unpooled.EMPTY_BUFFER, new CallRecorder(call, channel.alloc()));
        read("HTTP/1.1 100 Continue\r\n\r\n");
        assertThat(call.mayBeStale()).isTrue();
        read(OK.substring(0, OK.length() - 1));
        assertThat(call.mayBeStale()).isFalse();
    }

    @Test
    void breakInsideTheBodyIsToldOnceWithWhatKindItIs() {
        CallRecorder told = send();
        read(STREAM + FRAME + "9\r\ndat");
        channel.close();
        channel.runPendingTasks();
        assertThat(told.said()).isEqualTo("200 stream data: a\n\n broken TRUNCATED");
        assertThat(told.ends()).isEqualTo(1);
    }

    @Test
    void resetInsideTheBodyIsTold() {
        CallRecorder told = send();
        read(STREAM + FRAME);
        channel.pipeline().fireExceptionCaught(new IOException("Connection reset by peer"));
        channel.runPendingTasks();
        assertThat(told.said()).isEqualTo("200 stream data: a\n\n broken RESET");
        assertThat(channel.isActive()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                STREAM + "g\r\n",
                "HTTP/1.1 101 Switching Protocols\r\n\r\n",
                "http/1.1 200 OK\r\n\r\n",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: br\r\n\r\n"
            })
    void whatIsNotTheHttpThatWasAskedForClosesTheConnection(String response) {
        CallRecorder told = send();
        read(response);
        assertThat(told.said()).endsWith(" broken PROTOCOL");
        assertThat(told.ends()).isEqualTo(1);
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void interimResponsesAreCounted() {
        CallRecorder told = send();
        read("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(8));
        assertThat(told.said()).isEmpty();
        read("HTTP/1.1 103 Early Hints\r\n\r\n");
        assertThat(told.said()).isEqualTo(" broken PROTOCOL");
    }

    @Test
    void restOfAReleasedStreamIsDroppedAndTheConnectionIdleAtItsEnd() {
        var call = new Http1Call(connection);
        CallRecorder told = send(call);
        read(STREAM + FRAME);
        call.release(100);
        read(FRAME);
        assertThat(pool.idle).isEmpty();
        read(END);
        assertThat(told.said()).isEqualTo("200 stream data: a\n\n");
        assertThat(pool.idle).containsExactly(connection);
        advance(1_000);
        assertThat(channel.isActive()).isTrue();
    }

    @Test
    void releasedStreamThatDoesNotEndInTimeIsClosed() {
        var call = new Http1Call(connection);
        CallRecorder told = send(call);
        read(STREAM + FRAME);
        call.release(100);
        advance(99);
        assertThat(channel.isActive()).isTrue();
        advance(1);
        assertThat(channel.isActive()).isFalse();
        assertThat(told.said()).isEqualTo("200 stream data: a\n\n");
        assertThat(pool.idle).isEmpty();
    }

    @Test
    void releasedStreamThatOnlyACloseEndsIsClosedAtOnce() {
        var call = new Http1Call(connection);
        send(call);
        read("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n");
        call.release(100);
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void bodyThatOnlyACloseEndsIsWholeThen() {
        CallRecorder told = send();
        read("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\n");
        channel.close();
        channel.runPendingTasks();
        assertThat(told.said()).isEqualTo("200 stream data: a\n\n whole");
        assertThat(pool.idle).isEmpty();
    }

    @Test
    void unsentCallGivesItsConnectionBackOnce() {
        var call = new Http1Call(connection);
        call.release(0);
        call.release(0);
        call.abort();
        assertThat(pool.idle).containsExactly(connection);
        assertThat(channel.isActive()).isTrue();
    }

    @Test
    void handsTheRestOfAStreamOver() {
        var call = new Http1Call(connection);
        CallRecorder first = send(call);
        read(STREAM + FRAME);
        call.reading(false);
        var next = new CallRecorder(call, channel.alloc());
        call.handOver(next, next, next);
        assertThat(channel.config().isAutoRead()).isTrue();
        read(FRAME + END);
        assertThat(first.said()).isEqualTo("200 stream data: a\n\n");
        assertThat(next.said()).isEqualTo("data: a\n\n whole");
        assertThat(pool.idle).containsExactly(connection);
    }

    @Test
    void answerToARequestThatCannotBeSentIsTold() {
        CallRecorder told = send();
        failToSend();
        read(OK);
        assertThat(told.said()).isEqualTo("200 ok whole");
        assertThat(pool.idle).isEmpty();
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void answerToARequestThatCannotBeSentIsWaitedForInVain() {
        CallRecorder told = send();
        failToSend();
        advance(999);
        assertThat(told.said()).isEmpty();
        advance(1);
        assertThat(told.said()).isEqualTo(" broken CLOSED_UNUSED");
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void failureToSendEndsAConnectionThatNobodyUses() {
        send();
        read(OK);
        failToSend();
        assertThat(channel.isActive()).isFalse();
    }

    @Test
    void callThatIsOverDoesNotTouchTheNext() {
        var first = new Http1Call(connection);
        send(first);
        read(OK);
        channel.releaseOutbound();
        CallRecorder told = send();
        channel.releaseOutbound();

        first.reading(false);
        first.sendBody(Unpooled.copiedBuffer("late", StandardCharsets.US_ASCII));
        first.endRequest();
        first.release(0);
        first.abort();

        assertThat(channel.outboundMessages()).isEmpty();
        assertThat(channel.config().isAutoRead()).isTrue();
        read(OK);
        assertThat(told.said()).isEqualTo("200 ok whole");
    }

    @Test
    void abortedCallIsToldNothing() {
        var call = new Http1Call(connection);
        CallRecorder told = send(call);
        read(STREAM + FRAME);
        call.abort();
        read(FRAME + END);
        assertThat(told.said()).isEqualTo("200 stream data: a\n\n");
        assertThat(pool.closed).containsExactly(connection);
    }

    @Test
    void whatIsLeftToBeInflatedIsToldBeforeTheClose() throws IOException {
        var call = new Http1Call(connection);
        CallRecorder told = send(call);
        told.full(true);
        read("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\n");
        call.reading(false);
        channel.writeInbound(Unpooled.wrappedBuffer(gzip("data: a\n\n")));
        channel.close();
        channel.runPendingTasks();
        assertThat(told.said()).isEqualTo("200 stream ");
        told.full(false);
        call.reading(true);
        channel.runPendingTasks();
        assertThat(told.said()).isEqualTo("200 stream data: a\n\n whole");
    }

    private CallRecorder send() {
        return send(new Http1Call(connection));
    }

    private CallRecorder send(Http1Call call) {
        var told = new CallRecorder(call, channel.alloc());
        call.sendWhole(request(), Unpooled.EMPTY_BUFFER, told);
        return told;
    }

    private static HttpRequest request() {
        var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.POST, "/");
        request.headers().set(HttpHeaderNames.HOST, "up");
        return request;
    }

    private void read(String... reads) {
        for (String read : reads) {
            if (channel.isOpen() && !read.isEmpty()) {
                channel.writeInbound(Unpooled.copiedBuffer(read, StandardCharsets.US_ASCII));
                channel.runPendingTasks();
            }
        }
    }

    private void advance(long ms) {
        channel.advanceTimeBy(ms, TimeUnit.MILLISECONDS);
        channel.runScheduledPendingTasks();
        channel.runPendingTasks();
    }

    /** The kernel takes no more; what has come can still be read. */
    private void failToSend() {
        channel.outputShutdown = true;
        channel.pipeline().fireExceptionCaught(new IOException("Broken pipe"));
        channel.runPendingTasks();
    }

    private static byte[] gzip(String text) throws IOException {
        var out = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(out)) {
            gzip.write(text.getBytes(StandardCharsets.US_ASCII));
        }
        return out.toByteArray();
    }

    /** Keeps what it is given, and closes nothing. */
    private final class Pool implements Http1Connection.Owner {
        private final List<Http1Connection> idle = new ArrayList<>();
        private final List<Http1Connection> closed = new ArrayList<>();
        private final Turns reads = new Turns(channel.eventLoop(), 32);

        @Override
        public Origin origin() {
            return new Origin("up", "127.0.0.1", 9, null, null, 1, 1_000_000_000L, 1_000, Upstream.Http.DEFAULT);
        }

        @Override
        public Turns reads() {
            return reads;
        }

        @Override
        public void put(Http1Connection connection) {
            idle.add(connection);
        }

        @Override
        public void onClosed(Http1Connection connection) {
            closed.add(connection);
        }
    }

    /** A channel whose output can be shut down alone. */
    private static final class Wire extends EmbeddedChannel implements DuplexChannel {
        private boolean outputShutdown;

        @Override
        public boolean isOutputShutdown() {
            return outputShutdown;
        }

        @Override
        public boolean isInputShutdown() {
            return false;
        }

        @Override
        public boolean isShutdown() {
            return false;
        }

        @Override
        public ChannelFuture shutdownInput() {
            throw new UnsupportedOperationException();
        }

        @Override
        public ChannelFuture shutdownInput(ChannelPromise promise) {
            throw new UnsupportedOperationException();
        }

        @Override
        public ChannelFuture shutdownOutput() {
            throw new UnsupportedOperationException();
        }

        @Override
        public ChannelFuture shutdownOutput(ChannelPromise promise) {
            throw new UnsupportedOperationException();
        }

        @Override
        public ChannelFuture shutdown() {
            throw new UnsupportedOperationException();
        }

        @Override
        public ChannelFuture shutdown(ChannelPromise promise) {
            throw new UnsupportedOperationException();
        }
    }
}
