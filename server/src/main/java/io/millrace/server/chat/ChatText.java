package io.millrace.server.chat;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.translate.DeltaWriter;
import io.millrace.codec.translate.Part;
import io.millrace.codec.translate.Seal;
import io.millrace.codec.translate.StopReason;
import io.millrace.codec.translate.TokenCounts;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** What {@code /chat} takes of an answer: its text, who gave it, why it ended and what it cost. */
abstract class ChatText implements DeltaWriter {
    /** Where to write; null until it is said. */
    @Nullable
    ByteBuf out;

    /** The model that answers; null if it is not known. */
    @Nullable
    String model;

    /** Why the answer ended; null if it is not known. */
    @Nullable
    StopReason stopReason;

    TokenCounts usage = TokenCounts.NONE;

    @Override
    public final void to(ByteBuf buffer) {
        out = buffer;
    }

    /** Where it is to be written. */
    final ByteBuf out() {
        return requireNonNull(out, "not said yet");
    }

    @Override
    public final void start(@Nullable String id, @Nullable String answering, long createdSeconds) {
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
    public final void reasoningEnd(@Nullable Seal seal) {
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
    public final void toolCall(int index, String id, String name, @Nullable Seal seal) {
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
    public final void stop(StopReason reason, @Nullable String sequence) {
        stopReason = reason;
    }
}
