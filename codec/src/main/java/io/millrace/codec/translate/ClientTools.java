package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/**
 * Tools that the client runs. Only the models of one provider know their schema, so here they are functions with that
 * schema.
 */
final class ClientTools {
    static final String LOCAL_SHELL = "local_shell";
    static final String SHELL = "shell";
    static final String APPLY_PATCH = "apply_patch";
    static final String TOOL_SEARCH = "tool_search";
    static final String COMPUTER = "computer";

    private ClientTools() {}

    /** The function for Messages' tool of this type; null if the provider runs the tool, or it is not known. */
    static Tool.@Nullable Function ofMessages(String type, JsonFields tool) {
        if (type.startsWith("bash_2")) {
            return function(tool, "bash", "Runs commands in a shell that stays open, or restarts it.", BASH);
        }
        if (type.startsWith("text_editor_2")) {
            return function(tool, "str_replace_based_edit_tool", "Views, creates and edits text files.", EDITOR);
        }
        if (type.startsWith("memory_2")) {
            return function(tool, "memory", "Keeps what is worth remembering in files below /memories.", MEMORY);
        }
        if (type.startsWith("computer_2")) {
            String size = tool.has("display_width_px") && tool.has("display_height_px")
                    ? " The screen has " + tool.integer("display_width_px") + " by " + tool.integer("display_height_px")
                            + " pixels."
                    : "";
            return function(tool, "computer", "Uses a computer by mouse, keyboard and screenshots." + size, SCREEN);
        }
        return null;
    }

    private static Tool.Function function(JsonFields tool, String usualName, String description, String schema) {
        String name = tool.text("name", usualName);
        return new Tool.Function(
                ToolName.of(name), description, Json.parseObject(schema), null, ToolName.form(null, name));
    }

    /** Responses' {@code local_shell}. */
    static Tool.Function localShell() {
        return function(CallForm.Kind.LOCAL_SHELL, LOCAL_SHELL, "Runs a command on the user's computer.", EXEC);
    }

    /** Responses' {@code shell} in an environment of the client. */
    static Tool.Function shell() {
        return function(CallForm.Kind.SHELL, SHELL, "Runs shell commands on the user's computer.", COMMANDS);
    }

    /** Responses' {@code apply_patch}. */
    static Tool.Function applyPatch() {
        return function(CallForm.Kind.APPLY_PATCH, APPLY_PATCH, "Creates, changes or deletes a file.", PATCH);
    }

    /** Responses' {@code computer} and {@code computer_use_preview}. */
    static Tool.Function computer() {
        String description = "Uses a computer by mouse and keyboard; the result is a screenshot.";
        return function(CallForm.Kind.COMPUTER, COMPUTER, description, ACTIONS);
    }

    /** Responses' {@code tool_search}, if the client runs it, with the client's schema. */
    static Tool.Function toolSearch(JsonFields tool) {
        ObjectNode given = tool.tree("parameters");
        String description = tool.text("description", "Finds tools for a task.");
        var form = new CallForm(CallForm.Kind.TOOL_SEARCH, null, TOOL_SEARCH);
        return new Tool.Function(
                TOOL_SEARCH, description, given == null ? Json.parseObject(SEARCH) : given, null, form);
    }

    private static Tool.Function function(CallForm.Kind kind, String name, String description, String schema) {
        return new Tool.Function(name, description, Json.parseObject(schema), null, new CallForm(kind, null, name));
    }

    private static final String BASH = """
            {"type": "object", "properties": {
              "command": {"type": "string", "description": "The command to run."},
              "restart": {"type": "boolean", "description": "True to restart the shell; then no command is needed."}}}
            """;

    private static final String EDITOR = """
            {"type": "object", "properties": {
              "command": {"type": "string", "enum": ["view", "create", "str_replace", "insert"]},
              "path": {"type": "string", "description": "An absolute path of a file or directory."},
              "file_text": {"type": "string", "description": "For create: the content of the file."},
              "old_str": {"type": "string", "description": "For str_replace: what to replace; it must occur once."},
              "new_str": {"type": "string", "description": "For str_replace: what to put in its place."},
              "insert_line": {"type": "integer", "description": "For insert: the line behind which to insert, 0 for the start."},
              "insert_text": {"type": "string", "description": "For insert: the text."},
              "view_range": {"type": "array", "items": {"type": "integer"},
                "description": "For view of a file: first and last line, from 1; -1 is its end."}},
              "required": ["command", "path"]}
            """;

