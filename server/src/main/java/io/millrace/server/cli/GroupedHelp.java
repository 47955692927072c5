package io.millrace.server.cli;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A help whose options are in groups: each mixin whose name begins with a capital is a group with its name as heading.
 */
final class GroupedHelp extends Help {
    GroupedHelp(CommandSpec spec, ColorScheme colors) {
        super(spec, colors);
    }

    @Override
    public String optionList() {
        Set<String> grouped = new HashSet<>();
        var groups = new StringBuilder();
        commandSpec().mixins().forEach((name, mixin) -> {
            if (Character.isUpperCase(name.charAt(0))) {
                mixin.options().forEach(option -> grouped.add(option.longestName()));
                groups.append(System.lineSeparator())
                        .append(name)
                        .append(':')
                        .append(System.lineSeparator())
                        .append(listed(mixin.options()));
            }
        });
        List<OptionSpec> others = new ArrayList<>(commandSpec().options());
        others.removeIf(option -> grouped.contains(option.longestName()));
        return listed(others) + groups;
    }

    private String listed(List<OptionSpec> options) {
        Layout layout = createDefaultLayout();
        layout.addOptions(
                options.stream().filter(option -> !option.hidden()).toList(), createDefaultParamLabelRenderer());
        return layout.toString();
    }
}
