package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes Messages events, one block after another. */
final class MessagesDeltaWriter extends FrameWriter {
    private enum Block {
        NONE,
        TEXT,
        THINKING,
        TOOL
    }

    private final ModelRequest request;
    private final String askedModel;
    private Block block = Block.NONE;
    private int index = -1;
    private String messageId = "";
    private int uses;
    private boolean refused;
    private @Nullable StopReason stopReason;
    private @Nullable String stopSequence;

    MessagesDeltaWriter(ModelRequest request) {
        this.request = request;
        this.askedModel = request.model();
    }

    @Override
    public void start(@Nullable String id, @Nullable String model, long createdSeconds) {
        messageId = id == null ? "msg_" + CallIds.fresh().substring("call_".length()) : id;
        JsonText json = json().put("type", "message_start")
                .object("message")
                .put("id", messageId)
                .put("type", "message")
                .put("role", "assistant")
                .put("model", model == null ? askedModel : model)
                .array("content")
                .endArray()
                .putNull("stop_reason")
                .putNull("stop_sequence");
        MessagesShapes.writeUsage(json, usage);
        json.endObject();
        event("message_start");
    }

    @Override
    public void text(String text) {
        if (block != Block.TEXT) {
            begin(Block.TEXT).put("type", "text").put("text", "");
            endBegin();
        }
        delta().put("type", "text_delta").put("text", text);
        endDelta();
    }

    @Override
    public void refusal(String text) {
        refused = true;
        text(text);
    }

    @Override
    public void reasoning(String text) {
        beginThinking();
        delta().put("type", "thinking_delta").put("thinking", text);
        endDelta();
    }

    @Override
    public void reasoningEnd(@Nullable Seal seal) {
        if (seal != null && MessagesShapes.isRedacted(seal) && block != Block.THINKING) {
            begin(Block.THINKING).put("type", "redacted_thinking").put("data", seal.value());
            endBegin();
        } else if (seal != null) {
            beginThinking();
            delta().put("type", "signature_delta").put("signature", MessagesShapes.signatureOf(seal));
            endDelta();
        }
        close();
    }

    /** The dialect can have media only as text. */
    @Override
    public void media(Part.Media media) {
        text(media.markdown());
    }

    /** A source belongs to the open text block. It is left out if another block has begun. */
    @Override
    public void citation(Part.Citation citation) {
        if (block == Block.TEXT) {
            MessagesHosted.putCitation(delta().put("type", "citations_delta").object("citation"), citation);
            current().endObject();
            endDelta();
        }
    }

    @Override
    public void hosted(Part.HostedUse use) {
        String id = MessagesShapes.hostedId(messageId, ++uses);
        MessagesHosted.putAsk(begin(Block.TOOL), id, use, false);
        endBegin();
        delta().put("type", "input_json_delta").put("partial_json", MessagesHosted.input(use));
        endDelta();
        MessagesHosted.putResult(begin(Block.TOOL), id, use);
        endBegin();
        close();
    }

    @Override
    public void toolCall(int call, String id, String name, @Nullable Seal seal) {
        JsonText json = begin(Block.TOOL).put("type", "tool_use").put("id", CallIds.encode(id, List.of(), seal));
        MessagesShapes.writeName(json, request.form(name));
        json.object("input").endObject();
        endBegin();
    }

    @Override
    public void arguments(int call, String text) {
        delta().put("type", "input_json_delta").put("partial_json", text);
        endDelta();
    }

    @Override
    public void toolCallEnd(int call) {
        close();
    }

    @Override
    public void stop(StopReason reason, @Nullable String sequence) {
        stopReason = reason;
        stopSequence = sequence;
    }

    @Override
    public void end() {
        close();
        JsonText json = json().put("type", "message_delta")
                .object("delta")
                .put("stop_reason", MessagesShapes.stopReason(stopReason, refused))
                .put("stop_sequence", stopSequence)
                .endObject();
        MessagesShapes.writeUsage(json, usage);
        event("message_delta");
        json().put("type", "message_stop");
        event("message_stop");
    }

    @Override
    public void error(ModelError error) {
        raw("error", Dialect.MESSAGES.errorBody(error.status(), error.code(), error.codedMessage(), null, null));
    }

    @Override
    long keptChars() {
        return 0;
    }

    private void beginThinking() {
        if (block != Block.THINKING) {
            begin(Block.THINKING).put("type", "thinking").put("thinking", "").put("signature", "");
            endBegin();
        }
    }

    private JsonText begin(Block next) {
        close();
        block = next;
        index++;
        return json().put("type", "content_block_start").put("index", index).object("content_block");
    }

    private void endBegin() {
        current().endObject();
        event("content_block_start");
    }

    private JsonText delta() {
        return json().put("type", "content_block_delta").put("index", index).object("delta");
    }

    private void endDelta() {
        current().endObject();
        event("content_block_delta");
    }

    private void close() {
        if (block != Block.NONE) {
            block = Block.NONE;
            json().put("type", "content_block_stop").put("index", index);
            event("content_block_stop");
        }
    }
}
