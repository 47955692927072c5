package io.millrace.codec.translate;

import io.millrace.codec.dialect.Dialect;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Writes Chat Completions chunks. */
final class ChatDeltaWriter extends FrameWriter {
    private final ModelRequest request;
    private final boolean includeUsage;
    /** The texts of custom tools' calls, by the calls' index. */
    private final Map<Integer, CustomInput> customs = new HashMap<>();

    /** The calls of legacy functions, by their index. */
    private final BitSet legacy = new BitSet();

    private final List<Part.Reasoning> thoughts = new ArrayList<>();
    private final StringBuilder thought = new StringBuilder();
    private String id = "";
    private String model;
    private long created;
    private int images;
    private long keptChars;

    ChatDeltaWriter(ModelRequest request) {
        this.request = request;
        this.includeUsage = request.includeUsage();
        this.model = request.model();
    }

    @Override
    public boolean interleaves() {
        return true;
    }

    @Override
    public void start(@Nullable String answerId, @Nullable String answeringModel, long createdSeconds) {
        id = answerId == null ? "chatcmpl-" + CallIds.fresh().substring("call_".length()) : answerId;
        model = answeringModel == null ? model : answeringModel;
        created = createdSeconds < 0 ? System.currentTimeMillis() / 1000 : createdSeconds;
        delta().put("role", "assistant").put("content", "");
        endDelta(null);
    }

    @Override
    public void text(String text) {
        delta().put("content", text);
        endDelta(null);
    }

    @Override
    public void refusal(String text) {
        delta().put("refusal", text);
        endDelta(null);
    }

    @Override
    public void reasoning(String text) {
        thought.append(text);
        delta().put("reasoning_content", text);
        endDelta(null);
    }

    @Override
    public void reasoningEnd(@Nullable Seal seal) {
        if (seal != null) {
            keptChars += thought.length() + seal.value().length();
            thoughts.add(new Part.Reasoning(thought.toString(), seal));
        }
        thought.setLength(0);
    }

    @Override
    public void media(Part.Media media) {
        if (!media.isImage()) {
            text(media.markdown());
            return;
        }
        ChatShapes.putImage(delta().array("images"), images++, media);
        current().endArray();
        endDelta(null);
    }

    @Override
    public void citation(Part.Citation citation) {
        ChatShapes.putCitation(delta().array("annotations"), citation);
        current().endArray();
        endDelta(null);
    }

    @Override
    public void toolCall(int index, String callId, String name, @Nullable Seal seal) {
        CallForm form = request.form(name);
        if (form.kind() == CallForm.Kind.LEGACY_FUNCTION) {
            legacyCall(index, form.name());
            return;
        }
        boolean custom = form.kind() == CallForm.Kind.CUSTOM;
        if (custom) {
            customs.put(index, new CustomInput());
        }
        delta().array("tool_calls")
                .object()
                .put("index", index)
                .put("id", CallIds.encode(callId, thoughts, seal))
                .put("type", custom ? "custom" : "function")
                .object(custom ? "custom" : "function")
                .put("name", form.name())
                .put(custom ? "input" : "arguments", "")
                .endObject()
                .endObject()
                .endArray();
        thoughts.clear();
        keptChars = 0;
        endDelta(null);
    }

    /** Writes a legacy call, of which an answer has at most one. */
    private void legacyCall(int index, String name) {
        legacy.set(index);
        if (legacy.nextSetBit(0) == index) {
            delta().object("function_call")
                    .put("name", name)
                    .put("arguments", "")
                    .endObject();
            endDelta(null);
        }
    }

    @Override
    public void arguments(int index, String json) {
        if (legacy.get(index)) {
            if (legacy.nextSetBit(0) == index) {
                delta().object("function_call").put("arguments", json).endObject();
                endDelta(null);
            }
            return;
        }
        CustomInput custom = customs.get(index);
        if (custom == null) {
            more(index, "function", "arguments", json);
        } else {
            more(index, "custom", "input", custom.add(json));
        }
    }

    @Override
    public void toolCallEnd(int index) {
        CustomInput custom = customs.remove(index);
        if (custom != null) {
            more(index, "custom", "input", custom.end());
        }
    }

    private void more(int index, String type, String key, String text) {
        if (text.isEmpty()) {
            return;
        }
        delta().array("tool_calls")
                .object()
                .put("index", index)
                .object(type)
                .put(key, text)
                .endObject()
                .endObject()
                .endArray();
        endDelta(null);
    }

    @Override
    public void stop(StopReason reason, @Nullable String sequence) {
        delta();
        endDelta(legacy.isEmpty() ? ChatShapes.finishReason(reason) : ChatShapes.legacyFinishReason(reason));
    }

    @Override
    public void end() {
        if (includeUsage && usage.isKnown()) {
            chunk().array("choices").endArray().putJson("usage", ChatShapes.usage(usage));
            data();
        }
        doneMark();
    }

    @Override
    public void error(ModelError error) {
        raw(null, Dialect.CHAT.errorBody(error.status(), error.code(), error.message(), null, null));
    }

    @Override
    long keptChars() {
        return keptChars + thought.length();
    }

    private JsonText chunk() {
        return json().put("id", id)
                .put("object", "chat.completion.chunk")
                .put("created", created)
                .put("model", model);
    }

    private JsonText delta() {
        return chunk().array("choices").object().put("index", 0).object("delta");
    }

    private void endDelta(@Nullable String finishReason) {
        current()
                .endObject()
                .putNull("logprobs")
                .put("finish_reason", finishReason)
                .endObject()
                .endArray();
        data();
    }
}
