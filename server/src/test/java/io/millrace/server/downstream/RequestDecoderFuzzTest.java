package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.millrace.server.http.HeadWriter;
import io.millrace.server.test.Pieces;
import io.millrace.server.timing.Turns;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.LastHttpContent;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;

/**
 * Requests have the same meaning however they are cut. A request that passes the gate and is written out again is
 * exactly that request.
 */
@Tag("fuzz")
class RequestDecoderFuzzTest {
    /** Nothing waits for a turn. */
    private static final Turns ALL = new Turns(new EmbeddedChannel().eventLoop(), Integer.MAX_VALUE);

    private static final int MAX_FIELDS = 100;
    private static final int MAX_PIPELINED = 1 << 16;
    private static final String[] WORDS = {
        "GET / HTTP/1.1\r\n",
        "POST /v1/messages HTTP/1.1\r\n",
        "POST /a HTTP/1.0\r\n",
        "GET http://h/p HTTP/1.1\r\n",
        "GET",
        " ",
        "/",
        "/..",
        "%2e",
        "HTTP/1.1",
        "Host: a\r\n",
        "Host: b:80\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: 0\r\n",
        "Content-Length: 5, 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\tchunked \r\n",
        "transfer-encoding: identity\r\n",
        "Connection: keep-alive\r\n",
        "X: y\r\n",
        " folded\r\n",
        ":",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        "\0",
        "hello",
        "5\r\nhello\r\n",
        "0\r\n\r\n",
        "5;a=b\r\nhello\r\n",
        "0\r\nA: b\r\n\r\n"
    };

    @FuzzTest(maxDuration = "20s")
    void requestsMeanOneThingOnly(FuzzedDataProvider fuzz) {
        int[] cuts = Pieces.cuts(fuzz);
        byte[] bytes = Pieces.text(fuzz, WORDS);
        List<String> heard = null;
        for (List<byte[]> reads : Pieces.waysToRead(bytes, cuts)) {
            List<String> now = hear(reads);
            if (heard != null) {
                assertThat(now).as(Pieces.printable(bytes)).isEqualTo(heard);
            }
            heard = now;
        }
    }

    /** Each request that passes, its body, and a refusal if there is one: then the connection is over. */
    private static List<String> hear(List<byte[]> reads) {
        var alloc = new UnpooledByteBufAllocator(false, true);
        var decoder = new RequestDecoder(new HttpDecoderConfig(), MAX_PIPELINED, ALL);
        var channel = new EmbeddedChannel(decoder);
        channel.config().setAllocator(alloc);
        var heard = new Heard();
        for (byte[] read : reads) {
            if (heard.refused) {
                break;
            }
            try {
                channel.writeInbound(Pieces.buffer(alloc, read));
                heard.drain(channel, decoder);
                channel.checkException();
            } catch (DecoderException e) {
                heard.drain(channel, decoder);
                heard.refuse();
            }
        }
        close(channel);
        assertThat(alloc.metric().usedHeapMemory()).as("held after the end").isZero();
        return heard.said;
    }

    /** What is left undecoded is looked at once more, and may be found wrong when it is too late to refuse it. */
    private static void close(EmbeddedChannel channel) {
        try {
            channel.finishAndReleaseAll();
        } catch (DecoderException e) {
            channel.releaseInbound();
        }
    }

    private static final class Heard {
        private final List<String> said = new ArrayList<>();
        private StringBuilder body = new StringBuilder();
        private boolean refused;

        private void refuse() {
            if (!refused) {
                said.add("body until then: " + body);
                said.add("refused");
                refused = true;
            }
        }

        private void drain(EmbeddedChannel channel, RequestDecoder decoder) {
            Object message;
            while ((message = channel.readInbound()) != null) {
                if (!refused && message instanceof HttpRequest request) {
                    head(request);
                }
                if (message instanceof HttpContent content) {
                    body.append(content.content().toString(StandardCharsets.ISO_8859_1));
                    content.release();
                }
                if (!refused && message instanceof LastHttpContent) {
                    said.add("body: " + body);
                    body = new StringBuilder();
                    decoder.resume();
                }
            }
        }

        private void head(HttpRequest request) {
            if (RequestGate.verify(request, MAX_FIELDS, Long.MAX_VALUE) != null) {
                refuse();
                return;
            }
            request.headers().set(HttpHeaderNames.HOST, "upstream"); // as the relay does
            String written = written(request);
            said.add(written);
            assertThat(read(written)).isEqualTo(written);
        }
    }

    /** What another reader makes of a head: one head, and not a byte behind it. */
    private static String read(String head) {
        var channel = new EmbeddedChannel(new RequestDecoder(new HttpDecoderConfig(), MAX_PIPELINED, ALL));
        channel.writeInbound(Unpooled.copiedBuffer(head, StandardCharsets.ISO_8859_1));
        HttpRequest again = channel.readInbound();
        assertThat(RequestGate.verify(again, MAX_FIELDS, Long.MAX_VALUE)).isNull();
        channel.finishAndReleaseAll();
        return written(again);
    }

    private static String written(HttpRequest request) {
        ByteBuf out = Unpooled.buffer();
        HeadWriter.write(request, out);
        return out.toString(StandardCharsets.ISO_8859_1);
    }
}
