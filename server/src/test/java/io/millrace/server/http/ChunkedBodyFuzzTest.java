package io.millrace.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.millrace.server.test.Pieces;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.DecoderException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;

/** A chunked body has the same meaning however it is cut. If it is accepted, a lenient reader reads the same body. */
@Tag("fuzz")
class ChunkedBodyFuzzTest {
    private static final String[] WORDS = {
        "\r\n",
        "0\r\n\r\n",
        "0\r\n",
        "5\r\nhello\r\n",
        "5",
        "A",
        "0",
        "00",
        "10",
        "FFFFFFFFFFFFFFFF",
        ";a=b",
        ";a=\"b\"",
        ";",
        " ",
        "\t",
        "\r",
        "\n",
        "hello",
        "x",
        "A: b\r\n",
        "A : b\r\n",
        "A\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "\0",
        "-1",
        "0x5"
    };

    /** What came of an input: the content until then, whether it ended, was refused or is unfinished, and what is left. */
    private record Outcome(String content, String end, int left) {}

    @FuzzTest(maxDuration = "20s")
    void bodiesMeanOneThingOnly(FuzzedDataProvider fuzz) {
        boolean request = fuzz.consumeBoolean();
        int[] cuts = Pieces.cuts(fuzz);
        byte[] bytes = Pieces.text(fuzz, WORDS);
        List<List<byte[]>> ways = Pieces.waysToRead(bytes, cuts);
        Outcome outcome = read(request, ways.get(0), false);
        for (List<byte[]> reads : ways) {
            for (boolean wholeFirst : new boolean[] {false, true}) {
                assertThat(read(request, reads, wholeFirst))
                        .as(Pieces.printable(bytes))
                        .isEqualTo(outcome);
            }
        }
        if (outcome.end().equals("ended")) {
            assertThat(new Outcome(outcome.content(), "ended", outcome.left())).isEqualTo(forgiving(bytes));
        }
    }

    private static Outcome read(boolean request, List<byte[]> reads, boolean wholeFirst) {
        ChunkedBody body = request ? ChunkedBody.ofRequest() : ChunkedBody.ofResponse();
        var content = new StringBuilder();
        int left = 0;
        for (byte[] read : reads) {
            ByteBuf in = Unpooled.wrappedBuffer(read);
            try {
                while (advance(body, in, content, wholeFirst)) {}
            } catch (DecoderException e) {
                return new Outcome(content.toString(), "refused", 0);
            }
            left += in.readableBytes();
        }
        return new Outcome(content.toString(), body.ended() ? "ended" : "unfinished", left);
    }

    private static boolean advance(ChunkedBody body, ByteBuf in, StringBuilder content, boolean wholeFirst) {
        if (wholeFirst) {
            body.endChunk(in);
            int length = body.nextWholeChunk(in);
            if (length > 0) {
                content.append(in.readCharSequence(length, StandardCharsets.ISO_8859_1));
                in.skipBytes(ChunkedBody.CHUNK_END);
                return true;
            }
        }
        int length = body.nextData(in);
        if (length > 0) {
            content.append(in.readCharSequence(length, StandardCharsets.ISO_8859_1));
        }
        return length > 0;
    }

    /** As the least strict of servers would: a size is what stands before a semicolon or white space, any line ends a line. */
    private static Outcome forgiving(byte[] bytes) {
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        var content = new StringBuilder();
        int at = 0;
        while (true) {
            int lineEnd = text.indexOf('\n', at);
            String size = text.substring(at, lineEnd).split(";", -1)[0].strip();
            int length = Integer.parseInt(size, 16);
            at = lineEnd + 1;
            if (length == 0) {
                break;
            }
            content.append(text, at, at + length);
            at += length + ChunkedBody.CHUNK_END;
        }
        String line;
        do {
            int lineEnd = text.indexOf('\n', at);
            line = text.substring(at, lineEnd).strip();
            at = lineEnd + 1;
        } while (!line.isEmpty());
        return new Outcome(content.toString(), "ended", Arrays.copyOfRange(bytes, at, bytes.length).length);
    }
}
