package io.millrace.server.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PositionsTest {
    private static final ByteBufAllocator ALLOC = ByteBufAllocator.DEFAULT;

    /** The offset does not depend on where reads end. */
    @ParameterizedTest
    @ValueSource(ints = {1, 7, 100, 65_536})
    void everyEventOfARecordedStreamIsFollowedByTheNextOne(int read) throws IOException {
        String stream = recorded("responses-openai-function-call.sse");
        int checked = 0;
        int end;
        for (int start = 0; start < stream.length(); start = end) {
            end = stream.indexOf("\n\n", start) + 2;
            var number = Pattern.compile("\"sequence_number\":\\s*(\\d+)").matcher(stream.substring(start, end));
            assertThat(number.find()).isTrue();
            long sought = Long.parseLong(number.group(1));
            assertThat(offset(Positions.afterSequenceNumber(ALLOC, sought), stream, read))
                    .as("after %d", sought)
                    .isEqualTo(end);
            checked++;
        }
        assertThat(checked).isGreaterThan(5);
    }

    @Test
    void aNumberThatIsLeftOutIsFollowedByTheFirstAboveIt() throws IOException {
        String stream = recorded("responses-openai-background-resume.sse");
        // It begins with 1.
        assertThat(offset(Positions.afterSequenceNumber(ALLOC, 0), stream, 50)).isZero();
        String gap = event(1) + event(2) + ": ping\n\n" + event(5);
        assertThat(offset(Positions.afterSequenceNumber(ALLOC, 3), gap, 9)).isEqualTo(gap.length() - event(5).length());
        // The comment has not come with event 2.
        assertThat(offset(Positions.afterSequenceNumber(ALLOC, 2), gap, 9)).isEqualTo(2L * event(1).length());
    }

    @Test
    void aNumberThatHasNotComeHasNoPlace() {
        assertThat(offset(Positions.afterSequenceNumber(ALLOC, 3), event(1) + event(2) + "data: {\"type\":\"res", 5))
                .isEqualTo(-1);
    }

    @Test
    void aFrameOverTheHoldLimitHasAPlaceToo() {
        String large = event(1).replace("\"}", "\",\"text\":\"" + "x".repeat(200_000) + "\"}");
        String stream = event(0) + large + event(2);
        assertThat(offset(Positions.afterSequenceNumber(ALLOC, 0), stream, 10_000))
                .isEqualTo(event(0).length());
        assertThat(offset(Positions.afterSequenceNumber(ALLOC, 1), stream, 10_000))
                .isEqualTo(event(0).length() + large.length());
    }

    @Test
    void anIdIsALineOfItsOwn() {
        String first = "retry: 1000\nid: 0-ab.1\ndata: id: 0-ab.2\n\n";
        String second = "id: 0-ab.12\ndata: x\n\n";
        String third = "event: done\nid: 0-ab.2\ndata: {}\n\n";
        for (int read : new int[] {1, 11, 1000}) {
            String stream = first + second + third;
            assertThat(offset(Positions.afterId(ALLOC, "0-ab.1"), stream, read)).isEqualTo(first.length());
            assertThat(offset(Positions.afterId(ALLOC, "0-ab.12"), stream, read))
                    .isEqualTo(first.length() + second.length());
            assertThat(offset(Positions.afterId(ALLOC, "0-ab.2"), stream, read)).isEqualTo(stream.length());
            assertThat(offset(Positions.afterId(ALLOC, "0-ab.3"), stream, read)).isEqualTo(-1);
        }
    }

    private static String event(int number) {
        return "data: {\"type\":\"response.output_text.delta\",\"sequence_number\":" + number + ",\"delta\":\"a\"}\n\n";
    }

    private static long offset(Positions positions, String stream, int read) {
        ByteBuf all = Unpooled.copiedBuffer(stream, StandardCharsets.UTF_8);
        try (positions) {
            boolean found = false;
            while (!found && all.isReadable()) {
                found = positions.read(all.readSlice(Math.min(read, all.readableBytes())));
            }
            assertThat(found).isEqualTo(positions.offset() >= 0);
            return positions.offset();
        } finally {
            all.release();
        }
    }

    private static String recorded(String file) throws IOException {
        try (var in = PositionsTest.class.getResourceAsStream("/fixtures/streams/" + file)) {
            return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1).replaceAll("[^\\x00-\\x7f]", "?");
        }
    }
}
