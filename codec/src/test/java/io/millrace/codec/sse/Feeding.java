package io.millrace.codec.sse;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;

/** Feeds one input, cut in some way, to a fresh decoder or parser. */
final class Feeding {
    private Feeding() {}

    /**
     * Feeds a decoder the input cut at {@code cuts}, ascending, and verifies that frames and tail make up the whole.
     *
     * @param input remains with the caller
     */
    static int[] frameEnds(ByteBuf input, FrameEnds ends, int holdLimit, int... cuts) {
        return frameEnds(UnpooledByteBufAllocator.DEFAULT, input, ends, holdLimit, cuts);
    }

    /** The same with an allocator for what the decoder holds. */
    static int[] frameEnds(ByteBufAllocator alloc, ByteBuf input, FrameEnds ends, int holdLimit, int... cuts) {
        ends.reset();
        try (SseFrameDecoder decoder = new SseFrameDecoder(alloc, holdLimit)) {
            int start = 0;
            for (int i = 0; i <= cuts.length; i++) {
                int end = i < cuts.length ? cuts[i] : input.writerIndex();
                ByteBuf in = input.slice(start, end - start);
                ends.beginRead(in, start);
                decoder.decode(in, ends);
                start = end;
                if (decoder.heldBytes() > holdLimit || ends.position() + decoder.heldBytes() != end) {
                    throw new AssertionError("cut at " + end + ": reported " + ends.position() + " bytes, holds "
                            + decoder.heldBytes() + " (hold limit " + holdLimit + ")");
                }
            }
            if (decoder.flowing() != ends.open()) {
                throw new AssertionError("flowing: " + decoder.flowing());
            }
        }
        return ends.ends();
    }

    /**
     * Feeds a parser the input cut at {@code cuts}, ascending.
     *
     * @param input remains with the caller
     */
    static StreamReading read(ByteBuf input, int... cuts) {
        return read(UnpooledByteBufAllocator.DEFAULT, input, cuts);
    }

    /** The same with an allocator for what the parser holds. */
    static StreamReading read(ByteBufAllocator alloc, ByteBuf input, int... cuts) {
        StreamReading reading = new StreamReading();
        try (SseEventParser parser = new SseEventParser(alloc)) {
            int start = 0;
            for (int i = 0; i <= cuts.length; i++) {
                int end = i < cuts.length ? cuts[i] : input.writerIndex();
                parser.parse(input.slice(start, end - start), reading);
                start = end;
            }
            reading.lastEventId = parser.lastEventId();
        }
        return reading;
    }

    /** The cuts that leave single bytes. */
    static int[] everywhere(int length) {
        int[] cuts = new int[Math.max(0, length - 1)];
        for (int i = 0; i < cuts.length; i++) {
            cuts[i] = i + 1;
        }
        return cuts;
    }
}
