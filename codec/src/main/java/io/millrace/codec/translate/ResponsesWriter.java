package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes an answer for a Responses client: as the sequence of events, or as the response that is in the last event.
 *
 * <pre>
 * response.created response.in_progress *( output_item.added .. output_item.done ) ( response.completed / .incomplete )
 * </pre>
 */
final class ResponsesWriter extends FrameWriter implements AnswerWriter {
    /** The memory of an item without its text, in characters. */
    private static final int ITEM_CHARS = 128;

    private final boolean streaming;
    private final ModelRequest request;
    private final ResponsesEnvelope response;
    private final List<ResponsesItem> items = new ArrayList<>();

    private long sequenceNumber;
    private String type = "";
    private @Nullable ResponsesMessageItem message;
    private @Nullable ResponsesReasoningItem reasoning;
    private @Nullable ResponsesCall call;
    private StopReason stopReason = StopReason.END;
    private boolean refused;

    /** The code points of the text so far. */
    private int told;

    private long keptChars;
    private String body = "";

    /** Creates a writer of a stream, or of a whole answer. */
    ResponsesWriter(ModelRequest request, boolean streaming) {
        this.streaming = streaming;
        this.request = request;
        response = new ResponsesEnvelope(request);
    }

    @Override
    public void start(@Nullable String id, @Nullable String model, long createdSeconds) {
        response.start(id, model, createdSeconds);
        responseEvent("response.created", "in_progress", null);
        responseEvent("response.in_progress", "in_progress", null);
    }

    @Override
    public void text(String text) {
        keptChars += text.length();
        message().text(text, told);
        told += CodePoints.count(text);
    }

    @Override
    public void refusal(String text) {
        refused = true;
        keptChars += text.length();
        message().refusal(text);
    }

    @Override
    public void reasoning(String text) {
        keptChars += text.length();
        reasoning().text(text);
    }

    @Override
    public void reasoningEnd(@Nullable Seal seal) {
        if (seal != null) {
            keptChars += seal.value().length();
            reasoning().seal(seal);
        }
        closeItem(true);
    }

    /** Media other than an image, and a link to an image, can only be written as text. */
    @Override
    public void media(Part.Media media) {
        keptChars += media.chars();
        if (!media.isImage() || media.data() == null) {
            message().text(media.markdown(), told);
            return;
        }
        closeItem(true);
        var image = new ResponsesImageItem(this, response.itemId("ig", items.size()), items.size(), media);
        items.add(image);
        image.close(true);
    }

    /** A source belongs to the open message. It is left out if another item has begun. */
    @Override
    public void citation(Part.Citation citation) {
        if (message != null) {
            keptChars += ITEM_CHARS + citation.chars();
            message.citation(citation);
        }
    }

    @Override
    public void hosted(Part.HostedUse use) {
        closeItem(true);
        keptChars += ITEM_CHARS * use.sources().size() + use.chars();
        String kind = use.kind() == HostedKind.CODE ? "ci" : "ws";
        var item = new ResponsesHostedItem(this, response.itemId(kind, items.size()), items.size(), use);
        items.add(item);
        item.close(true);
    }

    @Override
    public void toolCall(int index, String id, String name, @Nullable Seal seal) {
        closeItem(true);
        String callId = CallIds.encode(id, List.of(), seal);
        CallForm form = request.form(name);
        ResponsesCall opened = ResponsesCall.of(this, response.itemId("fc", items.size()), items.size(), callId, form);
        items.add(opened);
        call = opened;
    }

    @Override
    public void arguments(int index, String text) {
        keptChars += text.length();
        if (call != null) {
            call.arguments(text);
        }
    }

    @Override
    public void toolCallEnd(int index) {
        closeItem(true);
    }

    @Override
    public void stop(StopReason reason, @Nullable String sequence) {
        stopReason = reason;
    }

    @Override
    public void end() {
        String incomplete = incompleteReason();
        closeItem(incomplete == null);
        String status = incomplete == null ? "completed" : "incomplete";
        if (streaming) {
            responseEvent("response." + status, status, incomplete);
        } else {
            JsonText whole = json();
            response.put(whole, status, incomplete, items, usage);
            body = whole.endObject().text();
        }
    }

    @Override
    public void error(ModelError error) {
        if (!streaming) {
            return;
        }
        String code = error.code() == null ? "server_error" : error.code();
        begin("error").put("code", code).put("message", error.message()).putNull("param");
        byte[] bytes = Dialect.RESPONSES.errorBody(error.status(), code, error.message(), null, null);
        ObjectNode nested = Json.parseObject(bytes, 0, bytes.length);
        if (nested != null) {
            current().putJson("error", nested.path("error").toString());
        }
        send();
    }

    @Override
    public byte[] body() {
        return body.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    long keptChars() {
        return keptChars + (long) ITEM_CHARS * items.size();
    }

    /** Begins an event; {@link #send} ends it. */
    JsonText begin(String eventType) {
        type = eventType;
        return json().put("type", eventType);
    }

    /** Numbers the event and writes it. */
    void send() {
        current().put("sequence_number", sequenceNumber++);
        if (streaming) {
            event(type);
        }
    }

    /** Writes an event that holds a whole item. */
    void itemEvent(String eventType, int outputIndex, ResponsesItem item) {
        begin(eventType).put("output_index", outputIndex).object("item");
        item.put(current());
        current().endObject();
        send();
    }

    private void responseEvent(String eventType, String status, @Nullable String incomplete) {
        begin(eventType).object("response");
        response.put(current(), status, incomplete, items, usage);
        current().endObject();
        send();
    }

    private ResponsesMessageItem message() {
        if (message == null) {
            closeItem(true);
            message = new ResponsesMessageItem(this, response.itemId("msg", items.size()), items.size());
            items.add(message);
        }
        return message;
    }

    private ResponsesReasoningItem reasoning() {
        if (reasoning == null) {
            closeItem(true);
            reasoning = new ResponsesReasoningItem(this, response.itemId("rs", items.size()), items.size());
            items.add(reasoning);
        }
        return reasoning;
    }

    /** Closes the open item. */
    private void closeItem(boolean complete) {
        ResponsesItem open = message != null ? message : reasoning != null ? reasoning : call;
        if (open != null) {
            open.close(complete);
        }
        message = null;
        reasoning = null;
        call = null;
    }

    /** The word for why the answer is incomplete, null if it is complete. */
    private @Nullable String incompleteReason() {
        return switch (stopReason) {
            case END, STOP_SEQUENCE, TOOL_CALLS, OTHER -> null;
            case LENGTH, CONTEXT_FULL -> "max_output_tokens";
            case CONTENT_FILTER -> "content_filter";
            case REFUSAL -> refused ? null : "content_filter";
            case PAUSE -> "pause_turn";
            case STOPPED -> "stopped";
        };
    }
}
