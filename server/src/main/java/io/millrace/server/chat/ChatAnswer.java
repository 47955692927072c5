package io.millrace.server.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.translate.AnswerWriter;
import io.millrace.codec.translate.DeltaWriter;
import io.millrace.codec.translate.ModelError;
import io.millrace.codec.translate.Seal;
import io.millrace.codec.translate.StopReason;
import io.millrace.codec.translate.TokenCounts;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Collects an answer, streamed or not, and writes it as one JSON object. */
final class ChatAnswer implements AnswerWriter, DeltaWriter {
    private final long startNs;
    private final LongSupplier clock;
    private final StringBuilder text = new StringBuilder();
    private String model;
    private StopReason stopReason;
    private TokenCounts usage = TokenCounts.NONE;
    private ByteBuf out;

    ChatAnswer(long startNs, LongSupplier clock) {
        this.startNs = startNs;
        this.clock = clock;
    }

    @Override
    public void to(ByteBuf buffer) {
        out = buffer;
    }

    @Override
    public byte[] body() {
        ObjectNode answer = ChatJson.object().put("text", text.toString());
        answer.put("reason", ChatJson.label(stopReason));
        answer.put("model", model);
        ChatJson.addCounts(answer.putObject("usage"), usage);
        answer.put("duration_ms", TimeUnit.NANOSECONDS.toMillis(clock.getAsLong() - startNs));
        return ChatJson.text(answer).getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void start(String id, String answering, long createdSeconds) {
        model = answering;
    }

    @Override
    public void text(String more) {
        text.append(more);
    }

    @Override
    public void refusal(String more) {
        text.append(more);
    }

    @Override
    public void reasoning(String more) {
        // Not a part of the answer's text.
    }

    @Override
    public void reasoningEnd(Seal seal) {
        // As above.
    }

    @Override
    public void toolCall(int index, String id, String name, Seal seal) {
        // No tools are offered, so that there is nothing to call.
    }

    @Override
    public void arguments(int index, String json) {
        // As above.
    }

    @Override
    public void toolCallEnd(int index) {
        // As above.
    }

    @Override
    public void usage(TokenCounts counts) {
        usage = usage.and(counts);
    }

    @Override
    public void stop(StopReason reason, String sequence) {
        stopReason = reason;
    }

    @Override
    public void end() {
        if (out != null) {
            out.writeBytes(body());
        }
    }

    @Override
    public void error(ModelError error) {
        // Answered with a body of its own; behind the head of a stream only a broken connection can tell.
    }
}
