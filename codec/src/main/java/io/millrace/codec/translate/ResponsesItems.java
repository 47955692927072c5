package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads the items of a Responses conversation into a request. */
final class ResponsesItems {
    /** Items about the provider's own tools and settings. Other providers have no use for them. */
    private static final Set<String> HOSTED = Set.of(
            "code_interpreter_call",
            "configuration_update",
            "file_search_call",
            "ghost_snapshot",
            "image_generation_call",
            "mcp_approval_request",
            "mcp_approval_response",
            "mcp_call",
            "mcp_list_tools",
            "program",
            "program_output",
            "web_search_call");

    private final ModelRequest.Builder request;
    private final ResponsesToolsReader tools;
    private final CallIds ids = new CallIds();

    ResponsesItems(ModelRequest.Builder request, ResponsesToolsReader tools) {
        this.request = request;
        this.tools = tools;
    }

    void read(JsonFields item) {
        String type = item.text("type", "message");
        switch (type) {
            case "message" -> readMessage(item);
            case "agent_message" -> request.turn(Turn.Role.USER, readable(item));
            case "reasoning" -> readReasoning(item);
            case "item_reference" -> readReference(item);
            case "additional_tools" -> tools.addAll(item);
            case "function_call" -> readCall(item, item.json("arguments"));
            case "custom_tool_call" -> readCall(item, CallForm.customArguments(item.json("input")));
            case "local_shell_call" -> readAction(item, ClientTools.LOCAL_SHELL, "action");
            case "shell_call" -> readAction(item, ClientTools.SHELL, "action");
            case "apply_patch_call" -> readAction(item, ClientTools.APPLY_PATCH, "operation");
            case "computer_call" -> readComputerCall(item);
            case "tool_search_call" -> readToolSearch(item);
            case "function_call_output", "custom_tool_call_output", "local_shell_call_output" -> readResult(item);
            case "shell_call_output" -> addResult(item, shellOutput(item), false);
            case "apply_patch_call_output" ->
                addResult(item, texts(item.json("output")), "failed".equals(item.text("status")));
            case "computer_call_output" -> addResult(item, screenshot(item), false);
            case "tool_search_output" -> readToolSearchOutput(item);
            default -> {
                if (!HOSTED.contains(type)) {
                    throw item.refuse("type", "cannot be translated: " + type);
                }
            }
        }
    }

    private void readMessage(JsonFields message) {
        String role = message.requiredText("role");
        List<Part> content = content(message, "content");
        switch (role) {
            case "user" -> request.turn(Turn.Role.USER, content);
            case "assistant" -> request.turn(Turn.Role.ASSISTANT, content);
            case "system", "developer" -> {
                for (Part part : content) {
                    if (!(part instanceof Part.Text text)) {
                        throw message.refuse("content", "expected text");
                    }
                    request.system(text.text());
                }
            }
            default -> throw message.refuse("role", "cannot be translated: " + role);
        }
    }

    /** The readable parts of another agent's message. The rest is encrypted for the agent's provider. */
    private static List<Part> readable(JsonFields message) {
        List<Part> parts = new ArrayList<>();
        for (JsonFields part : message.objects("content")) {
            Part.Text.add(parts, part.text("text", ""));
        }
        return parts;
    }

    /** Reads a string, or parts. */
    private static List<Part> content(JsonFields item, String key) {
        List<Part> parts = new ArrayList<>();
        if (item.isText(key)) {
            Part.Text.add(parts, item.requiredText(key));
            return parts;
        }
        for (JsonFields part : item.objects(key)) {
            String type = part.requiredText("type");
            switch (type) {
                case "input_text", "output_text", "text" -> Part.Text.add(parts, part.requiredText("text"));
                case "refusal" -> Part.Text.add(parts, part.requiredText("refusal"));
                case "input_image" -> parts.add(image(part));
                case "input_file" -> parts.add(document(part));
                default -> throw part.refuse("type", "cannot be translated: " + type);
            }
        }
        return parts;
    }

    private static Part image(JsonFields part) {
        refuseFileId(part);
        return DataUrl.image(part.requiredText("image_url"), part.text("detail"));
    }

    private static Part document(JsonFields part) {
        refuseFileId(part);
        String link = part.text("file_url");
        if (link != null) {
            return new Part.Document(null, null, link, part.text("filename"));
        }
        return DataUrl.document(part, "file_data", "filename");
    }

    private static void refuseFileId(JsonFields part) {
        if (part.has("file_id")) {
            throw part.refuse("file_id", "a file at a provider is not known to another: send its data");
        }
    }

