package io.millrace.codec.translate;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Writes an answer that comes as a stream as one body, or the body of its error, when the answer is over. */
final class WholeWriter implements DeltaWriter {
    private final AnswerWriter answer;
    private final Function<ModelError, byte[]> errors;
    private ByteBuf out = Unpooled.EMPTY_BUFFER;

    WholeWriter(AnswerWriter answer, Function<ModelError, byte[]> errors) {
        this.answer = answer;
        this.errors = errors;
    }

    @Override
    public void to(ByteBuf newOut) {
        out = newOut;
    }

    @Override
    public boolean interleaves() {
        return answer.interleaves();
    }

    @Override
    public long heldBytes() {
        return answer.heldBytes();
    }

    @Override
    public void start(@Nullable String id, @Nullable String model, long createdSeconds) {
        answer.start(id, model, createdSeconds);
    }

    @Override
    public void text(String text) {
        answer.text(text);
    }

    @Override
    public void refusal(String text) {
        answer.refusal(text);
    }

    @Override
    public void reasoning(String text) {
        answer.reasoning(text);
    }

    @Override
    public void reasoningEnd(@Nullable Seal seal) {
        answer.reasoningEnd(seal);
    }

    @Override
    public void media(Part.Media media) {
        answer.media(media);
    }

    @Override
    public void citation(Part.Citation citation) {
        answer.citation(citation);
    }

    @Override
    public void hosted(Part.HostedUse use) {
        answer.hosted(use);
    }

    @Override
    public void toolCall(int index, String id, String name, @Nullable Seal seal) {
        answer.toolCall(index, id, name, seal);
    }

    @Override
    public void arguments(int index, String json) {
        answer.arguments(index, json);
    }

    @Override
    public void toolCallEnd(int index) {
        answer.toolCallEnd(index);
    }

    @Override
    public void usage(TokenCounts counts) {
        answer.usage(counts);
    }

    @Override
    public void stop(StopReason reason, @Nullable String sequence) {
        answer.stop(reason, sequence);
    }

    @Override
    public void end() {
        answer.end();
        out.writeBytes(answer.body());
    }

    @Override
    public void error(ModelError error) {
        answer.error(error);
        out.writeBytes(errors.apply(error));
    }
}
