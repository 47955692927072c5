package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The man pages and the completion scripts of the distribution, in the real shells. */
class PackagedHelpIT {
    private static final Path PACKAGED = Path.of("..", "bench", "target");
    private static final int FOUND = 0;

    @TempDir
    private static Path directory;

    private static Path share;

    @BeforeAll
    static void unpack() throws Exception {
        share = directory.resolve("share");
        Path archive;
        try (Stream<Path> files = Files.list(PACKAGED)) {
            archive = files.filter(file -> file.getFileName().toString().matches("millrace-[0-9].*\\.tar\\.gz"))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("bench is not packaged: run mvn verify"));
        }
        run(
                "tar",
                "-xzf",
                archive.toString(),
                "-C",
                directory.toString(),
                "--strip-components=1",
                "--wildcards",
                "*/share/*");
    }

    @Test
    void eachCommandHasAManPageWithoutFault() throws Exception {
        List<Path> pages;
        try (Stream<Path> files = Files.list(share.resolve("man/man1"))) {
            pages = files.sorted().toList();
        }

        assertThat(pages)
                .extracting(page -> page.getFileName().toString())
                .contains(
                        "millrace.1", "millrace-serve.1", "millrace-bench.1", "millrace-doctor.1", "millrace-key-new.1")
                .doesNotContain("millrace-compare.1");
        var lint = new ArrayList<>(List.of("mandoc", "-T", "lint", "-W", "warning"));
        pages.forEach(page -> lint.add(page.toString()));
        assertThat(output(lint).replaceAll(".*missing date, using \"\": TH\n", ""))
                .isEmpty();
        assertThat(run(
                                "mandoc",
                                "-T",
                                "ascii",
                                share.resolve("man/man1/millrace-bench.1").toString())
                        .replaceAll(".\b", ""))
                .contains("--fail-if=CONDITION", "Load", "EXAMPLES", "millrace bench --url http://127.0.0.1:8080/v1");
    }

    /** The words before the last are typed, the last one is completed. */
    @ParameterizedTest
    @CsvSource({
        "millrace ser, serve",
        "millrace serve --upst, --upstream",
        "millrace completion fi, fish",
        "millrace key ha, hash",
        "millrace bench --fail, --fail-if"
    })
    void completes(String typed, String completed) throws Exception {
        assertThat(bash(typed)).as("bash").contains(completed);
        assertThat(fish(typed)).as("fish").contains(completed);
        assertThat(zsh(typed, completed)).as("zsh").isEqualTo(FOUND);
    }

    private static String bash(String typed) throws Exception {
        var words = typed.split(" ", -1);
        String script = "source '" + share.resolve("bash-completion/completions/millrace") + "'\n"
                + "COMP_WORDS=(" + typed + "); COMP_CWORD=" + (words.length - 1) + "\n"
                + "_complete_millrace; printf '%s\\n' \"${COMPREPLY[@]}\"";
        return run("bash", "--norc", "-c", script);
    }

    private static String fish(String typed) throws Exception {
        String script = "source '" + share.resolve("fish/vendor_completions.d/millrace.fish") + "'\n" + "complete -C '"
                + typed + "'";
        return run("fish", "--no-config", "-c", script);
    }

    /** A zsh at a terminal of its own, whose completion function is found by its name. */
    private static int zsh(String typed, String completed) throws Exception {
        String script = String.join(
                "\n",
                "zmodload zsh/zpty",
                "zpty z zsh -f -i",
                "zpty -w z 'PROMPT=; fpath=(" + share.resolve("zsh/site-functions") + " $fpath)'",
                "zpty -w z 'autoload -Uz compinit; compinit -u -D; print rea''dy'",
                "zpty -r -m z seen '*ready*'",
                "zpty -w -n z '" + typed + "'$'\\t'",
                "zpty -r -m z seen '*" + completed + "*'");
        var zsh = new ProcessBuilder("zsh", "-f", "-c", script)
                .redirectErrorStream(true)
                .start();
        try {
            return zsh.waitFor(30, TimeUnit.SECONDS) ? zsh.exitValue() : -1;
        } finally {
            zsh.destroyForcibly();
        }
    }

    private static String run(String... command) throws IOException, InterruptedException {
        return output(Arrays.asList(command));
    }

    /** What the command prints. It needs no terminal. */
    private static String output(List<String> command) throws IOException, InterruptedException {
        var builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().put("TERM", "dumb");
        builder.environment().put("HOME", directory.toString());
        var process = builder.start();
        process.getOutputStream().close();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        process.waitFor();
        return printed;
    }
}
