package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads the content blocks of a Messages request. */
final class MessagesBlocks {
    /** Blocks of the provider's own tools, or about the provider. Other providers have no use for them. */
    private static final Set<String> HOSTED = Set.of("fallback", "mcp_tool_listing");

    private final CallIds ids = new CallIds();

    /** The parts of a string or an array of blocks. */
    List<Part> parts(JsonFields fields, String key) {
        List<Part> parts = new ArrayList<>();
        if (fields.isText(key)) {
            Part.Text.add(parts, fields.requiredText(key));
            return parts;
        }
        for (JsonFields block : fields.objects(key)) {
            addBlock(parts, block);
        }
        return parts;
    }

    private void addBlock(List<Part> parts, JsonFields block) {
        String type = block.requiredText("type");
        switch (type) {
            case "thinking" -> parts.add(thinking(block));
            case "redacted_thinking" -> {
                String data = block.requiredText("data");
                Seal seal = Seal.decode(data);
                parts.add(new Part.Reasoning("", seal == null ? MessagesShapes.redacted(data) : seal));
            }
            case "tool_use" -> addCall(parts, block);
            case "tool_result" -> parts.add(toolResult(block));
            case "compaction" -> Part.Text.add(parts, block.text("content", ""));
            default -> {
                if (!isHosted(type)) {
                    addSaid(parts, block, type);
                }
            }
        }
    }

    private static boolean isHosted(String type) {
        return type.endsWith("_tool_use") || type.endsWith("_tool_result") || HOSTED.contains(type);
    }

    /** Adds a block of a type that messages and results of tools can have. */
    private void addSaid(List<Part> parts, JsonFields block, String type) {
        switch (type) {
            case "text" -> Part.Text.add(parts, block.requiredText("text"));
            case "image" -> parts.add(image(block.requiredObject("source")));
            case "document" -> addDocument(parts, block);
            case "search_result" -> addSearchResult(parts, block);
            case "tool_reference" -> Part.Text.add(parts, "Found the tool " + block.requiredText("tool_name") + ".\n");
            case "browser_state" -> Part.Text.add(parts, "Open tabs: " + block.json("tabs") + "\n");
            case "container_upload" ->
                Part.Text.add(parts, "(The file " + block.requiredText("file_id") + " is with another provider.)\n");
            default -> throw block.refuse("type", "cannot be translated: " + type);
        }
    }

    private static Part image(JsonFields source) {
        String type = source.requiredText("type");
        return switch (type) {
            case "base64" -> new Part.Image(source.requiredText("media_type"), source.requiredText("data"), null, null);
            case "url" -> new Part.Image(null, null, source.requiredText("url"), null);
            default -> throw source.refuse("type", "cannot be translated: " + type);
        };
    }

    /**
     * Adds a document. A document of text becomes text, which every dialect has. The blocks of a document are read as
     * blocks.
     */
    private void addDocument(List<Part> parts, JsonFields block) {
        JsonFields source = block.requiredObject("source");
        String title = block.text("title");
        String type = source.requiredText("type");
        switch (type) {
            case "text" -> Part.Text.add(parts, source.requiredText("data"));
            case "content" -> {
                if (source.isText("content")) {
                    Part.Text.add(parts, source.requiredText("content"));
                    return;
                }
                for (JsonFields piece : source.objects("content")) {
                    addSaid(parts, piece, piece.requiredText("type"));
                }
            }
            case "base64" ->
                parts.add(
                        new Part.Document(source.requiredText("media_type"), source.requiredText("data"), null, title));
            case "url" -> parts.add(new Part.Document(null, null, source.requiredText("url"), title));
            default -> throw source.refuse("type", "cannot be translated: " + type);
        }
    }

    private static void addSearchResult(List<Part> parts, JsonFields block) {
        StringBuilder text = new StringBuilder();
        text.append(block.text("title", "")).append('\n');
        text.append(block.text("source", "")).append('\n');
        for (JsonFields piece : block.objects("content")) {
            text.append('\n').append(piece.requiredText("text"));
        }
        Part.Text.add(parts, text.append('\n').toString());
    }

    private static Part thinking(JsonFields block) {
        String signature = block.text("signature", "");
        Seal seal = null;
        if (!signature.isEmpty()) {
            Seal foreign = Seal.decode(signature);
            seal = foreign == null ? MessagesShapes.signature(signature) : foreign;
        }
        return new Part.Reasoning(block.requiredText("thinking"), seal);
    }

    private void addCall(List<Part> parts, JsonFields block) {
        CallIds.Carried id = ids.decode(block, "id");
        var input = block.tree("input");
        parts.addAll(id.reasoning());
        String name = ToolName.of(block.text("toolset_name"), block.requiredText("name"));
        parts.add(new Part.ToolCall(id.id(), name, input == null ? "{}" : input.toString(), id.seal()));
    }

    private Part toolResult(JsonFields block) {
        String id = CallIds.plain(block.requiredText("tool_use_id"));
        List<Part> content = new ArrayList<>();
        if (block.isText("content")) {
            Part.Text.add(content, block.requiredText("content"));
        } else {
            for (JsonFields piece : block.objects("content")) {
                addSaid(content, piece, piece.requiredText("type"));
            }
        }
        return new Part.ToolResult(id, content, block.isTrue("is_error"));
    }
}
