package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InspectorAllocationTest {
    private static final int ROUNDS = 2_000;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "chat-openai-text-usage.sse",
                "chat-mistral-thinking-array.sse",
                "responses-openai-function-call.sse",
                "anthropic-thinking.sse",
                "gemini-thinking.sse"
            })
    void framesOfAWholeStreamAllocateNothingOnceTheirStringsAreKnown(String file) throws IOException {
        byte[] stream = RecordedStreamsTest.read(file);
        List<Integer> ends = RecordedStreamsTest.frameEnds(stream);
        int[] frameEnds = ends.stream().mapToInt(Integer::intValue).toArray();
        StreamInspector inspector = RecordedStreamsTest.dialectOf(file).newInspector();
        ByteBuf buf = Unpooled.directBuffer(stream.length).writeBytes(stream);
        try {
            feed(inspector, buf, frameEnds, ROUNDS);
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long before = threads.getCurrentThreadAllocatedBytes();
            feed(inspector, buf, frameEnds, ROUNDS);
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertThat(allocated / ((long) ROUNDS * frameEnds.length)).isZero();
        } finally {
            buf.release();
        }
    }

    private static void feed(StreamInspector inspector, ByteBuf buf, int[] frameEnds, int rounds) {
        for (int round = 0; round < rounds; round++) {
            int from = 0;
            for (int end : frameEnds) {
                inspector.inspect(buf, from, end);
                from = end;
            }
        }
    }
}
