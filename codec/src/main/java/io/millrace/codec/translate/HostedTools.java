package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.List;

/** What becomes of tools that only their provider runs at upstreams that have none of their kind. */
final class HostedTools {
    private HostedTools() {}

    /**
     * The request without them; that they are left out is told.
     *
     * @throws TranslationException if the model must use one
     */
    static ModelRequest leaveOut(ModelRequest request) {
        List<Tool.Function> functions = request.functions();
        ToolChoice choice = request.toolChoice();
        if (choice != null && choice.mode() == ToolChoice.Mode.HOSTED) {
            throw new TranslationException(
                    RequestField.TOOL_CHOICE, "forces a tool that only its provider runs: " + choice.name());
        }
        if (functions.size() == request.tools().size()) {
            return request;
        }
        if (choice != null && choice.mode() == ToolChoice.Mode.REQUIRED && functions.isEmpty()) {
            throw new TranslationException(
                    RequestField.TOOL_CHOICE, "requires a tool, and there are only some that their provider runs");
        }
        Drops drops = new Drops();
        for (Tool tool : request.tools()) {
            if (tool instanceof Tool.Hosted hosted) {
                drops.tool(hosted);
            }
        }
        List<DroppedField> dropped = new ArrayList<>(request.dropped());
        dropped.addAll(drops.all());
        return request.withTools(functions, dropped);
    }
}