    private static final String MEMORY = """
            {"type": "object", "properties": {
              "command": {"type": "string", "enum": ["view", "create", "str_replace", "insert", "delete", "rename"]},
              "path": {"type": "string", "description": "A path that begins with /memories; for all but rename."},
              "file_text": {"type": "string", "description": "For create: the content of the file."},
              "old_str": {"type": "string", "description": "For str_replace: what to replace; it must occur once."},
              "new_str": {"type": "string", "description": "For str_replace: what to put in its place."},
              "insert_line": {"type": "integer", "description": "For insert: the line behind which to insert, 0 for the start."},
              "insert_text": {"type": "string", "description": "For insert: the text."},
              "view_range": {"type": "array", "items": {"type": "integer"},
                "description": "For view of a file: first and last line, from 1; -1 is its end."},
              "old_path": {"type": "string", "description": "For rename."},
              "new_path": {"type": "string", "description": "For rename."}},
              "required": ["command"]}
            """;

    private static final String SCREEN = """
            {"type": "object", "properties": {
              "action": {"type": "string", "enum": ["screenshot", "cursor_position", "mouse_move", "left_click",
                "right_click", "middle_click", "double_click", "triple_click", "left_click_drag", "left_mouse_down",
                "left_mouse_up", "scroll", "type", "key", "hold_key", "wait", "zoom"]},
              "coordinate": {"type": "array", "items": {"type": "integer"}, "description": "x and y in pixels."},
              "start_coordinate": {"type": "array", "items": {"type": "integer"},
                "description": "For left_click_drag: where it starts."},
              "text": {"type": "string",
                "description": "What to type, or a key such as ctrl+s; with clicks and scroll: a key to hold meanwhile."},
              "scroll_direction": {"type": "string", "enum": ["up", "down", "left", "right"]},
              "scroll_amount": {"type": "integer"},
              "duration": {"type": "number", "description": "Seconds, for wait and hold_key."},
              "region": {"type": "array", "items": {"type": "integer"},
                "description": "For zoom: x and y of the upper left and of the lower right corner."}},
              "required": ["action"]}
            """;

    private static final String EXEC = """
            {"type": "object", "properties": {
              "command": {"type": "array", "items": {"type": "string"},
                "description": "The program and its arguments, such as [\\"bash\\", \\"-lc\\", \\"ls\\"]."},
              "working_directory": {"type": "string"},
              "timeout_ms": {"type": "integer"},
              "env": {"type": "object", "additionalProperties": {"type": "string"}},
              "user": {"type": "string", "description": "Whom to run it as."}},
              "required": ["command"]}
            """;

    private static final String COMMANDS = """
            {"type": "object", "properties": {
              "commands": {"type": "array", "items": {"type": "string"}, "description": "Commands for a shell."},
              "timeout_ms": {"type": "integer"},
              "max_output_length": {"type": "integer"}},
              "required": ["commands"]}
            """;

    private static final String PATCH = """
            {"type": "object", "properties": {
              "type": {"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
              "path": {"type": "string"},
              "diff": {"type": "string",
                "description": "For create_file and update_file: lines with + and -, those around them with a space, @@ between places."}},
              "required": ["type", "path"]}
            """;

    private static final String ACTIONS = """
            {"type": "object", "properties": {"actions": {"type": "array", "items": {"type": "object", "properties": {
              "type": {"type": "string", "enum": ["click", "double_click", "drag", "keypress", "move", "screenshot",
                "scroll", "type", "wait"]},
              "x": {"type": "integer"}, "y": {"type": "integer"},
              "button": {"type": "string", "enum": ["left", "right", "wheel", "back", "forward"]},
              "path": {"type": "array", "items": {"type": "object", "properties": {
                "x": {"type": "integer"}, "y": {"type": "integer"}}}},
              "keys": {"type": "array", "items": {"type": "string"}},
              "scroll_x": {"type": "integer"}, "scroll_y": {"type": "integer"},
              "text": {"type": "string"}},
              "required": ["type"]}}},
              "required": ["actions"]}
            """;

    private static final String SEARCH = """
            {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
            """;
}
