package io.millrace.server.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.ReadListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamBodyTest {
    private static final String CHUNKS = "9\r\ndata: a\n\n\r\n9\r\ndata: b\n\n\r\n9\r\ndata: c\n\n\r\n";

    /** What is whole can be forwarded as it is, so a read that begins inside a chunk must not lose it. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 8, 12, 13})
    void tellsOfEachWholeChunkOfARead(int cut) {
        var chunks = new ArrayList<String>();
        var head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK);
        head.headers().set(HttpHeaderNames.TRANSFER_ENCODING, HttpHeaderValues.CHUNKED);
        try (var frames = new SseFrameDecoder(UnpooledByteBufAllocator.DEFAULT)) {
            var listener = new Chunks(chunks);
            StreamBody body = StreamBody.of(head, frames, listener, listener);
            read(body, CHUNKS.substring(0, cut));
            read(body, CHUNKS.substring(cut));
        }

        List<String> whole = List.of("9\r\ndata: b\n\n\r\n", "9\r\ndata: c\n\n\r\n");
        assertThat(chunks).endsWith(whole.toArray(String[]::new)).hasSize(cut == 0 ? 3 : 2);
    }

    private static void read(StreamBody body, String bytes) {
        ByteBuf in = Unpooled.copiedBuffer(bytes, StandardCharsets.US_ASCII);
        try {
            body.read(in);
        } finally {
            in.release();
        }
    }

    private static final class Chunks implements StreamListener, ReadListener {
        private final List<String> chunks;
        private ByteBuf raw;

        Chunks(List<String> chunks) {
            this.chunks = chunks;
        }

        @Override
        public void onRead(ByteBuf read) {
            raw = read;
        }

        @Override
        public void onChunk(int start, int data, int end) {
            chunks.add(raw.toString(start, end - start, StandardCharsets.US_ASCII));
        }

        @Override
        public void onReadEnd() {
            raw = null;
        }

        @Override
        public void onFrame(ByteBuf buf, int start, int end) {}

        @Override
        public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {}

        @Override
        public void onLateLineFeed(ByteBuf buf, int index) {}
    }
}
