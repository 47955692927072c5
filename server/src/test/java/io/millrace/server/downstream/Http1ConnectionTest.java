package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.address.AddressDebts;
import io.millrace.server.address.AddressSet;
import io.millrace.server.config.Http2;
import io.millrace.server.config.Limits;
import io.millrace.server.config.ListenAddress.HostAndPort;
import io.millrace.server.config.Listener;
import io.millrace.server.config.Listener.Protocol;
import io.millrace.server.config.Timeouts;
import io.millrace.server.memory.MemoryAccount;
import io.millrace.server.memory.MemoryBudget;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Turns;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class Http1ConnectionTest {
    private static final String HEAD = "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";

    private final EmbeddedChannel channel = new EmbeddedChannel();
    /** Each call of its {@code runPendingTasks} is a turn. */
    private final EmbeddedChannel loop = new EmbeddedChannel();

    private final Turns turns = new Turns(loop.eventLoop(), 1);
    private final Told told = new Told();

    @AfterEach
    void close() {
        loop.finishAndReleaseAll();
        channel.finishAndReleaseAll();
    }

    @Test
    void answersAFaultOfTheRelayBy500() {
        told.failsAt = "request";
        open();
        send(HEAD);

        assertThat(sent()).startsWith("HTTP/1.1 500 ").contains("connection: close", "\"internal_error\"");
        assertThat(told.events).containsExactly("request", "refused 500 internal_error");
    }

    @Test
    void tellsAFaultOfTheRelayToTheListenerOfTheRequest() {
        told.failsAt = "body";
        open();
        send(HEAD);
        send("{}");

        assertThat(told.events).containsExactly("request", "body", "listener refused 500 internal_error");
    }

    @Test
    void answersARequestThatIsNotHttpBy400() {
        open();
        send("POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");

        assertThat(told.events).containsExactly("request", "listener refused 400 bad_request");
    }

    /** The client has done its part. So its time limit does not count, and a stop of the relay does not lose it. */
    @Test
    void requestThatWaitsForTheEventLoopIsNeitherLateNorLost() {
        var connection = open();
        assertThat(turns.take()).isTrue();
        send(HEAD);
        assertThat(told.events).isEmpty();

        connection.drain();
        connection.onSweep(System.nanoTime() + TimeUnit.HOURS.toNanos(1));
        loop.runPendingTasks();

        assertThat(told.events).containsExactly("request");
        assertThat(channel.isActive()).isTrue();
    }

    private Http1Connection open() {
        var memory = new MemoryAccount(1, new MemoryBudget(1 << 30, 1 << 30)).loop(0);
        var sweeper = new Sweeper(channel.eventLoop(), TimeUnit.MILLISECONDS.toNanos(100));
        var terms = ConnectionTerms.plain(Listener.at(new HostAndPort("127.0.0.1", 0)), Protocol.HTTP_1_1);
        var context = new ConnectionContext(
                channel,
                terms,
                told,
                sweeper,
                memory,
                turns,
                Limits.DEFAULT,
                Timeouts.DEFAULT,
                Http2.DEFAULT,
                AddressSet.NONE,
                new AddressDebts(System::nanoTime));
        var connection = new Http1Connection(context);
        connection.open(false);
        channel.pipeline().fireChannelActive();
        return connection;
    }

    private void send(String bytes) {
        channel.writeInbound(Unpooled.copiedBuffer(bytes, StandardCharsets.US_ASCII));
        channel.runPendingTasks();
    }

    private String sent() {
        var text = new StringBuilder();
        for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
            text.append(part.toString(StandardCharsets.US_ASCII));
            part.release();
        }
        return text.toString();
    }

    /** Notes what the connection tells, and fails where it is to. */
    private static final class Told implements RequestHandler, RequestListener {
        private final List<String> events = new ArrayList<>();
        private String failsAt;

        private void told(String event) {
            events.add(event);
            if (event.equals(failsAt)) {
                throw new IllegalStateException("a fault of the relay");
            }
        }

        @Override
        public RequestListener onRequest(ClientStream stream, HttpRequest request) {
            told("request");
            return this;
        }

        @Override
        public void onConnected(ClientConnection connection) {}

        @Override
        public void onDisconnected(ClientConnection connection) {}

        @Override
        public void onRefused(ClientStream stream, HttpRequest request, int status, String code) {
            told("refused " + status + " " + code);
        }

        @Override
        public void onRequestBody(ByteBuf content) {
            content.release();
            told("body");
        }

        @Override
        public void onRequestEnd() {
            told("end");
        }

        @Override
        public void onRequestReadComplete() {}

        @Override
        public void onRequestRefused(int status, String code, String message) {
            told("listener refused " + status + " " + code);
        }

        @Override
        public void onClientGone(String reason) {}

        @Override
        public void onWritable(boolean writable) {}

        @Override
        public void onSweep(long nowNs) {}
    }
}
