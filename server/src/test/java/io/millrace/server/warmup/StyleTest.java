package io.millrace.server.warmup;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StyleTest {
    @Test
    void spacesStandBehindColonsAndCommasThatAreNotInStrings() {
        String frame = "event: a:b\ndata: {\"a\":\"x,y:\\\"z,\",\"b\":[1,2]}\n\n";

        assertThat(Style.SPACED.write(frame)).isEqualTo("event: a:b\ndata: {\"a\": \"x,y:\\\"z,\", \"b\": [1, 2]}\n\n");
        assertThat(Style.COMPACT.write(frame)).isEqualTo(frame);
        assertThat(Style.SPACED.write("data: [DONE]\n\n")).isEqualTo("data: [DONE]\n\n");
    }

    @Test
    void anAnswerHasTheLengthsOfItsChunks() {
        byte[] answer =
                "HTTP/1.1 200 OK\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

        assertThat(Http.map(answer, Style.SPACED::write))
                .asString(StandardCharsets.US_ASCII)
                .isEqualTo("HTTP/1.1 200 OK\r\n\r\n6\r\n{\"a\": \r\n2\r\n1}\r\n0\r\n\r\n");
    }
}
