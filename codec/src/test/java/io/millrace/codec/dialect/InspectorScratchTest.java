package io.millrace.codec.dialect;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import org.junit.jupiter.api.Test;

class InspectorScratchTest {
    @Test
    void doesNotKeepTheRoomOfOneLongFrameForEver() {
        ByteBuf frame = Unpooled.directBuffer(2 << 20).writeZero(2 << 20);
        try {
            InspectorScratch.cursor(frame, 0, 2 << 20);
            assertThat(InspectorScratch.keptBytes()).isGreaterThanOrEqualTo(2 << 20);
            for (int i = 0; i < 1000; i++) {
                InspectorScratch.cursor(frame, 0, 200);
            }
            assertThat(InspectorScratch.keptBytes()).isLessThanOrEqualTo(64 << 10);
        } finally {
            frame.release();
        }
    }
}
