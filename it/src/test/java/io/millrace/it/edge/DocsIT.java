package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.test.Documents;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs the shell commands of the documents with the packaged launcher, in their order, in one shell for each page. What
 * a page leaves to its reader is put in: ports that are free, and the mock where the reader's own servers would be. A
 * block that no test can run says why.
 */
class DocsIT {
    private static final Path ROOT = Path.of("..");
    private static final Path EXAMPLES = ROOT.resolve("examples");
    private static final Path TOOLS =
            Path.of("src", "test", "resources", "docs").toAbsolutePath();
    private static final int PAGES_AT_ONCE = 3;
    private static final long PAGE_LIMIT_SECONDS = 240;
    /** Ports of relays and servers that a page starts; each page gets others. */
    private static final List<String> OWN_PORTS = List.of("443", "4000", "8080", "8443", "9000", "9090", "9100");
    /** Servers of the reader. The mock is there instead. */
    private static final Pattern OTHERS =
            Pattern.compile("http://(?:127\\.0\\.0\\.1:(?:8000|11434)|10\\.0\\.0\\.\\d:8000)"
                    + "|https://api\\.(?:openai|anthropic)\\.com");
    /** They must not come from the user who runs the tests. */
    private static final Pattern USERS_VARIABLES = Pattern.compile("(?:OPENAI|ANTHROPIC|GEMINI|MILLRACE)_.*");

    private static final Pattern TEST = Pattern.compile("\\b\\w+(?:Test|IT)\\b");

    private static final Pattern BACKGROUND = Pattern.compile("\\s*&\\s*(?:#.*)?$");

    /** Outside of the ports that the kernel gives to clients. */
    private static final AtomicInteger NEXT_PORT =
            new AtomicInteger(20_000 + (int) (ProcessHandle.current().pid() % 1_000) * 12);

    private static final ExecutorService THREADS = Executors.newFixedThreadPool(PAGES_AT_ONCE);
    private static final Map<String, CompletableFuture<Ran>> RESULTS = new TreeMap<>();

    @TempDir
    private static Path directory;

    private static int mockPort;

    /** What became of the commands of a page. */
    private record Ran(int exitCode, String output) {}

    @BeforeAll
    static void startAll() throws Exception {
        Path dist = Files.createDirectory(directory.resolve("dist"));
        var tar = List.of("tar", "-xzf", archive().toString(), "-C", dist.toString(), "--strip-components=1");
        assertThat(started(tar, directory, directory.resolve("tar")).waitFor()).isZero();
        mockPort = freePort();
        Path log = directory.resolve("log");
        int prepared = started(List.of(TOOLS.resolve("prepare").toString(), Integer.toString(mockPort)), directory, log)
                .waitFor();
        assertThat(prepared).as(() -> read(log)).isZero();
        for (DocPage page : pages()) {
            RESULTS.put(name(page), CompletableFuture.supplyAsync(() -> run(page), THREADS));
        }
    }

