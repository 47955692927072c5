package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The provider's tools that an upstream has.
 *
 * @param settings the settings that the upstream accepts, for each kind of tool that it has
 * @param forces whether a request can require the model to use one of the tools
 */
record HostedTools(Map<HostedKind, Set<HostedSetting.Key>> settings, boolean forces) {
    /** No tools. */
    static final HostedTools NONE = new HostedTools(Map.of(), false);

    /**
     * The request with only the tools and settings that the upstream has. The others are added to
     * {@link ModelRequest#dropped}. A choice of such a tool has its {@linkplain HostedKind#toolName kind}.
     *
     * @throws TranslationException if the model must use a tool that the upstream does not have
     */
    ModelRequest serve(ModelRequest request) {
        ToolChoice choice = request.toolChoice();
        boolean forced = choice != null && choice.mode() == ToolChoice.Mode.HOSTED;
        if (request.functions().size() == request.tools().size() && !forced) {
            return request;
        }
        Drops drops = new Drops();
        List<Tool> served = new ArrayList<>();
        Set<HostedKind> kinds = EnumSet.noneOf(HostedKind.class);
        Set<String> functions =
                request.functions().stream().map(Tool.Function::name).collect(Collectors.toSet());
        for (Tool tool : request.tools()) {
            if (!(tool instanceof Tool.Hosted hosted)) {
                served.add(tool);
            } else if (!settings.containsKey(hosted.kind())
                    || functions.contains(hosted.kind().toolName())) {
                drops.tool(hosted);
            } else if (kinds.add(hosted.kind())) {
                served.add(known(hosted, drops));
            }
        }
        verifyChoice(choice, request, !served.isEmpty());
        List<DroppedField> dropped = new ArrayList<>(request.dropped());
        dropped.addAll(drops.all());
        ModelRequest result = request.withTools(served, dropped);
        return choice != null && forced ? result.withToolChoice(named(choice, request, kinds)) : result;
    }

    private Tool.Hosted known(Tool.Hosted hosted, Drops drops) {
        Set<HostedSetting.Key> keys = settings.getOrDefault(hosted.kind(), Set.of());
        boolean allows = hosted.setting(HostedSetting.Key.ALLOWED_DOMAINS) != null
                && keys.contains(HostedSetting.Key.ALLOWED_DOMAINS);
        List<HostedSetting> known = new ArrayList<>();
        for (HostedSetting setting : hosted.settings()) {
            // Domains that are not allowed are blocked anyway, and no provider takes both lists.
            boolean implied = allows && setting.key() == HostedSetting.Key.BLOCKED_DOMAINS;
            if (keys.contains(setting.key()) && !implied) {
                known.add(setting);
            } else {
                drops.field(setting.path());
            }
        }
        return new Tool.Hosted(hosted.kind(), hosted.type(), hosted.path(), known);
    }

    private void verifyChoice(@Nullable ToolChoice choice, ModelRequest request, boolean any) {
        if (choice != null
                && choice.mode() == ToolChoice.Mode.REQUIRED
                && request.functions().isEmpty()
                && !(any && forces)) {
            throw new TranslationException(
                    RequestField.TOOL_CHOICE, "requires a tool, and there are only some that their provider runs");
        }
    }

    private ToolChoice named(ToolChoice choice, ModelRequest request, Set<HostedKind> kinds) {
        for (Tool tool : request.tools()) {
            if (tool instanceof Tool.Hosted hosted && hosted.type().equals(choice.name())) {
                if (forces && kinds.contains(hosted.kind())) {
                    return ToolChoice.hosted(hosted.kind().toolName());
                }
            }
        }
        throw new TranslationException(
                RequestField.TOOL_CHOICE, "forces a tool that only its provider runs: " + choice.name());
    }
}
