package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads a Gemini conversation. Its calls need no id, and a result belongs to a call by name and order. A call without
 * an id gets one from its position, which is the same whenever the conversation is sent again.
 */
final class GeminiContents {
    /** Hints on how to handle a part. */
    private static final String[] IGNORED = {
        "audioTranscription",
        "mediaProcessing",
        "mediaResolution",
        "partMetadata",
        "thought",
        "thoughtSignature",
        "videoMetadata"
    };

    /** The calls in their order. A call that already has its result is skipped. */
    private final Map<String, Deque<Part.ToolCall>> byId = new HashMap<>();

    private final Map<String, Deque<Part.ToolCall>> byName = new HashMap<>();

    /** The calls that have their result. They are compared by identity. */
    private final Set<Part.ToolCall> answered = Collections.newSetFromMap(new IdentityHashMap<>());

    private int callCount;

    /** Adds a content's parts to the request. */
    void read(JsonFields content, ModelRequest.Builder request) {
        String role = content.text("role", "user");
        switch (role) {
            case "user", "function", "tool" -> request.turn(Turn.Role.USER, userParts(content));
            case "model" -> request.turn(Turn.Role.ASSISTANT, modelParts(content));
            default -> throw content.refuse("role", "expected user or model");
        }
    }

    private List<Part> userParts(JsonFields content) {
        List<Part> parts = new ArrayList<>();
        for (JsonFields part : content.objects("parts")) {
            if (isHosted(part)) {
                continue;
            }
            if (part.has("functionResponse")) {
                parts.addAll(result(part.requiredObject("functionResponse")));
            } else {
                addSaid(parts, part);
            }
        }
        return parts;
    }

    private List<Part> modelParts(JsonFields content) {
        List<Part> parts = new ArrayList<>();
        StringBuilder thought = new StringBuilder();
        for (JsonFields part : content.objects("parts")) {
            Seal seal = seal(part);
            if (part.isTrue("thought")) {
                thought.append(part.text("text", ""));
                if (seal != null) {
                    closeThought(parts, thought, seal);
                }
                continue;
            }
            closeThought(parts, thought, null);
            if (isHosted(part)) {
                continue;
            }
            if (part.has("functionCall")) {
                parts.add(call(part.requiredObject("functionCall"), seal));
                continue;
            }
            addSaid(parts, part);
            if (seal != null) {
                parts.add(new Part.Reasoning("", seal));
            }
        }
        closeThought(parts, thought, null);
        return parts;
    }

    /** Whether the part is from Google's own tools, or a seal of it. Other providers have no use for these. */
    private static boolean isHosted(JsonFields part) {
        return part.has("toolCall")
                || part.has("toolResponse")
                || part.has("executableCode")
                || part.has("codeExecutionResult");
    }

    /** Closes a thought. Streams send thoughts in pieces, and the last piece has the seal. */
    private static void closeThought(List<Part> parts, StringBuilder thought, @Nullable Seal seal) {
        if (seal != null || !thought.isEmpty()) {
            parts.add(new Part.Reasoning(thought.toString(), seal));
            thought.setLength(0);
        }
    }

    private static @Nullable Seal seal(JsonFields part) {
        String signature = part.text("thoughtSignature", "");
        if (signature.isEmpty()) {
            return null;
        }
        Seal foreign = GeminiShapes.foreignSeal(signature);
        if (foreign != null) {
            return foreign;
        }
        boolean call = part.has("functionCall");
        String kind = part.isTrue("thought") ? GeminiDeltaReader.THOUGHT : GeminiDeltaReader.TEXT;
        return new Seal(Dialect.GEMINI, call ? "" : kind, signature);
    }

