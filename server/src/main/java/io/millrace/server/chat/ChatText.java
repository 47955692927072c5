package io.millrace.server.chat;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.translate.DeltaWriter;
import io.millrace.codec.translate.Part;
import io.millrace.codec.translate.Seal;
import io.millrace.codec.translate.StopReason;
import io.millrace.codec.translate.TokenCounts;
import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;

/** Collects the parts of an answer that {@code /chat} uses: its text, model, stop reason and token counts. */
abstract class ChatText implements DeltaWriter {
    /** The buffer for output; null until {@link #to} is called. */
    @Nullable
    ByteBuf out;

    /** The model that answers, null if it is not known. */
    @Nullable
    String model;

    /** Why the answer ended, null if it is not known. */
    @Nullable
    StopReason stopReason;

    TokenCounts usage = TokenCounts.NONE;

    @Override
    public final void to(ByteBuf buffer) {
        out = buffer;
    }

    /** The buffer for output. */
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
    public void reasoning(String text) {
        // Not part of the answer's text.
    }

    @Override
    public final void reasoningEnd(@Nullable Seal seal) {
        // Not part of the answer's text.
    }

    /** The answer has only text, so media is written as Markdown. */
    @Override
    public final void media(Part.Media media) {
        text(media.markdown());
    }

    /** Calls are not written, or have an index, so text never waits for the end of a call. */
    @Override
    public final boolean interleaves() {
        return true;
    }

    @Override
    public void toolCall(int index, String id, String name, @Nullable Seal seal) {
        // Not part of the answer's text.
    }

    @Override
    public void arguments(int index, String json) {
        // Not part of the answer's text.
    }

    @Override
    public final void toolCallEnd(int index) {
        // Not part of the answer's text.
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
