package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.server.test.RelayHarness;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * An inspector that recognises frames reads the mock's streams like one that gets each frame in pieces and never
 * recognises it.
 */
@Tag("sockets")
class MockFramesTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = ' ',
            value = {
                "/v1/chat/completions tokens=40,reasoning=12,n=2,usage=1",
                "/v1/chat/completions tokens=40,tool=1",
                "/v1/completions tokens=40,usage=1",
                "/v1/responses tokens=120,reasoning=12",
                "/v1/messages tokens=40,reasoning=12,ping=1",
                "/v1beta/models/m:streamGenerateContent?alt=sse tokens=40,reasoning=12",
                "/v1/chat/completions tokens=40,error_after=20",
                "/v1/responses tokens=40,error_after=20",
                "/v1/messages tokens=40,error_after=20"
            })
    void readAlikeKnownOrNot(String path, String spec) throws IOException {
        try (var harness = RelayHarness.start()) {
            List<byte[]> frames = harness.stream(path, spec).frames();
            assertThat(frames).hasSizeGreaterThan(10);
            StreamInspector known = Dialect.ofPath(path).newInspector();
            StreamInspector walked = Dialect.ofPath(path).newInspector();
            for (byte[] frame : frames) {
                ByteBuf buf = Unpooled.directBuffer(frame.length).writeBytes(frame);
                try {
                    assertThat(known.inspect(buf, 0, frame.length))
                            .isEqualTo(walked.inspectPiece(buf, 0, frame.length, true, true));
                } finally {
                    buf.release();
                }
                assertThat(state(known)).isEqualTo(state(walked));
            }
        }
    }

    private static List<Object> state(StreamInspector inspector) {
        return List.of(
                inspector.end(),
                inspector.usage(),
                inspector.outputFrames(),
                inspector.sequenceNumber(),
                String.valueOf(inspector.finishReason()),
                String.valueOf(inspector.model()),
                String.valueOf(inspector.errorType()));
    }
}
