package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Collects the tools of a request. Each function is there once. Tools that may not be used are left out at the end. */
final class ToolList {
    private final List<Tool> tools = new ArrayList<>();
    private final Set<String> functions = new HashSet<>();
    private @Nullable Set<String> allowed;

    /** Adds a tool. Of functions with the same name, only the first one is kept. */
    void add(Tool tool) {
        if (!(tool instanceof Tool.Function function) || functions.add(function.name())) {
            tools.add(tool);
        }
    }

    /** Adds a tool that its provider runs and other providers do not have. */
    void addHosted(String type, String path) {
        add(new Tool.Hosted(HostedKind.OTHER, type, path, List.of()));
    }

    /** The tools that their provider runs. */
    List<Tool.Hosted> hosted() {
        return tools.stream()
                .filter(Tool.Hosted.class::isInstance)
                .map(Tool.Hosted.class::cast)
                .toList();
    }

    /** Whether there is a function of this name. */
    boolean has(String function) {
        return functions.contains(function);
    }

    /** Allows only functions with these names and tools with these types. */
    void allow(Set<String> names) {
        allowed = names;
    }

    void into(ModelRequest.Builder request) {
        for (Tool tool : tools) {
            String name = tool instanceof Tool.Function function ? function.name() : ((Tool.Hosted) tool).type();
            if (allowed == null || allowed.contains(name)) {
                request.tool(tool);
            }
        }
    }
}
