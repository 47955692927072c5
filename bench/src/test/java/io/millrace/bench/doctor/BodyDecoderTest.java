package io.millrace.bench.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

class BodyDecoderTest {
    private static final Map<String, String> CHUNKED = Map.of("transfer-encoding", "chunked");

    @Test
    void takesChunksApartHoweverTheyCome() throws DataFormatException {
        byte[] wire = utf8("5;x=y\r\nhello\r\nA\r\n, 0\r\n\r\nyou\r\n0\r\nTrailer: x\r\n\r\n");
        for (int size = 1; size <= wire.length; size++) {
            var decoder = new BodyDecoder(200, CHUNKED);
            assertThat(read(decoder, wire, size)).isEqualTo(utf8("hello, 0\r\n\r\nyou"));
            assertThat(decoder.whole()).isTrue();
        }
    }

    @Test
    void knowsThatABodyIsNotWhole() throws DataFormatException {
        var chunked = new BodyDecoder(200, CHUNKED);
        read(chunked, utf8("5\r\nhel"), 3);
        assertThat(chunked.whole()).isFalse();
        assertThat(chunked.closes()).isFalse();
        var measured = new BodyDecoder(200, Map.of("content-length", "5"));
        read(measured, utf8("hell"), 2);
        assertThat(measured.whole()).isFalse();
        read(measured, utf8("o"), 1);
        assertThat(measured.whole()).isTrue();
        var closing = new BodyDecoder(200, Map.of());
        read(closing, utf8("hello"), 2);
        assertThat(closing.whole()).isFalse();
        assertThat(closing.closes()).isTrue();
    }

    @Test
    void inflatesAsItComes() throws DataFormatException, IOException {
        byte[] text = utf8("data: token\n\n".repeat(500));
        var packed = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(packed)) {
            gzip.write(text);
        }
        var headers = Map.of("content-encoding", "gzip");
        for (int size : new int[] {1, 7, packed.size()}) {
            assertThat(read(new BodyDecoder(200, headers), packed.toByteArray(), size))
                    .isEqualTo(text);
        }
    }

    /** The gzip fields that {@code gzip FILE} and file servers write, in all combinations. */
    @Test
    void skipsWhateverAHeadOfGzipHas() throws DataFormatException, IOException {
        byte[] text = utf8("data: token\n\n".repeat(50));
        var packed = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(packed)) {
            gzip.write(text);
        }
        byte[] plain = packed.toByteArray();
        for (int flags = 0; flags < 32; flags++) {
            var wire = new ByteArrayOutputStream();
            wire.write(plain, 0, 3);
            wire.write(flags);
            wire.write(plain, 4, 6);
            wire.writeBytes((flags & 4) == 0 ? new byte[0] : new byte[] {2, 0, 0, 7});
            wire.writeBytes((flags & 8) == 0 ? new byte[0] : utf8("stream.txt\0"));
            wire.writeBytes((flags & 16) == 0 ? new byte[0] : utf8("a comment\0"));
            wire.writeBytes((flags & 2) == 0 ? new byte[0] : new byte[] {0, 9});
            wire.write(plain, 10, plain.length - 10);
            for (int size : new int[] {1, 5, wire.size()}) {
                var decoder = new BodyDecoder(200, Map.of("content-encoding", "gzip"));
                assertThat(read(decoder, wire.toByteArray(), size))
                        .as("flags " + flags)
                        .isEqualTo(text);
            }
        }
    }

    @Test
    void refusesWhatIsNoChunk() {
        var decoder = new BodyDecoder(200, CHUNKED);
        assertThatThrownBy(() -> read(decoder, utf8("zz\r\n"), 4)).isInstanceOf(DataFormatException.class);
    }

    private static byte[] read(BodyDecoder decoder, byte[] wire, int size) throws DataFormatException {
        var out = new ByteArrayOutputStream();
        for (int at = 0; at < wire.length; at += size) {
            int length = Math.min(size, wire.length - at);
            byte[] piece = new byte[length];
            System.arraycopy(wire, at, piece, 0, length);
            out.writeBytes(decoder.decode(piece, length));
        }
        return out.toByteArray();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
