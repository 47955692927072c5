package io.millrace.codec.sse;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.Arrays;

/** Verifies that what a decoder reports are the bytes of the stream, in order, and notes where its frames end. */
final class FrameEnds implements SseFrameListener {
    private final ByteBuf stream;
    private int[] ends = new int[64];
    private int count;
    private int position;
    private boolean open;
    private ByteBuf read;
    private int readOffset;

    FrameEnds(byte[] stream) {
        this.stream = Unpooled.wrappedBuffer(stream);
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        verify(!open, "a frame inside an over-limit frame");
        advance(buf, start, end);
        endFrame();
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        verify(first != open, "a first piece inside, or a later piece outside, of an over-limit frame");
        advance(buf, start, end);
        open = !last;
        if (last) {
            endFrame();
        }
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        verify(!open && count > 0 && ends[count - 1] == position, "a late line feed that follows no frame");
        verify(buf.getByte(index) == LineEnds.LF, "a late line feed that is another byte");
        advance(buf, index, index + 1);
        ends[count - 1] = position;
    }

    int[] ends() {
        return Arrays.copyOf(ends, count);
    }

    /** Bytes reported so far. */
    int position() {
        return position;
    }

    boolean open() {
        return open;
    }

    /**
     * Notes that {@code in}, whose index 0 is the stream's byte {@code offset}, is read next. Its bytes need no
     * comparison.
     */
    void beginRead(ByteBuf in, int offset) {
        read = in;
        readOffset = offset;
    }

    /** Forgets everything, for another pass over the same stream. */
    void reset() {
        count = 0;
        position = 0;
        open = false;
    }

    @SuppressWarnings("ReferenceEquality") // the very buffer that is being read, not one with equal bytes
    private void advance(ByteBuf buf, int start, int end) {
        verify(start < end, "an empty report");
        verify(position + end - start <= stream.capacity(), "more bytes than the stream has");
        boolean same = buf == read
                ? start + readOffset == position
                : ByteBufUtil.equals(buf, start, stream, position, end - start);
        verify(same, "bytes that differ from the stream's");
        position += end - start;
    }

    private void endFrame() {
        if (count == ends.length) {
            ends = Arrays.copyOf(ends, count * 2);
        }
        ends[count++] = position;
    }

    private static void verify(boolean holds, String violation) {
        if (!holds) {
            throw new AssertionError(violation);
        }
    }
}
