package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Writes the call of a tool for which Responses has its own type of item. It is written when it is complete. */
final class ResponsesActionItem extends ResponsesCall {
    private final CallForm.Kind kind;
    private final StringBuilder arguments = new StringBuilder();

    private ObjectNode action = Json.object();

    ResponsesActionItem(ResponsesWriter out, String id, int outputIndex, String callId, CallForm.Kind kind) {
        super(out, id, outputIndex, callId);
        this.kind = kind;
    }

    @Override
    void arguments(String chunk) {
        arguments.append(chunk);
    }

    @Override
    void close(boolean complete) {
        ObjectNode read = Json.parseObject(arguments.toString());
        action = read == null ? Json.object() : read;
        added();
        status = complete && read != null ? "completed" : "incomplete";
        done();
    }

    @Override
    void put(JsonText json) {
        json.put("id", id).put("type", type()).put("status", status).put("call_id", callId);
        switch (kind) {
            case LOCAL_SHELL -> json.putJson("action", localShell().toString());
            case SHELL -> json.putJson("action", shell().toString());
            case APPLY_PATCH -> json.putJson("operation", action.toString());
            case TOOL_SEARCH -> json.put("execution", "client").putJson("arguments", action.toString());
            case COMPUTER -> putComputer(json);
            case FUNCTION, LEGACY_FUNCTION, CUSTOM -> throw new IllegalStateException("not an action: " + kind);
        }
    }

    private String type() {
        return switch (kind) {
            case LOCAL_SHELL -> "local_shell_call";
            case SHELL -> "shell_call";
            case APPLY_PATCH -> "apply_patch_call";
            case TOOL_SEARCH -> "tool_search_call";
            case COMPUTER -> "computer_call";
            case FUNCTION, LEGACY_FUNCTION, CUSTOM -> throw new IllegalStateException("not an action: " + kind);
        };
    }

    /**
     * The arguments of a local shell. Clients need the command as a list, and an environment. A model may write the
     * command as one line for a shell.
     */
    private ObjectNode localShell() {
        ObjectNode exec = Json.object().put("type", "exec");
        exec.setAll(action);
        exec.put("type", "exec");
        JsonNode command = action.path("command");
        if (command.isTextual()) {
            exec.putArray("command").add("bash").add("-lc").add(command.textValue());
        } else if (!command.isArray()) {
            exec.putArray("command");
        }
        if (!exec.path("env").isObject()) {
            exec.putObject("env");
        }
        return exec;
    }

    private ObjectNode shell() {
        ObjectNode commands = Json.object();
        commands.setAll(action);
        JsonNode given = action.path("commands");
        if (given.isTextual()) {
            commands.putArray("commands").add(given.textValue());
        } else if (!given.isArray()) {
            commands.putArray("commands");
        }
        return commands;
    }

    private void putComputer(JsonText json) {
        JsonNode actions = action.path("actions");
        json.putJson("actions", actions.isArray() ? actions.toString() : "[]");
        if (actions.size() == 1) {
            json.putJson("action", actions.get(0).toString());
        }
        json.putJson("pending_safety_checks", "[]");
    }
}
