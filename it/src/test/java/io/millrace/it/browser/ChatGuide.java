package io.millrace.it.browser;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** The code in docs/chat.md that readers are told to run. */
final class ChatGuide {
    private static final Path FILE = Path.of(System.getProperty("basedir", "."), "..", "docs", "chat.md");
    private static final String ADDRESS = "http://localhost:8080";

    private ChatGuide() {}

    /**
     * The code of a language in a section. Only the relay's address is replaced.
     *
     * @param heading of the section, without its number signs
     * @param relay the address in place of the one in the file, without a path
     */
    static List<String> code(String heading, String language, String relay) throws IOException {
        var section = Pattern.compile("(?ms)^## " + Pattern.quote(heading) + "\n(.*?)(?=^## |\\z)")
                .matcher(Files.readString(FILE));
        if (!section.find()) {
            throw new IllegalArgumentException("docs/chat.md has no section " + heading);
        }
        return Pattern.compile("(?ms)^```" + language + "\n(.*?)^```$")
                .matcher(section.group(1))
                .results()
                .map(block -> block.group(1).replace(ADDRESS, relay))
                .toList();
    }
}
