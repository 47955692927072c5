package io.millrace.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes the man pages and the completion scripts of the distribution. Its build runs it. */
public final class PackagedHelp {
    private PackagedHelp() {}

    /**
     * Writes the files to where systems look for them below {@code /usr/local} or {@code /usr}.
     *
     * @param args the directory that becomes {@code share}
     */
    public static void main(String[] args) throws IOException {
        for (var file : files().entrySet()) {
            Path path = Path.of(args[0]).resolve(file.getKey());
            Files.createDirectories(path.getParent());
            Files.writeString(path, file.getValue());
        }
    }

    /** The content of each file, by its path. */
    static Map<String, String> files() {
        var root = Millrace.commandLine();
        var files = new LinkedHashMap<String, String>();
        files.put("bash-completion/completions/millrace", CompletionScripts.bash(root));
        files.put("zsh/site-functions/_millrace", CompletionScripts.zsh(root));
        files.put("fish/vendor_completions.d/millrace.fish", CompletionScripts.fish(root));
        ManPages.of(root).forEach((name, page) -> files.put("man/man1/" + name, page));
        return files;
    }
}
