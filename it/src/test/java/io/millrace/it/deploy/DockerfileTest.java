package io.millrace.it.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.module.ModuleFinder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What can be read of the Dockerfile without building it. {@code scripts/check-image} builds and boots it. */
class DockerfileTest {
    private static final Path ROOT = Path.of("..");
    private static final String USER = "10001";

    private static List<String> instructions;
    private static List<String> image;

    @BeforeAll
    static void read() throws IOException {
        // Lines of comments may stand inside of an instruction.
        String text = Files.readString(ROOT.resolve("Dockerfile")).replaceAll("(?m)^ *#.*\n", "");
        instructions = text.replace("\\\n", " ")
                .lines()
                .map(line -> line.strip().replaceAll(" +", " "))
                .filter(line -> !line.isEmpty())
                .toList();
        int last = 0;
        for (int at = 0; at < instructions.size(); at++) {
            last = instructions.get(at).startsWith("FROM ") ? at : last;
        }
        image = instructions.subList(last, instructions.size());
    }

    private static List<MatchResult> found(List<String> lines, String pattern) {
        var found = new ArrayList<MatchResult>();
        for (String line : lines) {
            var matcher = Pattern.compile(pattern).matcher(line);
            if (matcher.matches()) {
                found.add(matcher.toMatchResult());
            }
        }
        return found;
    }

    private static String only(List<String> lines, String pattern) {
        List<MatchResult> found = found(lines, pattern);
        assertThat(found).as(pattern).hasSize(1);
        return found.get(0).group(1);
    }

    @Test
    void namesBasesWithTheirRegistryAndTag() throws IOException {
        String base = only(instructions, "ARG BASE=(.*)");

        assertThat(List.of(base, only(instructions, "ARG JDK=(.*)")))
                .allMatch(name -> name.matches("docker\\.io/library/[a-z-]+:[\\w.-]+") && !name.endsWith(":latest"));
        assertThat(found(instructions, "FROM (\\S+).*"))
                .extracting(from -> from.group(1))
                .containsOnly("${JDK}", "${BASE}");
        assertThat(Files.readString(ROOT.resolve("docs/production.md")))
                .contains("`" + base.replace("docker.io/library/", "") + "`");
    }

    @Test
    void copiesFromStagesThatThereAreAndFetchesNothing() {
        List<String> stages = found(instructions, "FROM \\S+ AS (\\w+)").stream()
                .map(stage -> stage.group(1))
                .toList();

        assertThat(stages).containsExactly("build", "train");
        assertThat(found(instructions, "COPY --from=(\\w+) .*"))
                .hasSizeGreaterThan(3)
                .allMatch(copy -> stages.contains(copy.group(1)));
        assertThat(instructions).noneMatch(line -> line.startsWith("ADD ") || line.contains("curl "));
    }

    @Test
    void runsAsAUserWithoutAName() throws IOException {
        assertThat(only(image, "USER (.*)")).isEqualTo(USER + ":" + USER);
        int user = image.indexOf("USER " + USER + ":" + USER);
        assertThat(image.subList(user, image.size()))
                .as("nothing is made as that user")
                .noneMatch(line -> line.matches("(?:RUN|COPY) .*"));
        assertThat(image).noneMatch(line -> line.startsWith("VOLUME ") || line.contains("chown"));
        assertThat(image).anyMatch(line -> line.contains("millrace:x:" + USER + ":" + USER + ":"));
        assertThat(Files.readString(ROOT.resolve("docs/production.md"))).contains("| user | " + USER + ",");
        assertThat(Files.readString(ROOT.resolve("charts/millrace/templates/deployment.yaml")))
                .contains("runAsUser: " + USER);
    }

    /** A shell would take the signal, and has no child that could get it. */
    @Test
    void getsSignalsItself() {
        assertThat(only(image, "ENTRYPOINT (.*)")).isEqualTo("[\"millrace\"]");
        assertThat(only(image, "CMD (.*)")).isEqualTo("[\"serve\"]");
        assertThat(only(image, "STOPSIGNAL (.*)")).isEqualTo("SIGTERM");
        assertThat(only(image, "HEALTHCHECK .* CMD (.*)")).isEqualTo("[\"millrace\", \"health\"]");
    }

    @Test
    void exposesTheAddressOfItsConfiguration() {
        String port = only(image, "EXPOSE (\\d+)");
        String file = only(image, "ENV .*MILLRACE_CONFIG=(\\S+).*");

        assertThat(String.join("\n", instructions))
                .contains("printf 'listen: 0.0.0.0:" + port + "\\n' > " + file)
                .contains("COPY --from=build " + Path.of(file).getParent() + " "
                        + Path.of(file).getParent());
    }

    @Test
    void hasModulesThatThereAre() {
        String modules = only(instructions, "RUN .* jlink --add-modules (\\S+) .*");

        assertThat(modules.split(",", -1))
                .contains("java.base", "java.net.http", "jdk.unsupported")
                .doesNotHaveDuplicates()
                .allMatch(module -> ModuleFinder.ofSystem().find(module).isPresent());
    }

    /** A context without them would build an image of less, or none. */
    @Test
    void getsAllThatItBuildsFrom() throws IOException {
        List<String> context = Files.readAllLines(ROOT.resolve(".dockerignore"));

        assertThat(context).contains("*");
        String pom = Files.readString(ROOT.resolve("pom.xml"));
        for (MatchResult module : Pattern.compile("<module>(\\w+)</module>")
                .matcher(pom)
                .results()
                .toList()) {
            assertThat(context).contains("!" + module.group(1) + "/pom.xml");
        }
        assertThat(context)
                .contains("!pom.xml", "!.mvn", "!codec/src/main", "!server/src/main", "!bench/src/main")
                .contains("!bench/src/dist", "!bench/src/assembly", "!bench/target/millrace-*.tar.gz");
        assertThat(context)
                .filteredOn(line -> line.startsWith("!") && !line.contains("*"))
                .allMatch(line -> Files.exists(ROOT.resolve(line.substring(1))));
    }

    /** Each folder of the archive that no image needs is removed, and no other name is. */
    @Test
    void removesTheDocumentsOfTheArchive() throws IOException {
        String archive = Files.readString(ROOT.resolve("bench/src/assembly/distribution.xml"));
        String removed = only(instructions, "RUN .* rm -rf ([^;]*lib/\\*-osx-\\*\\.jar);.*");
        for (MatchResult folder : Pattern.compile("<include>(\\w+)/\\S*\\*\\*</include>")
                .matcher(archive)
                .results()
                .toList()) {
            if (!folder.group(1).equals("share")) {
                assertThat(removed.split(" ", -1)).contains(folder.group(1));
            }
        }
        assertThat(removed.split(" ", -1))
                .hasSizeGreaterThan(7)
                .allMatch(name -> name.contains("*")
                        || archive.contains("<include>" + name + "/")
                        || archive.contains("<include>" + name + "<"));
    }
}
