package io.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChunkedBodyTest {
    private static final String BODY =
            "5\r\nhello\r\n00C;a=\"b\"\r\n wor\r\nld\r\n!!\r\n1\r\n\n\r\n0;x\r\nA: b\r\nC:\r\n\r\n";
    private static final String CONTENT = "hello wor\r\nld\r\n!!\n";

    @Test
    void readsTheSameHoweverTheBytesAreSplit() {
        assertThat(read(ChunkedBody.ofRequest(), BODY, BODY.length())).isEqualTo(CONTENT);
        for (int first = 0; first <= BODY.length(); first++) {
            assertThat(read(ChunkedBody.ofRequest(), BODY, first)).isEqualTo(CONTENT);
        }
        for (int size = 1; size < 8; size++) {
            var body = ChunkedBody.ofResponse();
            var content = new StringBuilder();
            for (int i = 0; i < BODY.length(); i += size) {
                feed(body, BODY.substring(i, Math.min(BODY.length(), i + size)), content);
            }
            assertThat(body.ended()).isTrue();
            assertThat(content).hasToString(CONTENT);
        }
    }

    @Test
    void leavesWhatFollowsTheBodyInTheBuffer() {
        var body = ChunkedBody.ofRequest();
        ByteBuf in = Unpooled.copiedBuffer("0\r\n\r\nGET /", StandardCharsets.US_ASCII);
        assertThat(body.nextData(in)).isEqualTo(ChunkedBody.END);
        assertThat(in.toString(StandardCharsets.US_ASCII)).isEqualTo("GET /");
        assertThat(body.nextData(in)).isEqualTo(ChunkedBody.END);
        assertThat(in.readableBytes()).isEqualTo(5);
        in.release();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\r\n",
                "g\r\n",
                "-1\r\n",
                "+1\r\n",
                " 1\r\n",
                "1 1\r\n",
                "1\t;\n",
                "1 a\r\n",
                "1\n",
                "1\rX",
                "0x1\r\n",
                "00000000000000001\r\n",
                "1000000000000000\r\n0",
                "1\r\nab",
                "1\r\na\n",
                "1\r\na\rb",
                "1;\n",
                "1;a\0",
                "1;a\rb",
                "1;a=\"b\r\n",
                "1;a=\"b\\\"\r\n",
                "1;a\u007f",
                "0\r\n\n",
                "0\r\n\rx",
                "0\r\na\n",
                "0\r\na\rb",
                "\u00b2\r\n",
                "\u0663\r\n",
            })
    void refusesWhatBreaksTheGrammar(String bytes) {
        // The largest size that is legal is too long to be there, so its case needs one digit more.
        String input = bytes.startsWith("1000") ? "1" + bytes : bytes;
        assertThatThrownBy(() -> read(ChunkedBody.ofRequest(), input, 1)).isInstanceOf(CorruptedFrameException.class);
        assertThatThrownBy(() -> read(ChunkedBody.ofResponse(), input, input.length()))
                .isInstanceOf(CorruptedFrameException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1\r\na\r\n0\r\nX\r\n\r\n",
                "1\r\na\r\n0\r\n X: y\r\n\r\n",
                "0\r\nX : y\r\n\r\n",
                "0\r\n: y\r\n\r\n",
                "0\r\nX: y\0\r\n\r\n",
                "0\r\nX: \u0001\r\n\r\n",
                "0\r\nX: \u007f\r\n\r\n",
                "0\r\nX\0: y\r\n\r\n",
                "0\r\nX: y\r\n z\r\n\r\n",
                "0\r\nX: y\r\n\tz\r\n\r\n",
                "0\r\nA: 1\r\nGET / HTTP/1.1\r\n\r\n",
                "0;a=\"x\r\ny\"\r\n\r\n",
            })
    void refusesTrailersOfARequestThatAreNoFields(String bytes) {
        assertThatThrownBy(() -> read(ChunkedBody.ofRequest(), bytes, 1)).isInstanceOf(CorruptedFrameException.class);
        assertThatThrownBy(() -> read(ChunkedBody.ofRequest(), bytes, bytes.length()))
                .isInstanceOf(CorruptedFrameException.class);
    }

    /** A reader that trims its lines would take such a line for the end of the body. */
    @ParameterizedTest
    @ValueSource(strings = {"0\r\n \r\n\r\n", "0\r\nA: b\r\n \t\r\n\r\n", "0\r\n\u001c\r\nHTTP/1.1 200 OK\r\n\r\n"})
    void refusesTrailersOfAResponseThatAreBlank(String bytes) {
        assertThatThrownBy(() -> read(ChunkedBody.ofResponse(), bytes, 1)).isInstanceOf(CorruptedFrameException.class);
        assertThatThrownBy(() -> read(ChunkedBody.ofResponse(), bytes, bytes.length()))
                .isInstanceOf(CorruptedFrameException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1;x",
                "1;a=b",
                "1 ;a=\"b c\"",
                "1 ; a = b",
                "1\t;a;b=c",
                "1;sig=\"x;y=\\\"z\"",
                "1;a=\"\\\\\"",
                "1  \t;a",
            })
    void takesWhiteSpaceBeforeExtensionsFromBothSides(String size) {
        String bytes = size + "\r\na\r\n0" + size.substring(1) + "\r\nA: b\r\nc:\td\u00e9\r\n\r\n";
        for (int first = 0; first <= bytes.length(); first++) {
            assertThat(read(ChunkedBody.ofRequest(), bytes, first)).isEqualTo("a");
            assertThat(read(ChunkedBody.ofResponse(), bytes, first)).isEqualTo("a");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"1 ", "1\t", "1       ", "001 \t "})
    void takesWhiteSpaceBehindTheSizeFromAnUpstreamOnly(String size) {
        String bytes = size + "\r\na\r\n0  \r\n\r\n";
        assertThat(read(ChunkedBody.ofResponse(), bytes, 1)).isEqualTo("a");
        assertThat(read(ChunkedBody.ofResponse(), bytes, bytes.length())).isEqualTo("a");
        assertThatThrownBy(() -> read(ChunkedBody.ofRequest(), bytes, 1)).isInstanceOf(CorruptedFrameException.class);
    }

    @Test
    void boundsWhiteSpaceBehindTheSize() {
        String bytes = "1" + " ".repeat(5000) + "\r\na\r\n0\r\n\r\n";
        assertThatThrownBy(() -> read(ChunkedBody.ofResponse(), bytes, 7)).isInstanceOf(TooLongFrameException.class);
    }

    @Test
    void dropsWhatComesBehindABreakOfTheGrammar() {
        for (ChunkedBody body : List.of(ChunkedBody.ofRequest(), ChunkedBody.ofResponse())) {
            assertThatThrownBy(() -> feed(body, "5 5", new StringBuilder())).isInstanceOf(DecoderException.class);
            var content = new StringBuilder();
            assertThat(feed(body, "\r\nhello\r\n0\r\n\r\n", content)).isZero();
            assertThat(content).isEmpty();
            assertThat(body.ended()).isFalse();
        }
    }

    @Test
    void readsSizesOfUpToSixteenDigits() {
        assertThat(read(ChunkedBody.ofRequest(), "0000000000000001\r\na\r\n0000000000000000\r\n\r\n", 3))
                .isEqualTo("a");
        var body = ChunkedBody.ofRequest();
        assertThat(feed(body, "FFFFFFFFFFFFFFF\r\nabc", new StringBuilder())).isZero();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "5-+hello-+|5",
                "00005-+hello-+0-+-+|5",
                "aB-+" + "x171" + "-+|171",
                "5-+hello-|0",
                "5-+hello|0",
                "5-+hell|0",
                "5-|0",
                "5|0",
                "''|0",
                "5-+hello++|0",
                "5;x-+hello-+|0",
                "5 -+hello-+|0",
                "0-+-+|0",
                "0000005-+hello-+|0",
                "-+|0",
            })
    void knowsAChunkThatIsHereAsAWhole(String bytes, int length) {
        String text = bytes.replace('-', '\r').replace('+', '\n').replace("x171", "x".repeat(171));
        ByteBuf in = Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII);
        assertThat(ChunkedBody.ofResponse().nextWholeChunk(in)).isEqualTo(length);
        assertThat(in.readerIndex()).isEqualTo(length == 0 ? 0 : text.indexOf('\n') + 1);
        in.release();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 6, 7})
    void chunksBehindACutOneAreWhole(int at) {
        String bytes = "3\r\nabc\r\n2\r\nde\r\n4\r\nfghi\r\n";
        ChunkedBody body = ChunkedBody.ofResponse();
        ByteBuf first = Unpooled.copiedBuffer(bytes.substring(0, at), StandardCharsets.US_ASCII);
        ByteBuf second = Unpooled.copiedBuffer(bytes.substring(at), StandardCharsets.US_ASCII);
        int whole = 0;
        for (ByteBuf in : List.of(first, second)) {
            whole = 0;
            while (true) {
                body.endChunk(in);
                int length = body.nextWholeChunk(in);
                if (length > 0) {
                    whole += length;
                    in.skipBytes(length + ChunkedBody.CHUNK_END);
                    continue;
                }
                length = body.nextData(in);
                if (length <= 0) {
                    break;
                }
                in.skipBytes(length);
            }
            in.release();
        }
        assertThat(whole).isEqualTo("defghi".length());
    }

    @ParameterizedTest
    @CsvSource({"64, true", "65, false"})
    void boundsOneExtension(int length, boolean legal) {
        String bytes = "1;" + "x".repeat(length) + "\r\na\r\n0\r\n\r\n";
        if (legal) {
            assertThat(read(ChunkedBody.ofRequest(), bytes, 5)).isEqualTo("a");
        } else {
            assertThatThrownBy(() -> read(ChunkedBody.ofRequest(), bytes, 5)).isInstanceOf(TooLongFrameException.class);
        }
        assertThat(read(ChunkedBody.ofResponse(), bytes, 5)).isEqualTo("a");
    }

    @Test
    void boundsAllExtensionsOfARequest() {
        String chunk = "1;" + "x".repeat(64) + "\r\na\r\n";
        assertThatCode(() -> read(ChunkedBody.ofRequest(), chunk.repeat(16), 7)).doesNotThrowAnyException();
        assertThatThrownBy(() -> read(ChunkedBody.ofRequest(), chunk.repeat(17), 7))
                .isInstanceOf(TooLongFrameException.class);
        assertThat(read(ChunkedBody.ofResponse(), chunk.repeat(100) + "0\r\n\r\n", 7))
                .hasSize(100);
    }

    @Test
    void boundsTheWorkThatAClientsSmallChunksMake() {
        String tiny = "1\r\na\r\n";
        int free = 256 * 1024;
        assertThat(read(ChunkedBody.ofRequest(), tiny.repeat(free) + "0\r\n\r\n", 4))
                .hasSize(free);
        assertThatThrownBy(() -> read(ChunkedBody.ofRequest(), tiny.repeat(free + 1), 4))
                .isInstanceOf(TooLongFrameException.class)
                .hasMessageContaining("at least 64");
        assertThat(read(ChunkedBody.ofResponse(), tiny.repeat(free + 1) + "0\r\n\r\n", 4))
                .hasSize(free + 1);
        String large = "40\r\n" + "a".repeat(64) + "\r\n";
        assertThat(read(ChunkedBody.ofRequest(), large.repeat(1000) + "0\r\n\r\n", 11))
                .hasSize(64_000);
    }

    @Test
    void boundsTrailers() {
        String field = "X: " + "a".repeat(1000) + "\r\n";
        assertThat(read(ChunkedBody.ofRequest(), "0\r\n" + field.repeat(8) + "\r\n", 9))
                .isEmpty();
        assertThatThrownBy(() -> read(ChunkedBody.ofRequest(), "0\r\n" + field.repeat(9), 9))
                .isInstanceOf(CorruptedFrameException.class);
    }

    @Test
    void agreesWithItselfOnRandomBytesHoweverTheyAreSplit() {
        var random = new Random(42);
        char[] alphabet = "0123af;\r\n\r\n\r\nxX: \0".toCharArray();
        for (int round = 0; round < 20_000; round++) {
            var bytes = new StringBuilder(random.nextBoolean() ? "3\r\nabc\r\n" : "");
            for (int i = random.nextInt(24); i > 0; i--) {
                bytes.append(alphabet[random.nextInt(alphabet.length)]);
            }
            String text = bytes.toString();
            assertThat(outcome(text, 1)).as(text).isEqualTo(outcome(text, Math.max(1, text.length())));
            int cut = 1 + random.nextInt(Math.max(1, text.length()));
            assertThat(outcome(text, cut)).as(text).isEqualTo(outcome(text, 1));
        }
    }

    private static String outcome(String bytes, int size) {
        var body = ChunkedBody.ofRequest();
        var content = new StringBuilder();
        try {
            for (int i = 0; i < bytes.length() && !body.ended(); i += size) {
                feed(body, bytes.substring(i, Math.min(bytes.length(), i + size)), content);
            }
        } catch (DecoderException e) {
            return content + " then " + e.getClass().getSimpleName();
        }
        return content + (body.ended() ? " ended" : " open");
    }

    private static String read(ChunkedBody body, String bytes, int firstLength) {
        var content = new StringBuilder();
        feed(body, bytes.substring(0, firstLength), content);
        feed(body, bytes.substring(firstLength), content);
        return content.toString();
    }

    private static int feed(ChunkedBody body, String bytes, StringBuilder content) {
        ByteBuf in = Unpooled.copiedBuffer(bytes, StandardCharsets.ISO_8859_1);
        try {
            while (true) {
                body.endChunk(in);
                int whole = body.nextWholeChunk(in);
                int length = whole > 0 ? whole : body.nextData(in);
                if (length <= 0) {
                    return length;
                }
                content.append(in.readCharSequence(length, StandardCharsets.ISO_8859_1));
                in.skipBytes(whole > 0 ? ChunkedBody.CHUNK_END : 0);
            }
        } finally {
            in.release();
        }
    }
}
