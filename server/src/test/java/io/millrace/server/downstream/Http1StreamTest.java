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
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelPromise;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class Http1StreamTest {
    private final ResponseEncoder encoder = new ResponseEncoder();
    private final EmbeddedChannel channel = new EmbeddedChannel(encoder);
    private final ClientOutput output = Outputs.first(channel);
    private final Told connection = new Told();

    @AfterEach
    void close() {
        channel.finishAndReleaseAll();
    }

    /** Which connection field the head of a body has, and whether the connection can be used again. */
    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                // version, Connection of the request, last request, length known; Connection of the response, coding,
                // closes
                "HTTP/1.1, -, false, true, -, -, false",
                "HTTP/1.1, -, false, false, -, chunked, false",
                "HTTP/1.1, close, false, true, close, -, true",
                "HTTP/1.1, -, true, true, close, -, true",
                "HTTP/1.0, -, false, true, close, -, true",
                "HTTP/1.0, keep-alive, false, true, keep-alive, -, false",
                "HTTP/1.0, keep-alive, false, false, close, -, true"
            })
    void saysInTheHeadWhetherTheConnectionStays(
            String version,
            String asked,
            boolean last,
            boolean lengthKnown,
            String said,
            String coding,
            boolean closes) {
        Http1Stream stream = stream(request(version, asked), last);
        stream.onRequestComplete();
        HttpResponse head = ok();
        if (lengthKnown) {
            head.headers().set(HttpHeaderNames.CONTENT_LENGTH, 2);
        }
        stream.writeHead(head);
        stream.writeBody(Unpooled.copiedBuffer("hi", StandardCharsets.US_ASCII));
        stream.end();

        assertThat(head.headers().get(HttpHeaderNames.CONNECTION)).isEqualTo(said);
        assertThat(head.headers().get(HttpHeaderNames.TRANSFER_ENCODING)).isEqualTo(coding);
        assertThat(connection.told).containsExactly(closes ? "closes" : "goes on");
        assertThat(sent()).contains("chunked".equals(coding) ? "2\r\nhi\r\n0\r\n\r\n" : "hi");
    }

    @Test
    void givesTheAnswerToAHeadNoCoding() {
        encoder.answersHead(true);
        Http1Stream stream = stream(request("HTTP/1.1", null), false);
        stream.onRequestComplete();
        HttpResponse head = ok();
        stream.writeHead(head);
        stream.end();

        assertThat(head.headers().contains(HttpHeaderNames.TRANSFER_ENCODING)).isFalse();
        assertThat(sent()).endsWith("\r\n\r\n");
    }

    @Test
    void closesBehindAnAnswerToARequestThatIsNotComplete() {
        Http1Stream stream = stream(request("HTTP/1.1", null), false);
        stream.respond(413, "{}".getBytes(StandardCharsets.US_ASCII), new DefaultHttpHeaders());

        assertThat(sent()).contains("connection: close").endsWith("{}");
        assertThat(connection.told).containsExactly("closes");
    }

    @Test
    void writesAnEventStreamThatWasHeld() {
        Http1Stream stream = stream(request("HTTP/1.1", null), false);
        stream.onRequestComplete();
        FrameSink sink = stream.newSink();
        append(sink, "data: a\n\n");
        assertThat(stream.responseStarted()).isFalse();
        assertThat(sent()).isEmpty();

        stream.beginStream(ok(), sink);
        stream.end();

        assertThat(sent())
                .contains("transfer-encoding: chunked", "connection: keep-alive")
                .endsWith("9\r\ndata: a\n\n\r\n0\r\n\r\n");
        assertThat(connection.told).containsExactly("goes on");
    }

    @Test
    void addsWhatIsSaidAboutOriginsInPlaceOfWhatTheResponseSays() {
        Http1Stream stream = stream(request("HTTP/1.1", null), false);
        stream.addToResponse(new DefaultHttpHeaders()
                .set("access-control-allow-origin", "http://a")
                .set("vary", "Origin"));
        HttpResponse head = ok();
        head.headers()
                .set("access-control-allow-origin", "*")
                .set("access-control-allow-credentials", "true")
                .set("vary", "Accept");
        stream.writeHead(head);
        stream.end();

        assertThat(head.headers().getAll("access-control-allow-origin")).containsExactly("http://a");
        assertThat(head.headers().contains("access-control-allow-credentials")).isFalse();
        assertThat(head.headers().getAll("vary")).containsExactly("Accept", "Origin");
    }

    @ParameterizedTest
    @CsvSource({"HTTP/1.1, goes on", "HTTP/1.0, cut"})
    void tellsTheConnectionHowAStreamFailed(String version, String told) {
        Http1Stream stream = stream(request(version, null), false);
        stream.onRequestComplete();
        FrameSink sink = stream.newSink();
        stream.beginStream(ok(), sink);
        append(sink, "event: error\n\n");
        stream.end(ClientStream.End.IN_ERROR, null);

        assertThat(connection.told).containsExactly(told);
        assertThat(sent()).contains("event: error\n\n");
    }

    @Test
    void tellsWhenTheKernelHasAll() {
        Http1Stream stream = stream(request("HTTP/1.1", null), false);
        FrameSink sink = stream.newSink();
        stream.beginStream(ok(), sink);
        stream.end(ClientStream.End.WHOLE, () -> connection.told.add("taken"));

        assertThat(connection.told).containsExactly("taken", "closes");
    }

    @Test
    void letsGoOfWhatWasNotWrittenWhenItIsReset() {
        Http1Stream stream = stream(request("HTTP/1.1", null), false);
        FrameSink sink = stream.newSink();
        stream.beginStream(ok(), sink);
        append(sink, "data: a\n\n");
        stream.reset();

        assertThat(sink.hasPending()).isFalse();
        assertThat(stream.listener()).isNull();
        assertThat(connection.told).containsExactly("reset");
        assertThat(sent()).isEmpty();
    }

    private Http1Stream stream(HttpRequest request, boolean last) {
        var memory = new MemoryAccount(1, MemoryBudget.ofJvm()).loop(0);
        var bytes = new ClientBytes(channel, memory, () -> 0, Duration.ofDays(1));
        var terms = ConnectionTerms.plain(Listener.at(new HostAndPort("127.0.0.1", 0)), Protocol.HTTP_1_1);
        var context = new ConnectionContext(
                channel,
                terms,
                null,
                null,
                memory,
                null,
                Limits.DEFAULT,
                Timeouts.DEFAULT,
                Http2.DEFAULT,
                AddressSet.NONE,
                new AddressDebts(System::nanoTime));
        return new Http1Stream(connection, context, encoder, output, bytes, request, last);
    }

    private static HttpRequest request(String version, String connection) {
        var request = new DefaultHttpRequest(HttpVersion.valueOf(version), HttpMethod.POST, "/");
        if (connection != null) {
            request.headers().set(HttpHeaderNames.CONNECTION, connection);
        }
        return request;
    }

    private static HttpResponse ok() {
        return new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
    }

    private static void append(FrameSink sink, String frames) {
        ByteBuf buf = Unpooled.copiedBuffer(frames, StandardCharsets.US_ASCII);
        sink.append(buf, 0, buf.writerIndex());
        buf.release();
    }

    private String sent() {
        channel.flush();
        var sent = new StringBuilder();
        for (ByteBuf buf; (buf = channel.readOutbound()) != null; ) {
            sent.append(buf.toString(StandardCharsets.US_ASCII));
            buf.release();
        }
        return sent.toString();
    }

    /** A connection that notes what it is told. */
    private static final class Told implements Http1Stream.Connection {
        private final List<String> told = new ArrayList<>();

        @Override
        public boolean inRead() {
            return false;
        }

        @Override
        public void onEnd(ChannelPromise closing) {
            told.add(closing == null ? "goes on" : "closes");
        }

        @Override
        public void onCut(ChannelPromise written) {
            told.add("cut");
        }

        @Override
        public void reset() {
            told.add("reset");
        }
    }
}
