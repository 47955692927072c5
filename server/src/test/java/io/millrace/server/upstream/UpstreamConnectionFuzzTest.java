package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.millrace.server.config.Upstream;
import io.millrace.server.test.Pieces;
import io.millrace.server.timing.Sweeper;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequestEncoder;
import io.netty.handler.codec.http.HttpVersion;
import java.util.List;
import org.junit.jupiter.api.Tag;

/**
 * An answer has the same meaning however it is cut. It ends once, whole or broken, and no later byte is read as a part
 * of it.
 */
@Tag("fuzz")
class UpstreamConnectionFuzzTest {
    private static final String[] WORDS = {
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 200 OK\r\n",
        "HTTP/1.1 204 No\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 101 S\r\n",
        "HTTP/1.1 99999 X\r\n",
        "http/1.1 200 OK\r\n",
        "Content-Type: text/event-stream\r\n",
        "Content-Type: application/json\r\n",
        "Content-Length: 9\r\n",
        "Content-Length: 0\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Content-Encoding: br\r\n",
        "Connection: close\r\n",
        "X: y\r\n",
        ":",
        "\r\n",
        "\n",
        "\r",
        " ",
        "\0",
        "data: a\n\n",
        "9\r\ndata: a\n\n\r\n",
        "9 \r\ndata: b\n\n\r\n",
        "9;x=y\r\ndata: c\n\n\r\n",
        "0\r\n\r\n",
        "0\r\nA: b\r\n\r\n",
        "g\r\n"
    };

    @FuzzTest(maxDuration = "20s")
    void answersMeanOneThingOnly(FuzzedDataProvider fuzz) {
        HttpMethod method = fuzz.consumeInt(0, 7) == 0 ? HttpMethod.HEAD : HttpMethod.POST;
        int[] cuts = Pieces.cuts(fuzz);
        byte[] bytes = Pieces.text(fuzz, WORDS);
        String heard = null;
        for (List<byte[]> reads : Pieces.waysToRead(bytes, cuts)) {
            String now = hear(method, reads);
            if (heard != null) {
                assertThat(now).as(Pieces.printable(bytes)).isEqualTo(heard);
            }
            heard = now;
        }
    }

    private static String hear(HttpMethod method, List<byte[]> reads) {
        var alloc = new UnpooledByteBufAllocator(false, true);
        var channel = new EmbeddedChannel();
        channel.config().setAllocator(alloc);
        var sweeper = new Sweeper(channel.eventLoop(), Long.MAX_VALUE / 4);
        var pool = new UpstreamPool(
                new Origin("fuzz", "127.0.0.1", 9, null, null, 1, Long.MAX_VALUE / 4, 1, Upstream.Http.DEFAULT),
                null,
                sweeper,
                (upstream, tookNs) -> {});
        var decoder = new ResponseDecoder(new HttpDecoderConfig().setMaxChunkSize(Integer.MAX_VALUE));
        var connection = new Http1Connection(pool, decoder);
        channel.pipeline().addLast(decoder, new HttpRequestEncoder(), connection);
        var call = new Http1Call(connection);
        var listener = new CallRecorder(call, alloc);
        var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, method, "/");
        request.headers().set(HttpHeaderNames.HOST, "fuzz");
        call.send(request, listener);
        call.endRequest();
        for (byte[] read : reads) {
            if (channel.isOpen()) {
                channel.writeInbound(Pieces.buffer(alloc, read));
                channel.runPendingTasks();
            }
        }
        channel.finishAndReleaseAll();
        assertThat(listener.ends()).as("ends of " + listener.said()).isEqualTo(1);
        assertThat(alloc.metric().usedHeapMemory()).as("held after the end").isZero();
        return listener.said();
    }
}
