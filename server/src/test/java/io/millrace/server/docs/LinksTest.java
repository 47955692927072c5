package io.millrace.server.docs;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.test.Documents;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The links between documents lead to files and headings that exist, and each document can be reached from the README.
 * Links to other hosts are not followed.
 */
class LinksTest {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    /** They stand beside the files that they are about. The packages, which have the documents, do not have them. */
    private static final String[] BY_THEIR_PLACE = {
        ".github/PULL_REQUEST_TEMPLATE.md",
        "codec/src/test/resources/fixtures/streams/INDEX.md",
        "it/README.md",
        "server/src/test/resources/translation-cases/README.md"
    };

    private static final Pattern BLOCK = Pattern.compile("(?ms)^(`{3,})[^\\n]*\\n.*?^\\1 *$");
    private static final Pattern QUOTED = Pattern.compile("`[^`\\n]*`");
    private static final Pattern LINK = Pattern.compile("\\]\\(\\s*<?([^)>\\s]+)>?\\s*\\)");
    private static final Pattern ELSEWHERE = Pattern.compile("(?i)^[a-z][a-z0-9+.-]*:.*");
    private static final Pattern HEADING = Pattern.compile("(?m)^#{1,6} +(.+?) *#*$");
    private static final Pattern LABEL = Pattern.compile("\\[([^\\]]*)\\]\\([^)]*\\)");
    private static final Pattern NO_SLUG = Pattern.compile("[^\\p{L}\\p{N} _-]");

    private static final Map<Path, String> PAGES = new TreeMap<>();

    @BeforeAll
    static void read() throws IOException {
        for (Path file : Documents.below(ROOT)) {
            PAGES.put(file, BLOCK.matcher(Files.readString(file)).replaceAll(""));
        }
    }

    @Test
    void everyLinkLeadsSomewhere() {
        var broken = new ArrayList<String>();
        int links = 0;
        for (Path from : PAGES.keySet()) {
            for (String link : links(from)) {
                links++;
                String why = whyBroken(from, link);
                if (why != null) {
                    broken.add(ROOT.relativize(from) + ": " + link + ": " + why);
                }
            }
        }
        assertThat(links).isGreaterThan(200);
        assertThat(broken).isEmpty();
    }

    @Test
    void everyDocumentIsReachedFromTheReadme() {
        var reached = new HashSet<Path>();
        reach(ROOT.resolve("README.md"), reached);
        List<String> missed = PAGES.keySet().stream()
                .filter(page -> !reached.contains(page))
                .map(page -> ROOT.relativize(page).toString())
                .toList();
        assertThat(reached).hasSizeGreaterThan(60);
        assertThat(missed).containsExactly(BY_THEIR_PLACE);
    }

    @Test
    void slugsAreThoseOfGitHub() {
        assertThat(slugs("# `resume.redis`\n## TLS, and HTTP/2\n## [A](b.md) b\n## A b\n# ❤ Ünder_score\n"))
                .containsExactlyInAnyOrder("resumeredis", "tls-and-http2", "a-b", "a-b-1", "-ünder_score");
    }

    /** A folder shows its README. */
    private static void reach(Path to, Set<Path> reached) {
        Path from = Files.isDirectory(to) ? to.resolve("README.md") : to;
        if (!PAGES.containsKey(from) || !reached.add(from)) {
            return;
        }
        for (String link : links(from)) {
            if (!ELSEWHERE.matcher(link).matches() && !link.startsWith("#")) {
                reach(target(from, link), reached);
            }
        }
    }

    private static List<String> links(Path page) {
        String text = QUOTED.matcher(PAGES.get(page)).replaceAll("");
        return LINK.matcher(text).results().map(link -> link.group(1)).toList();
    }

    private static String whyBroken(Path from, String link) {
        if (ELSEWHERE.matcher(link).matches()) {
            return null;
        }
        Path to = link.startsWith("#") ? from : target(from, link);
        if (!to.startsWith(ROOT) || !Files.exists(to)) {
            return "no such file";
        }
        int at = link.indexOf('#');
        if (at < 0) {
            return null;
        }
        boolean known = PAGES.containsKey(to) && slugs(PAGES.get(to)).contains(link.substring(at + 1));
        return known ? null : "no such heading";
    }

    private static Path target(Path from, String link) {
        return from.resolveSibling(link.replaceAll("#.*", "")).normalize();
    }

    /** The anchors that GitHub makes of the headings of a page. */
    private static Set<String> slugs(String page) {
        var slugs = new HashSet<String>();
        var counts = new HashMap<String, Integer>();
        for (MatchResult heading : HEADING.matcher(page).results().toList()) {
            String text = LABEL.matcher(heading.group(1)).replaceAll("$1");
            String slug = NO_SLUG.matcher(text.toLowerCase(Locale.ROOT))
                    .replaceAll("")
                    .replace(' ', '-');
            int count = counts.merge(slug, 1, Integer::sum) - 1;
            slugs.add(count == 0 ? slug : slug + "-" + count);
        }
        return slugs;
    }
}
