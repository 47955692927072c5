package io.millrace.codec.sse;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;

/** Records what a decoder reports: late line feeds appended to their frame, pieces joined. */
final class FrameCalls implements SseFrameListener {
    final List<ByteArrayOutputStream> frames = new ArrayList<>();
    int longestPiece;
    int wholeFrames;
    int pieces;
    int lateLineFeeds;
    private boolean open;

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        verify(!open, "a frame inside an over-limit frame");
        verify(start < end, "an empty frame");
        wholeFrames++;
        frames.add(new ByteArrayOutputStream());
        append(buf, start, end);
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        verify(first != open, "a first piece inside, or a later piece outside, of an over-limit frame");
        verify(start < end, "an empty piece");
        pieces++;
        if (first) {
            frames.add(new ByteArrayOutputStream());
        }
        open = !last;
        longestPiece = Math.max(longestPiece, end - start);
        append(buf, start, end);
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        verify(!open && !frames.isEmpty(), "a late line feed without a frame before it");
        verify(buf.getByte(index) == LineEnds.LF, "a late line feed that is another byte");
        lateLineFeeds++;
        append(buf, index, index + 1);
    }

    /** The frames; one that is still flowing is last. */
    List<byte[]> frames() {
        return frames.stream().map(ByteArrayOutputStream::toByteArray).toList();
    }

    boolean open() {
        return open;
    }

    private void append(ByteBuf buf, int start, int end) {
        byte[] bytes = new byte[end - start];
        buf.getBytes(start, bytes);
        frames.get(frames.size() - 1).writeBytes(bytes);
    }

    private static void verify(boolean holds, String violation) {
        if (!holds) {
            throw new AssertionError(violation);
        }
    }
}
