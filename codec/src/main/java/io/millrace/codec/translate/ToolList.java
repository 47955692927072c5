package io.millrace.codec.translate;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The tools of a request while it is read: each function once, and those only that may be used. */
final class ToolList {
    private final List<Tool> tools = new ArrayList<>();
    private final Set<String> functions = new HashSet<>();
    private @Nullable Set<String> allowed;

    /** Adds a tool; of functions with the same name the first one stays. */
    void add(Tool tool) {
        if (!(tool instanceof Tool.Function function) || functions.add(function.name())) {
            tools.add(tool);
        }
    }

    /** Adds a tool that only its provider runs, and no other has. */
    void addHosted(String type, String path) {
        add(new Tool.Hosted(HostedKind.OTHER, type, path, List.of()));
    }

    /** Those of the tools that their provider runs. */
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

    /** Only functions of these names may be used, and tools of these types. */
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
