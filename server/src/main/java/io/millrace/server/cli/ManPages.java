package io.millrace.server.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The help of each command as a man page, in the macros of man(7). */
final class ManPages {
    private final StringBuilder out = new StringBuilder();

    private ManPages() {}

    /** The pages by their files' names, such as {@code millrace-serve.1}. */
    static Map<String, String> of(CommandLine root) {
        var pages = new LinkedHashMap<String, String>();
        add(pages, root, "millrace");
        return pages;
    }

    private static void add(Map<String, String> pages, CommandLine command, String name) {
        var children = CompletionScripts.commands(command);
        var page = new ManPages();
        page.page(command.getCommandSpec(), name, children);
        pages.put(name + ".1", page.out.toString());
        for (var child : children) {
            if (!child.getCommandName().equals("help")) {
                add(pages, child, name + "-" + child.getCommandName());
            }
        }
    }

    private void page(CommandSpec spec, String name, List<CommandLine> children) {
        var usage = spec.usageMessage();
        String title = name.toUpperCase(Locale.ROOT);
        line(".TH \"" + text(title) + "\" 1 \"\" \"Millrace " + Build.version() + "\" \"Millrace\"");
        line(".SH NAME");
        line(text(name) + " \\- " + text(CompletionScripts.summary(usage.description())));
        line(".SH SYNOPSIS");
        line("\\fB" + text(spec.qualifiedName()) + "\\fR [\\fIOPTIONS\\fR]" + arguments(spec, children));
        line(".SH DESCRIPTION");
        paragraph(usage.description());
        for (var parameter : spec.positionalParameters()) {
            entry("\\fI" + text(plain(parameter.paramLabel())) + "\\fR", parameter.description());
        }
        if (!children.isEmpty()) {
            line(".SH COMMANDS");
            for (var child : children) {
                entry(
                        "\\fB" + text(child.getCommandName()) + "\\fR",
                        child.getCommandSpec().usageMessage().description());
            }
        }
        line(".SH OPTIONS");
        GroupedHelp.groups(spec).forEach(this::options);
        footer(usage.footerHeading(), usage.footer());
        seeAlso(name, children);
    }

    private static String arguments(CommandSpec spec, List<CommandLine> children) {
        if (!children.isEmpty()) {
            return " \\fICOMMAND\\fR";
        }
        return spec.positionalParameters().stream()
                .map(parameter -> {
                    String label = "\\fI" + text(plain(parameter.paramLabel())) + "\\fR";
                    return parameter.required() ? " " + label : " [" + label + "]";
                })
                .collect(Collectors.joining());
    }

    private void options(String heading, List<OptionSpec> options) {
        if (!heading.isEmpty()) {
            line(".SS " + text(heading));
        }
        for (var option : options) {
            String names = Arrays.stream(option.names())
                    .map(name -> "\\fB" + text(name) + "\\fR")
                    .collect(Collectors.joining(", "));
            String label = text(plain(option.paramLabel()));
            String value = option.arity().max() == 0
                    ? ""
                    : "=\\fI" + label + "\\fR"
                            + (" \\fI" + label + "\\fR").repeat(option.arity().max() > 1 ? 1 : 0);
            entry(names + value, option.description());
        }
    }

    /** The heading may be several paragraphs, whose last one names what follows. Examples begin with two blanks. */
    private void footer(String heading, String[] lines) {
        var above = new ArrayList<>(List.of(heading.strip().split("(%n)+", -1)));
        above.removeIf(String::isBlank);
        boolean examples = !above.isEmpty() && above.get(above.size() - 1).equals("Examples:");
        if (examples) {
            above.remove(above.size() - 1);
        }
        above.forEach(each -> section(each.replaceFirst(":.*", ""), each.replaceFirst("^[^:]*: *", "")));
        if (lines.length == 0) {
            return;
        }
        line(examples ? ".SH EXAMPLES" : ".SH NOTES");
        boolean verbatim = false;
        for (String each : lines) {
            boolean example = each.startsWith("  ");
            if (example != verbatim) {
                line(example ? ".EX" : ".EE");
                verbatim = example;
            }
            line(text(each.replace("%%", "%")));
        }
        if (verbatim) {
            line(".EE");
        }
    }

    private void section(String name, String body) {
        line(".SH \"" + text(name.toUpperCase(Locale.ROOT)) + "\"");
        line(text(body.replace("%%", "%")));
    }

    private void seeAlso(String name, List<CommandLine> children) {
        var others = new ArrayList<String>();
        if (name.contains("-")) {
            others.add(name.substring(0, name.lastIndexOf('-')));
        }
        for (var child : children) {
            if (!child.getCommandName().equals("help")) {
                others.add(name + "-" + child.getCommandName());
            }
        }
        line(".SH SEE ALSO");
        line(others.stream().map(other -> "\\fB" + text(other) + "\\fR(1)").collect(Collectors.joining(", ")));
    }

    private void entry(String term, String... description) {
        line(".TP");
        line(term);
        paragraph(description);
    }

    private void paragraph(String... lines) {
        for (String each : lines) {
            line(text(each.replace("%%", "%").replace("%n", " ")));
        }
    }

    private static String plain(String label) {
        return label.replaceAll("[<>]", "");
    }

    /** Text as roff reads it: no command in it, and hyphens that can be copied. */
    private static String text(String text) {
        String escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("\"", "\\(dq");
        return escaped.startsWith(".") || escaped.startsWith("'") ? "\\&" + escaped : escaped;
    }

    private void line(String line) {
        out.append(line).append('\n');
    }
}