    @AfterAll
    static void stopAll() throws Exception {
        THREADS.shutdownNow();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file :
                    files.filter(file -> file.toString().endsWith(".pid")).toList()) {
                ProcessHandle.of(Long.parseLong(Files.readString(file).strip()))
                        .ifPresent(ProcessHandle::destroyForcibly);
            }
        }
    }

    static List<String> runPages() throws IOException {
        return pages().stream().map(DocsIT::name).toList();
    }

    @ParameterizedTest
    @MethodSource("runPages")
    void everyCommandOfThePageDoesWhatThePageSays(String page) throws Exception {
        Ran ran = RESULTS.get(page).get();
        assertThat(ran.exitCode()).as(ran.output()).isZero();
        String output = words(ran.output());
        for (DocPage.Block block : DocPage.read(ROOT.resolve(page)).blocks()) {
            if (block.notRun().isEmpty()) {
                block.printed().forEach(line -> assertThat(output).contains(words(line)));
            }
        }
    }

    @Test
    void testsThatRunInsteadExist() throws IOException {
        List<String> tests;
        try (Stream<Path> files = Files.walk(ROOT)) {
            tests = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".java"))
                    .toList();
        }
        for (DocPage page : pages()) {
            for (DocPage.Block block : page.blocks()) {
                for (var test : TEST.matcher(block.notRun()).results().toList()) {
                    assertThat(tests).as(name(page) + ": " + block.notRun()).contains(test.group() + ".java");
                }
            }
        }
    }

    /** A page that is read in another way than people do would make this test empty. */
    @Test
    void manyCommandsAreRun() throws IOException {
        long all = 0;
        long run = 0;
        for (DocPage page : pages()) {
            for (DocPage.Block block : page.blocks()) {
                all += block.commands().size();
                run += block.notRun().isEmpty() ? block.commands().size() : 0;
            }
        }
        assertThat(all).isGreaterThan(140);
        assertThat(run).isGreaterThan(70);
    }

    /** Figures and times differ from run to run. */
    private static String words(String text) {
        return text.replaceAll("[^A-Za-z_\"{}\n]+", " ");
    }

    private static Ran run(DocPage page) {
        try {
            Path home = Files.createDirectory(directory.resolve(name(page).replace('/', '-')));
            Path log = home.resolve("log");
            Path script = Files.writeString(home.resolve("commands"), script(page, home));
            var process = started(List.of("bash", "-u", script.toString()), home, log);
            boolean ended = process.waitFor(PAGE_LIMIT_SECONDS, TimeUnit.SECONDS);
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
            return new Ran(ended ? process.exitValue() : -1, read(log));
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** All commands of the page that are run, each of which must succeed. */
    private static String script(DocPage page, Path home) throws IOException {
        var ports = new LinkedHashMap<String, String>();
        for (String port : OWN_PORTS) {
            ports.put(port, Integer.toString(freePort()));
        }
        List<String> commands = page.blocks().stream()
                .filter(block -> block.notRun().isEmpty())
                .flatMap(block -> block.commands().stream())
                .toList();
        String all = String.join("\n", commands);
        if (!Pattern.compile("millrace mock(?! --help)").matcher(all).find()) {
            ports.put("9100", Integer.toString(mockPort));
        }
        boolean alone = commands.stream().noneMatch(DocsIT::servesByDefault);
        if (alone) {
            ports.put("8080", Integer.toString(mockPort + 1));
        }
        Path work = home.resolve("work");
        var script = new StringBuilder("export DOCS_RELAY=" + ports.get("8080") + " DOCS_MOCK=" + ports.get("9100"))
                .append(" DOCS_RUN=" + home + "\n")
                .append("trap 'for server in \"$DOCS_RUN\"/*.pid; do kill $(< \"$server\"); done 2> /dev/null' EXIT\n")
                .append("cp -r " + directory.resolve("work") + " .\ncd work\n");
        if (!alone && !startsWithTheRelay(commands)) {
            script.append("millrace serve || exit 1\n"); // the one that runs since "get started"
        }
        if (page.file().startsWith(EXAMPLES)) {
            script.append(files(page.file().getParent(), ports, work));
        }
        for (DocPage.Block block : page.blocks()) {
            if (block.notRun().isEmpty()) {
                String config = fitted(block.config(), ports, work);
                script.append("cat > millrace.yaml << 'END'\n" + config + "END\n");
                for (String command : block.commands()) {
                    String fitted = fitted(BACKGROUND.matcher(command).replaceFirst(""), ports, work);
                    String place = name(page) + ":" + block.line();
                    script.append("cat << 'END'\n== " + place + ": " + fitted + "\nEND\n");
                    script.append("export DOCS_MAY_FAIL=" + (command.contains("exit code 1") ? "1" : "") + "\n");
                    script.append("{\n" + fitted + "\n} || { echo \"exit code $?\"; exit 1; }\n");
                }
            }
        }
        return script.toString();
    }

    /** Writes the relay's files of an example where the commands expect them. */
    private static String files(Path example, Map<String, String> ports, Path work) throws IOException {
        Path place = ROOT.relativize(example);
        var script = new StringBuilder("mkdir -p " + place + "\n");
        try (Stream<Path> files = Files.list(example)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".yaml")).toList()) {
                script.append("cat > " + place.resolve(file.getFileName()) + " << 'END'\n")
                        .append(fitted(Files.readString(file), ports, work))
                        .append("END\n");
            }
        }
        return script.toString();
    }

    private static boolean startsWithTheRelay(List<String> commands) {
        return commands.stream()
                .filter(DocsIT::usesTheRelay)
                .findFirst()
                .map(DocsIT::servesByDefault)
                .orElse(true);
    }

    private static boolean usesTheRelay(String command) {
        return servesByDefault(command) || command.contains(":8080") || command.contains("llm.example.com");
    }

    /** Whether the command starts a relay on port 8080. */
    private static boolean servesByDefault(String command) {
        return (command.contains("millrace serve") || command.contains("scripts/run"))
                && !command.matches("(?s).*serve (?!examples/)\\S+\\.yaml.*")
                && (!command.contains("--listen") || command.contains(":8080"));
    }

    /** The text of a page with what its reader would put in. */
    private static String fitted(String text, Map<String, String> ports, Path work) {
        String fitted = OTHERS.matcher(text.replace("http://10.0.0.2:8000", "http://127.0.0.1:" + (mockPort + 1)))
                .replaceAll("http://127.0.0.1:" + mockPort)
                .replace("…", "a-key")
                .replace("https://llm.example.com", "http://127.0.0.1:8080")
                .replace("/etc/millrace/", work + "/")
                .replace("/run/millrace/", work + "/")
                .replace("/var/log/millrace/", work + "/");
        return Pattern.compile("(?<=:)(?:" + String.join("|", ports.keySet()) + ")\\b")
                .matcher(fitted)
                .replaceAll(port -> ports.get(port.group()));
    }

    private static List<DocPage> pages() throws IOException {
        var pages = new ArrayList<DocPage>();
        for (Path file : Documents.below(ROOT)) {
            DocPage page = DocPage.read(file);
            if (!page.blocks().isEmpty()) {
                pages.add(page);
            }
        }
        return pages;
    }

    private static String name(DocPage page) {
        return ROOT.relativize(page.file()).toString();
    }

    private static Process started(List<String> command, Path home, Path log) throws IOException {
        var builder = new ProcessBuilder(command)
                .directory(home.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> USERS_VARIABLES.matcher(name).matches());
        environment.put("PATH", directory.resolve("bin") + ":" + System.getenv("PATH"));
        environment.put("DOCS_MILLRACE", directory.resolve("dist/bin/millrace").toString());
        environment.put("DOCS_RUN", directory.resolve("run").toString());
        environment.put("DOCS_RELAY", "0");
        environment.put("DOCS_MOCK", "0");
        environment.put("MILLRACE_WARM_UP", "off");
        Path classes = directory.resolve("classes.jsa");
        environment.put(
                "MILLRACE_OPTS",
                "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
                        + (Files.exists(classes) ? " -Xlog:disable -XX:SharedArchiveFile=" + classes : ""));
        return builder.start();
    }

    /** A free port, and the next one is free as well. */
    private static int freePort() throws IOException {
        int port;
        do {
            port = NEXT_PORT.getAndAdd(2);
        } while (!isFree(port) || !isFree(port + 1));
        return port;
    }

    private static boolean isFree(int port) throws IOException {
        try {
            new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
            return true;
        } catch (BindException e) {
            return false;
        }
    }

    private static String read(Path log) {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path archive() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("..", "bench", "target"))) {
            return files.filter(file -> file.getFileName().toString().matches("millrace-[0-9].*\\.tar\\.gz"))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("bench is not packaged: run mvn verify"))
                    .toAbsolutePath();
        }
    }
}
