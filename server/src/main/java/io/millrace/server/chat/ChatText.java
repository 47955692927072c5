package io.millrace.server.chat;

import io.millrace.codec.translate.DeltaWriter;
import io.millrace.codec.translate.Part;
import io.millrace.codec.translate.Seal;
import io.millrace.codec.translate.StopReason;
import io.millrace.codec.translate.TokenCounts;
import io.netty.buffer.ByteBuf;

/** What {@code /chat} takes of an answer: its text, who gave it, why it ended and what it cost. */
abstract class ChatText implements DeltaWriter {
    /** Where to write; null until it is said. */
    ByteBuf out;

    /** Who answers; null if not told. */
    String model;

    /** Why the answer ended; null if not told. */
    StopReason stopReason;

    TokenCounts usage = TokenCounts.NONE;

    @Override
    public final void to(ByteBuf buffer) {
        out = buffer;
    }

    @Override
    public final void start(String id, String answering, long createdSeconds) {
        model = answering;
    }

    @Override
    public final void refusal(String text) {
        text(text);
    }

    @Override
    public final void reasoning(String text) {
        // Not a part of the answer's text.
    }

    @Override
    public final void reasoningEnd(Seal seal) {
        // As above.
    }

    /** Where there is text only, it stands there as Markdown. */
    @Override
    public final void media(Part.Media media) {
        text(media.markdown());
    }

    /** No calls are written, so that none keeps text waiting. */
    @Override
    public final boolean interleaves() {
        return true;
    }

    @Override
    public final void toolCall(int index, String id, String name, Seal seal) {
        // No tools are offered, so that there is nothing to call.
    }

    @Override
    public final void arguments(int index, String json) {
        // As above.
    }

    @Override
    public final void toolCallEnd(int index) {
        // As above.
    }

    @Override
    public final void usage(TokenCounts counts) {
        usage = usage.and(counts);
    }

    @Override
    public final void stop(StopReason reason, String sequence) {
        stopReason = reason;
    }
}
