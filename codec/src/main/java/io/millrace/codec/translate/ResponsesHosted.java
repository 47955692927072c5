package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Writes the tools that OpenAI runs into a Responses request. It also asks for the sources of searches and the output
 * of code.
 */
final class ResponsesHosted {
    static final HostedTools SERVED = new HostedTools(
            Map.of(
                    HostedKind.WEB_SEARCH,
                    Set.of(
                            HostedSetting.Key.ALLOWED_DOMAINS,
                            HostedSetting.Key.LOCATION,
                            HostedSetting.Key.CONTEXT_SIZE,
                            HostedSetting.Key.MAX_USES),
                    HostedKind.CODE,
                    Set.of(HostedSetting.Key.MAX_USES)),
            true);

    private static final String CODE = "code_interpreter";

    private ResponsesHosted() {}

    static void put(ObjectNode body, ModelRequest request) {
        List<Tool.Hosted> hosted = request.hosted();
        for (Tool.Hosted tool : hosted) {
            ObjectNode written = body.withArray("tools").addObject();
            if (tool.kind() == HostedKind.CODE) {
                written.put("type", CODE).putObject("container").put("type", "auto");
                body.withArray("include").add("code_interpreter_call.outputs");
            } else {
                putSearch(written.put("type", "web_search"), tool);
                body.withArray("include").add("web_search_call.action.sources");
            }
        }
        putLimit(body, hosted);
        ToolChoice choice = request.toolChoice();
        if (choice != null && choice.mode() == ToolChoice.Mode.HOSTED) {
            boolean code = choice.name().equals(HostedKind.CODE.toolName());
            body.putObject("tool_choice").put("type", code ? CODE : choice.name());
        }
    }

    private static void putSearch(ObjectNode json, Tool.Hosted search) {
        for (HostedSetting setting : search.settings()) {
            switch (setting.key()) {
                case ALLOWED_DOMAINS -> json.putObject("filters").set("allowed_domains", setting.value());
                case LOCATION -> HostedSettings.putLocation(json.putObject("user_location"), setting.value());
                case CONTEXT_SIZE -> json.set("search_context_size", setting.value());
                case MAX_USES, BLOCKED_DOMAINS, OTHER -> {
                    // The limit is a field of the whole request.
                }
            }
        }
    }

    /** Puts the limit of the request for all such tools. It is left out if one tool has no limit. */
    private static void putLimit(ObjectNode body, List<Tool.Hosted> hosted) {
        long limit = 0;
        for (Tool.Hosted tool : hosted) {
            JsonNode most = tool.setting(HostedSetting.Key.MAX_USES);
            if (most == null) {
                return;
            }
            limit += most.longValue();
        }
        if (limit > 0) {
            body.put("max_tool_calls", limit);
        }
    }
}