    private void readReasoning(JsonFields item) {
        StringBuilder text = new StringBuilder();
        for (String key : List.of("summary", "content")) {
            for (JsonFields part : item.objects(key)) {
                text.append(text.isEmpty() ? "" : "\n\n").append(part.text("text", ""));
            }
        }
        String encrypted = item.text("encrypted_content");
        Seal seal = null;
        if (encrypted != null) {
            Seal foreign = Seal.decode(encrypted);
            seal = foreign == null ? new Seal(Dialect.RESPONSES, item.text("id", ""), encrypted) : foreign;
        }
        if (seal != null || !text.isEmpty()) {
            request.turn(Turn.Role.ASSISTANT, List.of(new Part.Reasoning(text.toString(), seal)));
        }
    }

    /** Reads a reference. A reference to reasoning can be left out. A reference to anything else cannot. */
    private static void readReference(JsonFields item) {
        if (!item.requiredText("id").startsWith("rs_")) {
            throw item.refuse("id", "names what only its provider has stored: set store to false, or send the item");
        }
    }

    private void readCall(JsonFields item, String arguments) {
        addCall(item, ToolName.of(item.text("namespace"), item.requiredText("name")), arguments);
    }

    private void addCall(JsonFields item, String name, String arguments) {
        CallIds.Carried id = ids.decode(item, idKey(item));
        Part call = new Part.ToolCall(id.id(), name, arguments, id.seal());
        request.turn(Turn.Role.ASSISTANT, List.of(call));
    }

    /** Reads a call whose arguments are an object under {@code key}. */
    private void readAction(JsonFields item, String name, String key) {
        ObjectNode action = item.requiredObject(key).tree();
        boolean typed = key.equals("action");
        addCall(item, name, (typed ? action.deepCopy().without("type") : action).toString());
    }

    private void readComputerCall(JsonFields item) {
        ObjectNode arguments = Json.object();
        if (item.has("actions")) {
            arguments.set("actions", item.any("actions"));
        } else {
            arguments.putArray("actions").add(item.requiredObject("action").tree());
        }
        addCall(item, ClientTools.COMPUTER, arguments.toString());
    }

    /** Reads a search for tools. Only a search that the client runs has a result from the client. */
    private void readToolSearch(JsonFields item) {
        if (isClients(item)) {
            addCall(item, ClientTools.TOOL_SEARCH, item.json("arguments"));
        }
    }

    private void readToolSearchOutput(JsonFields item) {
        tools.addAll(item);
        if (isClients(item)) {
            StringBuilder found = new StringBuilder("Tools found:");
            for (JsonFields tool : item.objects("tools")) {
                found.append(' ').append(tool.text(tool.has("name") ? "name" : "type"));
            }
            addResult(item, List.of(new Part.Text(found.toString())), false);
        }
    }

    private static boolean isClients(JsonFields item) {
        return item.has("call_id") && !"server".equals(item.text("execution"));
    }

    private void readResult(JsonFields item) {
        JsonNode output = item.any("output");
        boolean parts = output != null && output.isArray();
        addResult(item, parts ? content(item, "output") : texts(item.json("output")), false);
    }

    private static List<Part> texts(String text) {
        return text.isEmpty() ? List.of() : List.of(new Part.Text(text));
    }

    private static List<Part> shellOutput(JsonFields item) {
        StringBuilder text = new StringBuilder();
        for (JsonFields output : item.objects("output")) {
            for (String stream : List.of("stdout", "stderr")) {
                text.append(output.text(stream, ""));
            }
            JsonFields outcome = output.object("outcome");
            if (outcome != null && outcome.has("exit_code")) {
                text.append("\n[exit code ")
                        .append(outcome.integer("exit_code"))
                        .append("]\n");
            } else if (outcome != null) {
                text.append("\n[").append(outcome.text("type")).append("]\n");
            }
        }
        return texts(text.toString());
    }

    private static List<Part> screenshot(JsonFields item) {
        JsonFields output = item.requiredObject("output");
        return List.of(image(output));
    }

    /** The key of the id that joins the call of a local shell and its output. Older clients use the item's own id. */
    private static String idKey(JsonFields item) {
        return item.has("call_id") || !item.has("id") ? "call_id" : "id";
    }

    private void addResult(JsonFields item, List<Part> content, boolean failed) {
        String callId = CallIds.plain(item.requiredText(idKey(item)));
        request.turn(Turn.Role.USER, List.of(new Part.ToolResult(callId, content, failed)));
    }
}
