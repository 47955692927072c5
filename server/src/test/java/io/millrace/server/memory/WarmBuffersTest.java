package io.millrace.server.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The short buffers that an event loop uses again and again. */
class WarmBuffersTest {
    private final ByteBufAllocator alloc = PooledByteBufAllocator.DEFAULT;
    private final WarmBuffers buffers = new WarmBuffers();

    @AfterEach
    void close() {
        buffers.close();
    }

    @Test
    void lastGivenBackIsTakenFirstAndIsEmpty() {
        ByteBuf one = buffers.take(alloc, 100).writeLong(1);
        ByteBuf two = buffers.take(alloc, WarmBuffers.BYTES);
        buffers.giveBack(one);
        buffers.giveBack(two);
        assertThat(buffers.take(alloc, 1)).isSameAs(two);
        ByteBuf again = buffers.take(alloc, 1);
        assertThat(again).isSameAs(one);
        assertThat(again.readableBytes()).isZero();
        assertThat(again.writableBytes()).isEqualTo(WarmBuffers.BYTES);
        buffers.giveBack(one);
        buffers.giveBack(two);
    }

    @Test
    void whatSomebodyHoldsIsNotTakenAgain() {
        ByteBuf buffer = buffers.take(alloc, 10).writeInt(7);
        ByteBuf held = buffer.retainedSlice(0, 4);
        buffers.giveBack(buffer);
        ByteBuf other = buffers.take(alloc, 10).writeInt(8);
        assertThat(other.memoryAddress()).isNotEqualTo(held.memoryAddress());
        assertThat(held.getInt(0)).isEqualTo(7);
        buffers.giveBack(other);
        assertThat(held.release()).isTrue();
    }

    @Test
    void onlyWholeBuffersOfTheLengthAreKept() {
        ByteBuf grown = buffers.take(alloc, 10).capacity(2 * WarmBuffers.BYTES);
        ByteBuf longer = buffers.take(alloc, WarmBuffers.BYTES + 1);
        ByteBuf whole = alloc.directBuffer(WarmBuffers.BYTES);
        ByteBuf slice = whole.retainedSlice(0, WarmBuffers.BYTES);
        buffers.giveBack(grown);
        buffers.giveBack(longer);
        buffers.giveBack(slice);
        assertThat(grown.refCnt()).isZero();
        assertThat(longer.refCnt()).isZero();
        assertThat(whole.refCnt()).isEqualTo(1);
        whole.release();
    }

    @Test
    void fewAreKeptAndNoneAfterTheEnd() {
        ByteBuf[] taken = new ByteBuf[5];
        for (int i = 0; i < taken.length; i++) {
            taken[i] = buffers.take(alloc, 1);
        }
        for (ByteBuf buffer : taken) {
            buffers.giveBack(buffer);
        }
        assertThat(taken).extracting(ByteBuf::refCnt).containsExactly(1, 1, 1, 0, 0);
        ByteBuf late = buffers.take(alloc, 1);
        buffers.close();
        buffers.giveBack(late);
        assertThat(taken).extracting(ByteBuf::refCnt).containsOnly(0);
    }

    @Test
    void threadsWithoutAnEventLoopKeepNone() throws Exception {
        ByteBuf buffer = buffers.take(alloc, 1);
        CompletableFuture.runAsync(() -> WarmBuffers.current().giveBack(buffer), task -> new Thread(task).start())
                .get(10, TimeUnit.SECONDS);
        assertThat(buffer.refCnt()).isZero();
    }
}
