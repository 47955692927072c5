package io.millrace.codec.sse;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;

/** Any bytes, cut anywhere, with any hold limit, give the frames of the naive reference. No buffer leaks. */
@Tag("fuzz")
class SseFrameDecoderFuzzTest {
    private static final int MAX_CUTS = 8;
    private static final int MAX_BYTES = 400;

    @FuzzTest(maxDuration = "30s")
    void framesDoNotDependOnTheCuts(FuzzedDataProvider fuzz) {
        int holdLimit = fuzz.consumeInt(1, 64);
        BufferKind kind = fuzz.pickValue(BufferKind.values());
        int[] cuts = fuzz.consumeInts(MAX_CUTS);
        byte[] bytes = fuzz.consumeBytes(MAX_BYTES);
        for (int i = 0; i < cuts.length; i++) {
            cuts[i] = Math.floorMod(cuts[i], bytes.length + 1);
        }
        Arrays.sort(cuts);

        var alloc = new UnpooledByteBufAllocator(false, true);
        ByteBuf input = kind.of(bytes, 0, bytes.length);
        FrameEnds ends = new FrameEnds(bytes);
        int[] expected = NaiveSse.frameEnds(bytes);
        verify(expected, Feeding.frameEnds(alloc, input, ends, holdLimit));
        verify(expected, Feeding.frameEnds(alloc, input, ends, holdLimit, cuts));
        verify(expected, Feeding.frameEnds(alloc, input, ends, holdLimit, Feeding.everywhere(bytes.length)));
        assertThat(alloc.metric().usedHeapMemory()).as("held after close").isZero();
        assertThat(input.refCnt()).as("references to the input").isEqualTo(1);
        input.release();
    }

    private static void verify(int[] expected, int[] actual) {
        if (!Arrays.equals(expected, actual)) {
            assertThat(actual).isEqualTo(expected);
        }
    }
}
