package io.millrace.server.downstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Http2;
import io.millrace.server.config.Limits;
import io.netty.buffer.ByteBuf;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class Http2CodecTest {
    @Test
    void goAwayHasTheWordsOfAnErrorAndNotThoseOfAFault() {
        assertThat(written(Http2Exception.connectionError(Http2Error.PROTOCOL_ERROR, "a wrong frame")))
                .contains("a wrong frame");
        assertThat(written(new IllegalStateException("inner words"))).doesNotContain("inner", "null");
        assertThat(written(new NullPointerException())).doesNotContain("null");
    }

    /** What the client gets after {@code cause}. */
    private static String written(Throwable cause) {
        Http2Codec codec = Http2Codec.of(Limits.DEFAULT, Http2.DEFAULT);
        var channel = new EmbeddedChannel(codec);
        codec.onError(codec.context(), false, cause);
        channel.flushOutbound();
        var all = new StringBuilder();
        for (ByteBuf each = channel.readOutbound(); each != null; each = channel.readOutbound()) {
            all.append(each.toString(StandardCharsets.ISO_8859_1));
            each.release();
        }
        channel.finishAndReleaseAll();
        return all.toString();
    }
}
