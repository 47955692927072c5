package io.millrace.it.edge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The shell commands of a document, in blocks. A comment {@code <!-- not run: REASON -->} before a block says why no
 * test runs it. An indented block has commands only, and a fenced one names its language, so that no command is taken
 * for something else. Code in a language that a test could run needs that comment, too.
 *
 * @param file the document
 * @param blocks in their order
 */
record DocPage(Path file, List<Block> blocks) {
    private static final Set<String> PROGRAMS = Set.of("js", "python", "java");
    /** What is shown, not run. Tests of their own read the configurations. */
    private static final Set<String> TEXTS =
            Set.of("text", "yaml", "json", "toml", "ini", "nginx", "haproxy", "caddyfile");

    private static final Pattern NOT_RUN = Pattern.compile("<!-- not run: (.{20,}) -->");
    private static final String FENCE = "```";
    private static final String INDENT = "    ";
    private static final String PROMPT = "$ ";

    /**
     * A block of commands, or a program that is not run.
     *
     * @param line its first line in the document
     * @param commands with their arguments; a command of several lines is one. None if it is a program
     * @param printed the lines that the document shows as the output, if it shows prompts
     * @param config the last configuration of a relay before it; empty if there is none
     * @param notRun why it is not run; empty if it is
     */
    record Block(int line, List<String> commands, List<String> printed, String config, String notRun) {}

    static DocPage read(Path file) throws IOException {
        var blocks = new ArrayList<Block>();
        String config = "";
        String notRun = "";
        List<String> lines = Files.readAllLines(file);
        for (int at = 0; at < lines.size(); at++) {
            String line = lines.get(at);
            int begin = at + 1;
            var body = new ArrayList<String>();
            if (line.startsWith(FENCE)) {
                for (at++; !lines.get(at).equals(FENCE); at++) {
                    body.add(lines.get(at));
                }
            } else if (line.startsWith(INDENT) && lines.get(at - 1).isEmpty()) {
                for (;
                        at < lines.size()
                                && (lines.get(at).startsWith(INDENT)
                                        || lines.get(at).isEmpty());
                        at++) {
                    body.add(lines.get(at).replaceFirst(INDENT, ""));
                }
                at--;
            } else {
                if (!notRun.isEmpty() && !line.isEmpty()) {
                    throw new IllegalArgumentException(file + ":" + begin
                            + ": a block should come here, for the line before says why it is not run");
                }
                var marker = NOT_RUN.matcher(line);
                notRun = marker.matches() ? marker.group(1) : notRun;
                continue;
            }
            String text = String.join("\n", body) + "\n";
            if (line.equals(FENCE + "yaml") && text.matches("(?s)(.*\n)?upstreams:.*")) {
                config = text;
            } else if (isShell(line, body, file + ":" + begin)) {
                blocks.add(block(begin, body, config, notRun));
            } else if (PROGRAMS.contains(line.replace(FENCE, ""))) {
                if (notRun.isEmpty()) {
                    throw new IllegalArgumentException(
                            file + ":" + begin + ": no test runs this code, and nothing says why");
                }
                blocks.add(new Block(begin, List.of(), List.of(), config, notRun));
            }
            notRun = "";
        }
        return new DocPage(file, blocks);
    }

    private static boolean isShell(String opening, List<String> body, String place) {
        if (!opening.startsWith(FENCE)) {
            return true;
        }
        String language = opening.substring(FENCE.length());
        if (language.equals("sh") || (language.isEmpty() && body.get(0).startsWith(PROMPT))) {
            return true;
        }
        if (!PROGRAMS.contains(language) && !TEXTS.contains(language)) {
            throw new IllegalArgumentException(place + ": the language of the block is '" + language + "' (expected: "
                    + "sh, one of " + PROGRAMS + " or of " + TEXTS + ", or none and a first line with a prompt)");
        }
        return false;
    }

    private static Block block(int line, List<String> body, String config, String notRun) {
        var commands = new ArrayList<String>();
        var printed = new ArrayList<String>();
        boolean prompts = body.get(0).startsWith(PROMPT);
        boolean goesOn = false;
        for (String text : body) {
            String command = prompts && text.startsWith(PROMPT) ? text.substring(PROMPT.length()) : text;
            if (goesOn) {
                commands.add(commands.remove(commands.size() - 1) + "\n" + command);
            } else if (prompts ? text.startsWith(PROMPT) : !text.isBlank() && !text.startsWith("#")) {
                commands.add(command);
            } else if (prompts && !text.isBlank() && !text.equals("…")) {
                printed.add(text);
            }
            goesOn = text.endsWith("\\");
        }
        return new Block(line, commands, printed, config, notRun);
    }
}
