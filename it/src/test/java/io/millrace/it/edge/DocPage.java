package io.millrace.it.edge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The shell commands of a document, in blocks. A comment {@code <!-- not run: REASON -->} before a block says why no
 * test runs it.
 *
 * @param file the document
 * @param blocks in their order
 */
record DocPage(Path file, List<Block> blocks) {
    private static final Pattern COMMAND = Pattern.compile("(?:[A-Z_]+=\\S+ )*(?:(?:millrace-VERSION|scripts)/\\S+|"
            + "millrace|curl|mvn|java|jfr|tar|openssl|chmod|alias|source|export|apt|systemctl|gpg|sha256sum|install|docker|podman|"
            + "helm|kubectl|redis-cli|redis-server|nginx|haproxy|claude|python3)(?: .*)?");
    private static final Pattern ASSIGNMENT = Pattern.compile("[A-Z_]+=.*");
    private static final Pattern NOT_RUN = Pattern.compile("<!-- not run: (.{20,}) -->");
    private static final String FENCE = "```";
    private static final String INDENT = "    ";
    private static final String PROMPT = "$ ";

    /**
     * A block of commands.
     *
     * @param line its first line in the document
     * @param commands with their arguments; a command of several lines is one
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
                var marker = NOT_RUN.matcher(line);
                notRun = marker.matches() ? marker.group(1) : line.isEmpty() ? notRun : "";
                continue;
            }
            String text = String.join("\n", body) + "\n";
            if (line.equals(FENCE + "yaml") && text.matches("(?s)(.*\n)?upstreams:.*")) {
                config = text;
            } else if (isShell(line, body)) {
                blocks.add(block(begin, body, config, notRun));
            }
            notRun = "";
        }
        return new DocPage(file, blocks);
    }

    private static boolean isShell(String opening, List<String> body) {
        if (opening.startsWith(FENCE)) {
            String language = opening.substring(FENCE.length());
            return language.equals("sh") || (language.isEmpty() && body.get(0).startsWith(PROMPT));
        }
        return isCommand(body.get(0)) || body.get(0).startsWith(PROMPT);
    }

    private static boolean isCommand(String line) {
        return COMMAND.matcher(line).matches() || ASSIGNMENT.matcher(line).matches();
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
            } else if (prompts ? text.startsWith(PROMPT) : isCommand(text)) {
                commands.add(command);
            } else if (prompts && !text.isBlank() && !text.equals("…")) {
                printed.add(text);
            }
            goesOn = text.endsWith("\\");
        }
        return new Block(line, commands, printed, config, notRun);
    }
}
