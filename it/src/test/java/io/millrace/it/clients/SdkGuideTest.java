package io.millrace.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.test.Documents;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs the code for SDKs as the documents print it. Only the relay's address is replaced. */
final class SdkGuideTest {
    private static final Path ROOT = Path.of(System.getProperty("basedir", "."), "..");
    private static final Path NODE = Path.of(System.getProperty("basedir", "."), "clients-node");
    private static final Path PYTHON = Path.of(System.getProperty("basedir", "."), "clients-python");
    /** Code whose reason not to be run with the commands of its page is that it is run here. */
    private static final Pattern CODE =
            Pattern.compile("(?ms)^<!-- not run: SdkGuideTest [^\\n]*\\n+```(\\w+)\\n(.*?)^```$");

    private static final Pattern LEFT_TO_THIS = Pattern.compile("(?m)^<!-- not run: .*SdkGuideTest");
    private static final Pattern WRITTEN = Pattern.compile("\"content\":\"([^\"]*)\"");

    @TempDir
    private static Path directory;

    private static Bed bed;
    private static String answer;

    /** A program of a page. */
    private record Program(String page, int line, String language, String text) {
        @Override
        public String toString() {
            return page + ":" + line;
        }
    }

    @BeforeAll
    static void start() throws Exception {
        bed = new Bed();
        String request =
                "{\"model\":\"mock\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";
        String stream = output(List.of("curl", "-sN", bed.relay() + "/v1/chat/completions", "-d", request), directory);
        answer = WRITTEN.matcher(stream).results().map(text -> text.group(1)).collect(Collectors.joining());
        assertThat(answer).hasSizeGreaterThan(20);
    }

    @AfterAll
    static void stop() {
        bed.close();
    }

    static List<Program> programs() throws IOException {
        var programs = new ArrayList<Program>();
        for (Path file : Documents.below(ROOT)) {
            String page = Files.readString(file);
            for (MatchResult code : CODE.matcher(page).results().toList()) {
                int line = (int) page.substring(0, code.start()).lines().count() + 2;
                programs.add(new Program(ROOT.relativize(file).toString(), line, code.group(1), code.group(2)));
            }
        }
        return programs;
    }

    @Test
    void eachLanguageHasCode() throws IOException {
        assertThat(programs()).extracting(Program::language).contains("python", "js", "java");
        assertThat(programs()).extracting(Program::page).contains("docs/sdks.md", "docs/get-started.md");
    }

    /** {@code DocsIT} does not run a block that has such a reason. */
    @Test
    void allThatIsLeftToThisTestIsRun() throws IOException {
        long left = 0;
        for (Path file : Documents.below(ROOT)) {
            left += LEFT_TO_THIS.matcher(Files.readString(file)).results().count();
        }
        assertThat(programs()).hasSize((int) left);
    }

    @ParameterizedTest
    @MethodSource("programs")
    void printsTheAnswer(Program program) throws Exception {
        String text = program.text().replace("http://localhost:8080", bed.relay());
        assertThat(text).isNotEqualTo(program.text());
        String printed = switch (program.language()) {
            case "python" ->
                output(
                        List.of(
                                PYTHON.resolve(".venv/bin/python")
                                        .toAbsolutePath()
                                        .toString(),
                                "-c",
                                text),
                        PYTHON);
            case "js" -> output(List.of(NodeSdk.node().toString(), "--input-type=module", "-e", text), NODE);
            case "java" -> java(text);
            default -> throw new IllegalArgumentException(program + ": " + program.language());
        };
        assertThat(printed).isEqualTo(answer);
    }

    /** The code is the body of a method behind its imports. The SDKs' threads would keep the JVM for a minute. */
    private static String java(String text) throws IOException, InterruptedException {
        int body = text.lastIndexOf("\nimport ") + 1;
        body = text.indexOf('\n', body) + 1;
        String source = text.substring(0, body) + "class Guide {\n    public static void main(String[] arguments) {\n"
                + text.substring(body) + "System.out.flush();\nRuntime.getRuntime().halt(0);\n}\n}\n";
        Path file = Files.writeString(directory.resolve("Guide.java"), source);
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        return output(List.of(java, "-cp", System.getProperty("java.class.path"), file.toString()), directory);
    }

    private static String output(List<String> command, Path home) throws IOException, InterruptedException {
        Path errors = directory.resolve("errors");
        var process = new ProcessBuilder(command)
                .directory(home.toFile())
                .redirectError(errors.toFile())
                .start();
        process.getOutputStream().close();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(() -> read(errors)).isZero();
        return printed;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }
}
