package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The packaged launcher, started as a user does, without keys and without a configuration. */
class LauncherIT {
    private static final Path PACKAGED = Path.of("..", "bench", "target");
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final long RUN_LIMIT_SECONDS = 120;
    /** Variables that configure the launcher. They must not come from the user who runs the tests. */
    private static final List<String> VARIABLES = List.of("OPENAI_", "ANTHROPIC_", "GEMINI_", "MILLRACE_");

    @TempDir
    private Path directory;

    private final List<Process> started = new ArrayList<>();

    /**
     * The output of a command.
     *
     * @param line without its end
     * @param atNs on the clock of {@link System#nanoTime}
     */
    record Printed(String line, long atNs) {}

    @BeforeEach
    void unpack() throws IOException, InterruptedException {
        Path archive;
        try (Stream<Path> files = Files.list(PACKAGED)) {
            archive = files.filter(file -> file.getFileName().toString().matches("millrace-[0-9].*\\.tar\\.gz"))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("bench is not packaged: run mvn verify"));
        }
        var tar = new ProcessBuilder(
                        "tar", "-xzf", archive.toString(), "-C", directory.toString(), "--strip-components=1")
                .inheritIO()
                .start();
        assertThat(tar.waitFor()).isZero();
    }

    @AfterEach
    void stop() {
        started.forEach(Process::destroyForcibly);
        await().until(() -> started.stream().noneMatch(Process::isAlive));
    }

    @Test
    void streamsAsItsHintSays() throws Exception {
        var relay = serve();
        var curl = shell(hint());

        var lines = new ArrayList<Printed>();
        try (var output = curl.inputReader(StandardCharsets.UTF_8)) {
            while (read(output, lines)) {}
        }

        assertThat(exitCode(curl)).isZero();
        var tokens = lines.stream()
                .filter(printed -> printed.line().contains("\"content\":\""))
                .toList();
        assertThat(tokens).hasSizeGreaterThan(10);
        long moments = 1;
        for (int i = 1; i < tokens.size(); i++) {
            moments += tokens.get(i).atNs() - tokens.get(i - 1).atNs() > TimeUnit.MILLISECONDS.toNanos(5) ? 1 : 0;
        }
        assertThat(moments).isGreaterThan(tokens.size() / 2);
        assertThat(lines).extracting(Printed::line).endsWith("data: [DONE]", "");
        assertThat(relay.isAlive()).isTrue();
    }

    @Test
    void letsAStreamEndAfterSigterm() throws Exception {
        var relay = serve();
        var curl = shell(hint());

        var lines = new ArrayList<Printed>();
        long termNs;
        try (var output = curl.inputReader(StandardCharsets.UTF_8)) {
            while (lines.size() < 9) {
                assertThat(read(output, lines)).isTrue();
            }
            termNs = System.nanoTime();
            terminate(relay);
            while (read(output, lines)) {}
        }

        assertThat(exitCode(curl)).isZero();
        assertThat(lines.get(lines.size() - 1).atNs() - termNs).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(200));
        assertThat(lines).extracting(Printed::line).endsWith("data: [DONE]", "");
        assertThat(exitCode(relay)).isZero();
    }

    @Test
    void endsAStreamWithAnErrorAtTheDrainLimit() throws Exception {
        var relay = serve("--drain", "300ms");
        var curl = shell(hint().replace("\"model\":\"mock\"", "\"model\":\"mock:tokens=100000,gap_ms=20\""));

        var lines = new ArrayList<Printed>();
        long termNs;
        try (var output = curl.inputReader(StandardCharsets.UTF_8)) {
            while (lines.size() < 9) {
                assertThat(read(output, lines)).isTrue();
            }
            termNs = System.nanoTime();
            terminate(relay);
            while (read(output, lines)) {}
        }

        assertThat(exitCode(curl)).isZero();
        assertThat(lines)
                .extracting(Printed::line)
                .noneMatch(line -> line.contains("[DONE]"))
                .anyMatch(line -> line.startsWith("data: {\"error\":") && line.contains("\"relay_draining\""));
        assertThat(exitCode(relay)).isZero();
        assertThat(Duration.ofNanos(System.nanoTime() - termNs))
                .isBetween(Duration.ofMillis(300), Duration.ofSeconds(15));
    }

    /** While the kernel makes the table larger, all threads that accept or connect wait, for up to 200 ms. */
    @Test
    void theTableOfDescriptorsNeverGrows() throws Exception {
        Path process = Path.of("/proc", Long.toString(serve().pid()));
        long limit = number(process.resolve("limits"), "Max open files\\s+(\\d+).*");
        assertThat(number(process.resolve("status"), "FDSize:\\s+(\\d+)"))
                .isGreaterThanOrEqualTo(Math.min(limit, 65_536));
    }

    /** The JVM itself would take half of a small container. */
    @ParameterizedTest
    @ValueSource(ints = {200, 400, 1024})
    void theHeapIsAQuarterOfTheMemoryAlsoOfASmallContainer(int mib) throws Exception {
        String flags = "-XX:MaxRAM=" + mib + "m -XX:+PrintFlagsFinal";

        assertThat(exitCode(millrace(Map.of("MILLRACE_OPTS", flags), List.of("--version"))))
                .isZero();

        assertThat(number(output(), "\\s*size_t MaxHeapSize\\s*=\\s*(\\d+) .*"))
                .isBetween((mib - 4) * 1024L * 1024 / 4, (mib + 4) * 1024L * 1024 / 4);
    }

    /** {@code script} gives it a terminal. */
    @Test
    void coloursAreForATerminalThatWantsThem() throws Exception {
        String colour = "\033[";

        assertThat(helpAtATerminal(Map.of("TERM", "xterm"))).contains("Usage:", colour);
        assertThat(helpAtATerminal(Map.of("TERM", "xterm", "NO_COLOR", "1")))
                .contains("Usage:")
                .doesNotContain(colour);
        assertThat(helpAtATerminal(Map.of("TERM", "dumb"))).contains("Usage:").doesNotContain(colour);
        assertThat(exitCode(millrace(Map.of("TERM", "xterm"), List.of("--help"))))
                .isZero();
        assertThat(output()).content().contains("Usage:").doesNotContain(colour);
    }

    private String helpAtATerminal(Map<String, String> variables) throws IOException, InterruptedException {
        var builder = new ProcessBuilder("script", "-qec", directory.resolve("bin/millrace") + " --help", "/dev/null")
                .redirectErrorStream(true)
                .redirectOutput(output().toFile())
                .redirectInput(Path.of("/dev/null").toFile());
        builder.environment().keySet().removeIf(List.of("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE")::contains);
        builder.environment().putAll(variables);
        Process process = builder.start();
        started.add(process);
        assertThat(exitCode(process)).isZero();
        return Files.readString(output());
    }

    /** The number in the line that matches {@code pattern}. */
    private static long number(Path file, String pattern) throws IOException {
        return Files.readAllLines(file).stream()
                .map(Pattern.compile(pattern)::matcher)
                .filter(Matcher::matches)
                .mapToLong(line -> Long.parseLong(line.group(1)))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void startsFromWhatItWasTrainedWithAndFromNothingElse() throws Exception {
        assertThat(exitCode(millrace(Map.of(), List.of("train"))))
                .as(Files.readString(output()))
                .isZero();
        Path cache;
        try (var made = Files.list(directory.resolve("cache"))) {
            cache = made.filter(file -> !file.toString().endsWith(".size"))
                    .findFirst()
                    .orElseThrow();
        }
        assertThat(relaySource()).startsWith("shared objects file");

        byte[] whole = Files.readAllBytes(cache);
        byte[] foreign = whole.clone();
        int name = new String(whole, 0, 4096, StandardCharsets.ISO_8859_1).indexOf("64-Bit Server VM"); // its JVM
        assertThat(name).isPositive();
        Arrays.fill(foreign, name, name + 40, (byte) 'x');
        for (byte[] unusable : List.of(new byte[0], Arrays.copyOf(whole, whole.length / 2), foreign)) {
            Files.delete(cache);
            Files.write(cache, unusable);
            assertThat(relaySource()).contains("millrace-server-");
        }

        Files.delete(cache);
        Files.write(cache, whole);
        Files.createFile(directory.resolve("lib/of-another-build.jar"));
        assertThat(relaySource()).contains("millrace-server-");
    }

    /** The installation of the package trains it in the locale of root's shell, and the service runs in another one. */
    @Test
    void theCacheHasTheSameNameInEachLocale() throws Exception {
        Path jdk = directory.resolve("jdk");
        program(jdk.resolve("bin/java"), "printf '%s\\n' \"$@\"");
        Files.writeString(jdk.resolve("release"), "JAVA_VERSION=\"17.0.1\"\n");
        // Other locales may not be installed. Some sort otherwise, and so does this.
        program(directory.resolve("path/ls"), "[ \"$LC_ALL\" = C ] || set -- -r \"$@\"\nexec /bin/ls \"$@\"");

        assertThat(cacheIn("C.UTF-8")).isEqualTo(cacheIn("C"));
    }

    private String cacheIn(String locale) throws Exception {
        String path = directory.resolve("path") + ":" + System.getenv("PATH");
        String jdk = directory.resolve("jdk").toString();
        assertThat(exitCode(millrace(Map.of("LC_ALL", locale, "PATH", path, "JAVA_HOME", jdk), List.of("train"))))
                .isZero();
        return Files.readAllLines(output()).stream()
                .filter(line -> line.matches(".*/cache/java-17-\\d+"))
                .findFirst()
                .orElseThrow();
    }

    private static void program(Path file, String script) throws IOException {
        Files.createDirectories(file.getParent());
        assertThat(Files.writeString(file, "#!/bin/sh\n" + script + "\n")
                        .toFile()
                        .setExecutable(true))
                .isTrue();
    }

    /**
     * The source from which a new relay loads the class that relays, when it starts, streams and stops. It must print
     * nothing about it.
     */
    private String relaySource() throws Exception {
        Path classes = directory.resolve("classes.log");
        Files.deleteIfExists(classes);
        var relay = serveWith(Map.of("MILLRACE_OPTS", "-Xlog:class+load:file=" + classes));
        assertThat(exitCode(shell(hint().replace("\"model\":\"mock\"", "\"model\":\"mock:tokens=3\""))))
                .isZero();
        terminate(relay);
        assertThat(exitCode(relay)).isZero();
        assertThat(Files.readAllLines(output()))
                .filteredOn(line -> !line.startsWith("{") && !line.isEmpty() && !line.matches("\\S+ INFO .*"))
                .hasSize(4)
                .noneMatch(line -> line.contains("rror") || line.contains("arning"));
        String before = " io.millrace.server.relay.Exchange source: ";
        return Files.readAllLines(classes).stream()
                .filter(line -> line.contains(before))
                .map(line -> line.substring(line.indexOf(before) + before.length()))
                .findFirst()
                .orElseThrow();
    }

    /** Starts {@code millrace serve} on a free port and waits until it prints its address. */
    private Process serve(String... options) throws IOException {
        return serveWith(Map.of(), options);
    }

    private Process serveWith(Map<String, String> variables, String... options) throws IOException {
        var arguments = new ArrayList<>(List.of("serve", "--listen", "127.0.0.1:0"));
        arguments.addAll(List.of(options));
        Process process = millrace(variables, arguments);
        await("ready line")
                .atMost(START_LIMIT)
                .until(() -> !process.isAlive() || Files.readString(output()).contains("curl -N "));
        assertThat(process.isAlive()).as(Files.readString(output())).isTrue();
        assertThat(output()).content().contains(" listening on http://127.0.0.1:");
        return process;
    }

    private Process millrace(Map<String, String> variables, List<String> arguments) throws IOException {
        var command = new ArrayList<>(List.of(directory.resolve("bin/millrace").toString()));
        command.addAll(arguments);
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output().toFile());
        builder.environment().keySet().removeIf(name -> VARIABLES.stream().anyMatch(name::startsWith));
        builder.environment().put("MILLRACE_WARM_UP", "off");
        builder.environment().putAll(variables);
        Process process = builder.start();
        started.add(process);
        return process;
    }

    private Path output() {
        return directory.resolve("output.log");
    }

    /** The command that the launcher suggested to the user. */
    private String hint() throws IOException {
        return Files.readAllLines(output()).stream()
                .filter(line -> line.strip().startsWith("curl -N "))
                .findFirst()
                .orElseThrow()
                .strip();
    }

    private Process shell(String command) throws IOException {
        var process = new ProcessBuilder("sh", "-c", command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        started.add(process);
        return process;
    }

    /** SIGTERM. */
    private static void terminate(Process process) {
        assertThat(process.supportsNormalTermination()).isTrue();
        process.destroy();
    }

    private static boolean read(BufferedReader output, List<Printed> lines) throws IOException {
        String line = output.readLine();
        if (line == null) {
            return false;
        }
        lines.add(new Printed(line, System.nanoTime()));
        return true;
    }

    private static int exitCode(Process process) throws InterruptedException {
        assertThat(process.waitFor(RUN_LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }
}
