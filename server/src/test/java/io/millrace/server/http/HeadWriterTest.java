package io.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandler;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http.DefaultHttpRequest;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequestEncoder;
import io.netty.handler.codec.http.HttpResponseEncoder;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.util.AsciiString;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** Compares with Netty's own encoders. */
class HeadWriterTest {
    @Test
    void writesRequestsAsNettyDoes() {
        for (HttpMethod method : new HttpMethod[] {HttpMethod.POST, HttpMethod.GET, HttpMethod.valueOf("PURGE")}) {
            var request = new DefaultHttpRequest(HttpVersion.HTTP_1_1, method, "/v1/chat/completions?a=%20b");
            fill(request.headers());
            ByteBuf out = Unpooled.buffer();
            HeadWriter.write(request, out);
            assertThat(text(out)).isEqualTo(encoded(new HttpRequestEncoder(), request));
        }
    }

    @Test
    void writesResponsesAsNettyDoes() {
        for (var status : new HttpResponseStatus[] {HttpResponseStatus.OK, new HttpResponseStatus(529, "Overloaded")}) {
            var response = new DefaultHttpResponse(HttpVersion.HTTP_1_1, status);
            fill(response.headers());
            ByteBuf out = Unpooled.buffer();
            HeadWriter.write(response, out);
            assertThat(text(out)).isEqualTo(encoded(new HttpResponseEncoder(), response));
        }
    }

    private static void fill(HttpHeaders headers) {
        headers.add("content-length", 0);
        headers.add(AsciiString.cached("x-ascii"), AsciiString.cached("value"));
        headers.add("x-string", "two words, and \u00e9");
        headers.add("x-twice", "1");
        headers.add("x-twice", "2");
        headers.add("x-empty", "");
    }

    private static String encoded(ChannelHandler encoder, Object head) {
        var channel = new EmbeddedChannel(encoder);
        channel.writeOutbound(head);
        String encoded = text(channel.readOutbound());
        channel.finishAndReleaseAll();
        return encoded;
    }

    private static String text(ByteBuf buf) {
        String text = buf.toString(StandardCharsets.ISO_8859_1);
        buf.release();
        return text;
    }
}
