package io.millrace.server.chat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.translate.AnswerWriter;
import io.millrace.codec.translate.ModelError;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** Collects an answer, streamed or not, and writes it as one JSON object. */
final class ChatAnswer extends ChatText implements AnswerWriter {
    private final long startNs;
    private final LongSupplier clock;
    private final StringBuilder text = new StringBuilder();

    ChatAnswer(long startNs, LongSupplier clock) {
        this.startNs = startNs;
        this.clock = clock;
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
    public void text(String more) {
        text.append(more);
    }

    @Override
    public long heldBytes() {
        return (long) Character.BYTES * text.length();
    }

    @Override
    public void end() {
        if (out != null) {
            out.writeBytes(body());
        }
    }

    @Override
    public void error(ModelError error) {
        // The failure has its own body. After the head of a stream, the connection is closed instead.
    }
}
