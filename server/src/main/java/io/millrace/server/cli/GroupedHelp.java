package io.millrace.server.cli;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * A help whose options are in groups: each mixin whose name begins with a capital is a group with its name as heading.
 */
final class GroupedHelp extends Help {
    /** Lines of text may be broken after these, which would break a URL or a file's name. */
    private static final String BREAKS = ":/.,-";
    /** Letters of a script that no help has. */
    private static final String JOINED = "\uA4D0\uA4D1\uA4D2\uA4D3\uA4D4";

    private static final Pattern INSIDE = Pattern.compile("(?<=\\S)[" + BREAKS + "](?=\\S)");

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
        groups.put("", List.of());
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
        layout.addOptions(options.stream().map(GroupedHelp::joined).toList(), createDefaultParamLabelRenderer());
        String list = layout.toString();
        for (int i = 0; i < BREAKS.length(); i++) {
            list = list.replace(JOINED.charAt(i), BREAKS.charAt(i));
        }
        return list;
    }

    /** The option with stand-ins for the characters at which picocli would break a word. */
    private static OptionSpec joined(OptionSpec option) {
        String[] description = option.description().clone();
        for (int line = 0; line < description.length; line++) {
            // It was formatted already, and will be once more.
            description[line] = INSIDE.matcher(description[line].replace("%", "%%"))
                    .replaceAll(found -> String.valueOf(JOINED.charAt(BREAKS.indexOf(found.group()))));
        }
        return OptionSpec.builder(option).description(description).build();
    }
}
