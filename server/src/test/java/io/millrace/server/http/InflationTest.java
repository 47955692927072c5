package io.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class InflationTest {
    private static final String TEXT = "data: {\"a\":1}\n\n".repeat(50) + "data: end\n\n";

    /** What a body may be compressed with. */
    private enum Coding {
        GZIP("gzip"),
        ZLIB("deflate"),
        RAW("deflate");

        private final String name;

        Coding(String name) {
            this.name = name;
        }

        private byte[] code(String text) throws IOException {
            var bytes = new ByteArrayOutputStream();
            try (OutputStream out = switch (this) {
                case GZIP -> new GZIPOutputStream(bytes);
                case ZLIB -> new DeflaterOutputStream(bytes);
                case RAW -> new DeflaterOutputStream(bytes, new Deflater(Deflater.DEFAULT_COMPRESSION, true));
            }) {
                out.write(text.getBytes(StandardCharsets.US_ASCII));
            }
            return bytes.toByteArray();
        }
    }

    @ParameterizedTest
    @EnumSource
    void tellsAWholeBodyFromOneThatIsCutAnywhere(Coding coding) throws IOException {
        byte[] coded = coding.code(TEXT);
        for (int length = 0; length <= coded.length; length++) {
            try (Inflation inflation = Inflation.of(coding.name)) {
                String text = inflate(inflation, coded, length, 7);
                assertThat(inflation.isWhole()).as("%s bytes", length).isEqualTo(length == 0 || length == coded.length);
                assertThat(TEXT).startsWith(text);
                assertThat(text.length() == TEXT.length() || !inflation.isWhole() || length == 0)
                        .isTrue();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 9, 100, 1000})
    void readsOneMemberAfterAnother(int read) throws IOException {
        var members = new ByteArrayOutputStream();
        members.write(Coding.GZIP.code(TEXT));
        members.write(Coding.GZIP.code(""));
        int second = members.size();
        members.write(Coding.GZIP.code("more"));
        byte[] coded = members.toByteArray();
        try (Inflation inflation = Inflation.of("gzip")) {
            assertThat(inflate(inflation, coded, coded.length, read)).isEqualTo(TEXT + "more");
            assertThat(inflation.isWhole()).isTrue();
        }
        for (int length : new int[] {second + 1, second + 11, coded.length - 1}) {
            try (Inflation inflation = Inflation.of("gzip")) {
                inflate(inflation, coded, length, read);
                assertThat(inflation.isWhole()).isFalse();
            }
        }
    }

    private static String inflate(Inflation inflation, byte[] coded, int length, int read) {
        var text = new StringBuilder();
        for (int at = 0; at < length; at += read) {
            ByteBuf in = Unpooled.wrappedBuffer(coded, at, Math.min(read, length - at));
            try {
                inflation.inflate(in, piece -> text.append(piece.toString(StandardCharsets.US_ASCII)));
            } finally {
                in.release();
            }
        }
        return text.toString();
    }
}
