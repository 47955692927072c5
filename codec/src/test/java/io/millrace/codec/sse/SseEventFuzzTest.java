package io.millrace.codec.sse;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.DictionaryEntries;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import org.junit.jupiter.api.Tag;

/** Any bytes, cut anywhere, are read as by the naive reference. Written again, they are read as the same events. */
@Tag("fuzz")
class SseEventFuzzTest {
    private static final int MAX_BYTES = 400;

    @DictionaryEntries({"data", "event", "id", "retry", "\\x0D\\x0A", "\\x0A\\x0A", ":", "data: "})
    @FuzzTest(maxDuration = "30s")
    void eventsDoNotDependOnTheCutAndSurviveTheEncoder(FuzzedDataProvider fuzz) {
        int place = fuzz.consumeInt(0, 1 << 16);
        byte[] bytes = fuzz.consumeBytes(MAX_BYTES);
        int cut = place % (bytes.length + 1);
        var alloc = new UnpooledByteBufAllocator(false, true);
        ByteBuf input = Unpooled.wrappedBuffer(bytes);
        StreamReading expected = NaiveSse.read(bytes);
        verify(expected.parts(), Feeding.read(alloc, input, cut).parts());
        verify(
                expected.parts(),
                Feeding.read(alloc, input, Feeding.everywhere(bytes.length)).parts());

        List<SseEvent> writable = expected.events.stream()
                .filter(event -> event.type().indexOf(0) < 0)
                .toList();
        ByteBuf written = Unpooled.buffer();
        writable.forEach(event -> SseEncoder.event(written, event.type(), event.lastEventId(), event.data()));
        verify(writable, Feeding.read(alloc, written, cut % (written.writerIndex() + 1)).events);
        assertThat(alloc.metric().usedHeapMemory()).as("held after close").isZero();
        written.release();
        input.release();
    }

    private static void verify(List<?> expected, List<?> actual) {
        if (!expected.equals(actual)) {
            assertThat((Object) actual).isEqualTo(expected);
        }
    }
}
