package io.millrace.codec.sse;

import io.netty.buffer.ByteBuf;

/**
 * Receives the frames that an {@link SseFrameDecoder} finds, in stream order.
 *
 * <p>Every byte that the decoder consumes is reported exactly once, or is still held by the decoder. Offsets are
 * absolute indices into {@code buf}. The buffer remains with the decoder. To keep bytes beyond the call, take
 * {@link ByteBuf#retainedSlice(int, int)}.
 */
public interface SseFrameListener {
    /**
     * A whole frame: the bytes up to and including a blank line. It may have an event, only comments, or only the blank
     * line.
     */
    void onFrame(ByteBuf buf, int start, int end);

    /**
     * A piece of a frame that is longer than the hold limit and is therefore reported as it comes.
     *
     * @param first whether this is the frame's first piece; it then holds at least the hold limit's bytes
     * @param last whether this piece ends with the frame's blank line
     */
    void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last);

    /**
     * The line feed of a CRLF whose carriage return ended the last frame. It is reported separately if the two bytes
     * came in two reads. A decoder must not wait for it, because a lone CR is a line end, too. It belongs to the last
     * frame, and nothing may be written between them.
     */
    void onLateLineFeed(ByteBuf buf, int index);
}
