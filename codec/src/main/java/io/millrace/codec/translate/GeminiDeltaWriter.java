package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import org.jspecify.annotations.Nullable;

/**
 * Writes Gemini's streamed responses. Each response has the new part of the answer. A call is written when it is
 * complete.
 */
final class GeminiDeltaWriter extends FrameWriter {
    private final ModelRequest request;
    private final StringBuilder arguments = new StringBuilder();
    private final Grounding grounding = new Grounding();

    /** The text so far. It is kept only if the client asked for tools whose sources refer to it. */
    private final StringBuilder text = new StringBuilder();

    private final boolean grounded;
    private @Nullable String id;
    private String model;
    private String callId = "";
    private String callName = "";
    private @Nullable Seal callSeal;
    private @Nullable String garbledCall;
    private @Nullable StopReason stopReason;

    GeminiDeltaWriter(ModelRequest request) {
        this.request = request;
        model = request.model();
        grounded = !request.hosted().isEmpty();
    }

    @Override
    public void start(@Nullable String answerId, @Nullable String answeringModel, long createdSeconds) {
        id = answerId;
        model = answeringModel == null ? model : answeringModel;
    }

    @Override
    public void text(String more) {
        if (grounded) {
            text.append(more);
        }
        GeminiShapes.putText(parts(), more);
        sendParts();
    }

    @Override
    public void refusal(String more) {
        GeminiShapes.putText(parts(), more);
        sendParts();
    }

    @Override
    public void reasoning(String text) {
        GeminiShapes.putThought(parts(), text);
        sendParts();
    }

    @Override
    public void reasoningEnd(@Nullable Seal seal) {
        if (seal != null) {
            GeminiShapes.putSeal(parts(), seal);
            sendParts();
        }
    }

    @Override
    public void media(Part.Media media) {
        GeminiShapes.putMedia(parts(), media);
        sendParts();
    }

    /** Sources are written at the end. */
    @Override
    public void citation(Part.Citation citation) {
        grounding.add(citation);
    }

    @Override
    public void hosted(Part.HostedUse use) {
        if (!grounding.add(use)) {
            GeminiShapes.putCode(parts(), use);
            sendParts();
        }
    }

    @Override
    public void toolCall(int index, String newId, String name, @Nullable Seal seal) {
        callId = newId;
        callName = request.form(name).name();
        callSeal = seal;
        arguments.setLength(0);
    }

    @Override
    public void arguments(int index, String json) {
        arguments.append(json);
    }

    @Override
    public void toolCallEnd(int index) {
        JsonText parts = parts();
        if (GeminiShapes.putCall(parts, new Part.ToolCall(callId, callName, arguments.toString(), callSeal))) {
            sendParts();
        } else {
            garbledCall = callName;
        }
    }

    @Override
    public void stop(StopReason reason, @Nullable String sequence) {
        stopReason = reason;
    }

    @Override
    public void end() {
        JsonText parts = parts();
        GeminiShapes.putText(parts, "");
        JsonText candidate = parts.endArray().put("role", "model").endObject();
        GeminiShapes.putFinish(candidate, stopReason, garbledCall);
        candidate.put("index", 0);
        grounding.put(candidate, text.toString());
        candidate.endObject().endArray();
        GeminiShapes.putUsage(candidate, usage);
        send();
    }

    @Override
    public void error(ModelError error) {
        crlfRaw(Dialect.GEMINI.errorBody(error.status(), error.code(), error.codedMessage(), null, null));
    }

    @Override
    long keptChars() {
        return arguments.length() + text.length() + grounding.chars();
    }

    /** Begins a response, up to the parts of its only candidate. */
    private JsonText parts() {
        return json().array("candidates").object().object("content").array("parts");
    }

    private void sendParts() {
        current()
                .endArray()
                .put("role", "model")
                .endObject()
                .put("index", 0)
                .endObject()
                .endArray();
        send();
    }

    private void send() {
        current().put("modelVersion", model);
        if (id != null) {
            current().put("responseId", id);
        }
        crlfData();
    }
}
