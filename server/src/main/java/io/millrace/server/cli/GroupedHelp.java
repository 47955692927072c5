package io.millrace.server.cli;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Help;
import picocli.CommandLine.Help.Column;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A help with options in groups. Each mixin whose name begins with a capital letter is a group, and its name is the
 * heading.
 */
final class GroupedHelp extends Help {
    private static final String INDENT = "  ";

    GroupedHelp(CommandSpec spec, ColorScheme colors) {
        super(spec, colors);
    }

    @Override
    public String optionList() {
        var list = new StringBuilder();
        groups(commandSpec()).forEach((name, options) -> {
            if (!name.isEmpty()) {
                list.append(System.lineSeparator()).append(name).append(':').append(System.lineSeparator());
            }
            list.append(listed(options));
        });
        return list.toString();
    }

    /** The options that are not hidden, by the heading of their group. Those without a group come first, under "". */
    static Map<String, List<OptionSpec>> groups(CommandSpec spec) {
        var groups = new LinkedHashMap<String, List<OptionSpec>>();
        Set<String> grouped = new HashSet<>();
        groups.put("", List.of()); // so that it is the first
        spec.mixins().forEach((name, mixin) -> {
            if (Character.isUpperCase(name.charAt(0))) {
                mixin.options().forEach(option -> grouped.add(option.longestName()));
                groups.put(name, visible(mixin.options()));
            }
        });
        groups.put(
                "",
                visible(spec.options()).stream()
                        .filter(option -> !grouped.contains(option.longestName()))
                        .toList());
        return groups;
    }

    private static List<OptionSpec> visible(List<OptionSpec> options) {
        return options.stream().filter(option -> !option.hidden()).toList();
    }

    private String listed(List<OptionSpec> options) {
        Layout layout = createDefaultLayout();
        Column[] columns = layout.textTable().columns();
        Column last = columns[columns.length - 1];
        int width = last.width - last.indent;
        layout.addOptions(
                options.stream().map(option -> wrapped(option, width)).toList(), createDefaultParamLabelRenderer());
        return layout.toString();
    }

    /** The option with a description in lines that fit: picocli would break a URL or a file's name. */
    private static OptionSpec wrapped(OptionSpec option, int width) {
        var lines = new ArrayList<String>();
        for (String text : option.description()) {
            text.lines().forEach(line -> wrap(line, width, lines));
        }
        lines.replaceAll(line -> line.replace("%", "%%")); // picocli formats the text once more
        return OptionSpec.builder(option)
                .names(option.names()) // in the builder, they still have variables
                .description(lines.toArray(String[]::new))
                .build();
    }

    private static void wrap(String text, int width, List<String> lines) {
        var line = new StringBuilder();
        for (String word : text.split(" ", -1)) {
            if (!line.isEmpty() && line.length() + 1 + word.length() > width) {
                lines.add(line.toString());
                line.setLength(0);
                line.append(INDENT);
            } else if (!line.isEmpty()) {
                line.append(' ');
            }
            line.append(word);
        }
        lines.add(line.toString());
    }
}
