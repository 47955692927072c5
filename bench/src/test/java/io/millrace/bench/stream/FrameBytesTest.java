package io.millrace.bench.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FrameBytesTest {
    private static ByteBuf bytes(String text) {
        return Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CHAT | {\"delta\":{\"reasoning_content\":\"a\"}} | true",
                "CHAT | {\"delta\":{\"reasoning_content\" : \"a\",\"content\":null}} | true",
                "CHAT | {\"delta\":{\"reasoning\":\"a\"}} | true",
                "CHAT | {\"delta\":{\"reasoning_content\":null,\"content\":\"a\"}} | false",
                "CHAT | {\"delta\":{\"reasoning\":\"\",\"content\":\"a\"}} | false",
                "CHAT | {\"delta\":{\"content\":\"\\\"reasoning\\\":\"}} | false",
                "CHAT | {\"delta\":{\"content\":[{\"type\":\"thinking\"}]}} | true",
                "RESPONSES | {\"type\":\"response.reasoning_summary_text.delta\"} | true",
                "RESPONSES | {\"type\":\"response.output_text.delta\"} | false",
                "MESSAGES | {\"delta\":{\"type\":\"thinking_delta\"}} | true",
                "MESSAGES | {\"delta\":{\"type\":\"text_delta\"}} | false",
                "GEMINI | {\"parts\":[{\"thought\": true,\"text\":\"a\"}]} | true",
                "GEMINI | {\"parts\":[{\"thought\":false,\"text\":\"a\"}]} | false",
                "GEMINI | {\"parts\":[{\"text\":\"a\"}]} | false",
            })
    void tellsReasoningFromAnswer(Dialect dialect, String data, boolean reasoning) {
        var buf = bytes("data: " + data + "\n\n");

        assertThat(Reasoning.isIn(dialect, buf, 0, buf.writerIndex())).isEqualTo(reasoning);
    }

    @Test
    void readsStampsInTheirOrder() {
        var stamps = new Stamps();
        var first = bytes("x @0@0000000000000000005@ y");
        var both = bytes("@1@0000000000000000006@ a @2@0000000000000000007@ b");
        assertThat(stamps.read(first, 0, first.writerIndex())).isEqualTo(5);
        assertThat(stamps.read(both, 0, both.writerIndex())).isEqualTo(7);
        assertThat(stamps.present()).isTrue();
        assertThat(stamps.outOfOrder()).isFalse();
        var late = bytes("@4@0000000000000000009@");
        stamps.read(late, 0, late.writerIndex());
        assertThat(stamps.outOfOrder()).isTrue();
    }

    @Test
    void takesOtherTextForNoStamp() {
        var stamps = new Stamps();
        for (String text : new String[] {"a@b.example", "@0@", "@0@000000000000000000x@"}) {
            var buf = bytes(text);
            assertThat(stamps.read(buf, 0, buf.writerIndex())).isZero();
            assertThat(stamps.present()).isFalse();
            assertThat(stamps.outOfOrder()).isFalse();
            stamps.reset();
        }
    }

    @Test
    void comparesFramesWithTheDigest() {
        var sum = new CRC32C();
        sum.update("data: a\n\n".getBytes(StandardCharsets.UTF_8));
        var frame = bytes("data: a\n\n");
        var right = bytes(": digest=" + String.format("%08x", sum.getValue()) + "\n\n");
        var ping = bytes(": ping\n\n");
        var digest = new Digest();
        digest.expect();
        digest.add(frame, 0, frame.writerIndex());
        digest.compare(ping, 0, ping.writerIndex());
        assertThat(digest.isMissing()).isTrue();
        digest.compare(right, 0, right.writerIndex());
        assertThat(digest.differs()).isFalse();
        assertThat(digest.isMissing()).isFalse();
        digest.reset();
        digest.expect();
        digest.add(frame, 0, frame.writerIndex() - 1);
        digest.compare(right, 0, right.writerIndex());
        assertThat(digest.differs()).isTrue();
    }
}