    private Part call(JsonFields call, @Nullable Seal seal) {
        int index = callCount++;
        ObjectNode args = call.tree("args");
        String given = call.text("id", "");
        String id = given.isEmpty() ? "call_" + index : given;
        String name = ToolName.of(call.requiredText("name"));
        Part.ToolCall part = new Part.ToolCall(id, name, args == null ? "{}" : args.toString(), seal);
        call.refuseAny("partialArgs", "willContinue");
        call.dropOthers();
        byId.computeIfAbsent(id, key -> new ArrayDeque<>()).add(part);
        byName.computeIfAbsent(part.name(), key -> new ArrayDeque<>()).add(part);
        return part;
    }

    /** The result of a call, or its text if there is no such call: the turn of the call may have been cut off. */
    private List<Part> result(JsonFields response) {
        String given = response.requiredText("name");
        String name = ToolName.of(given);
        String id = response.text("id", "");
        Part.ToolCall call = waiting(id.isEmpty() ? byName.get(name) : byId.get(id));
        response.refuseAny("willContinue");
        response.ignore("scheduling");
        List<Part> content = new ArrayList<>();
        ObjectNode value = response.tree("response");
        boolean failed = addValue(content, given, value == null ? Json.object() : value);
        for (JsonFields part : response.objects("parts")) {
            addSaid(content, part);
        }
        response.dropOthers();
        if (call == null) {
            content.add(0, new Part.Text("Result of " + given + ": "));
            return content;
        }
        return List.of(new Part.ToolResult(call.id(), content, failed));
    }

    /** Takes the first call that has no result yet, {@code null} if there is none. */
    private Part.@Nullable ToolCall waiting(@Nullable Deque<Part.ToolCall> calls) {
        if (calls == null) {
            return null;
        }
        Part.ToolCall call = calls.poll();
        while (call != null && !answered.add(call)) {
            call = calls.poll();
        }
        return call;
    }

    /**
     * Adds the value of a result. Google's keys for it are {@code output} and {@code error}. The AI SDK of Vercel has
     * {@code content}, with the name next to it. Any other object is itself the result.
     */
    private static boolean addValue(List<Part> content, String name, ObjectNode value) {
        boolean named = value.size() == 2 && name.equals(value.path("name").textValue());
        JsonNode said = value;
        boolean failed = false;
        if (value.size() == 1 || named) {
            for (String key : List.of("output", "result", "content", "error")) {
                if (value.has(key)) {
                    said = value.get(key);
                    failed = key.equals("error");
                }
            }
        }
        content.add(new Part.Text(said.isTextual() ? said.textValue() : said.toString()));
        return failed;
    }

    private static void addSaid(List<Part> parts, JsonFields part) {
        if (part.has("text")) {
            Part.Text.add(parts, part.requiredText("text"));
        } else if (part.has("inlineData")) {
            JsonFields data = part.requiredObject("inlineData");
            parts.add(media(data, data.requiredText("data"), null));
        } else if (part.has("fileData")) {
            JsonFields file = part.requiredObject("fileData");
            String uri = file.requiredText("fileUri");
            boolean onTheWeb = uri.startsWith("https://") || uri.startsWith("http://");
            if (!onTheWeb || uri.contains("generativelanguage.googleapis.com")) {
                throw file.refuse("fileUri", "a file at a provider is not known to another: send its data");
            }
            parts.add(media(file, null, uri));
        } else {
            part.ignore(IGNORED);
            for (String unknown : part.others()) {
                throw part.refuse(unknown, "cannot be translated for the model's provider");
            }
        }
        part.ignore(IGNORED);
        part.dropOthers();
    }

    private static Part media(JsonFields media, @Nullable String data, @Nullable String url) {
        String type = media.text("mimeType");
        String name = media.text("displayName");
        if (type != null && type.startsWith("image/")) {
            return new Part.Image(type, data, url, null);
        }
        boolean document = type != null && (type.equals("application/pdf") || type.startsWith("text/"));
        if (!document) {
            throw media.refuse("mimeType", "cannot be translated: " + type);
        }
        return new Part.Document(type, data, url, name);
    }
}
