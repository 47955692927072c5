package io.millrace.it.edge;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.Timeouts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The Debian package that {@code scripts/deb} makes of the distribution, and its units. {@code scripts/check-package}
 * installs it, and {@code scripts/check-release} builds a whole release twice.
 */
class PackageIT {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    /** In tenths, as {@code systemd-analyze} takes it: 0 is closed and 100 open. */
    private static final String MOST_EXPOSURE = "15";
    /** No person's name, and no host that there is. */
    private static final String MAINTAINER = "Millrace maintainers <maintainers@millrace.example>";

    /** What {@code telemetry.otlp} may take behind the drain. */
    private static final long OTLP_SECONDS = 10;

    private static final String LAUNCHERS_LIMIT = "65536";
    private static final String SCHEMA_LINE = "# yaml-language-server: $schema=";

    private static final Pattern CODE = Pattern.compile("(?ms)^```.*?^```$|`[^`\\n]*`");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s#]+)[^)]*\\)");

    @TempDir
    private static Path directory;

    private static Path archive;
    private static Path deb;

    @BeforeAll
    static void make() throws Exception {
        try (Stream<Path> files = Files.list(ROOT.resolve("bench/target"))) {
            archive = files.filter(file -> file.getFileName().toString().matches("millrace-[0-9].*\\.tar\\.gz"))
                    .findFirst()
                    .orElseThrow(() -> new IllegalStateException("bench is not packaged: run mvn verify"));
        }
        deb = deb("one", "umask 022; TZ=UTC");
    }

    @Test
    void isTheSameToTheBitWhereverItIsMade() throws Exception {
        Path other = deb("another/place", "umask 077; TZ=Asia/Tokyo");

        assertThat(other.getFileName()).isEqualTo(deb.getFileName());
        assertThat(Files.mismatch(deb, other)).isEqualTo(-1);
    }

    @Test
    void hasItsFilesAndNoCache() throws Exception {
        List<String> lines = run("dpkg-deb", "-c", deb.toString()).lines().toList();
        List<String> names =
                lines.stream().map(line -> line.replaceFirst("^.* \\./", "/")).toList();

        assertThat(names)
                .contains(
                        "/usr/bin/millrace -> ../share/millrace/bin/millrace",
                        "/usr/share/millrace/cache -> /var/cache/millrace",
                        "/var/cache/millrace/",
                        "/usr/lib/systemd/system/millrace.service",
                        "/usr/lib/systemd/system/millrace.socket",
                        "/etc/logrotate.d/millrace",
                        "/usr/share/man/man1/millrace-serve.1.gz",
                        "/usr/share/bash-completion/completions/millrace",
                        "/usr/share/doc/millrace/copyright",
                        "/usr/share/doc/millrace/sbom.cdx.json")
                .noneMatch(name -> name.startsWith("/var/cache/millrace/java"));
        assertThat(lines).allMatch(line -> line.contains(" root/root "));
        assertThat(lines)
                .filteredOn(line -> line.contains("./etc/default/millrace"))
                .allMatch(line -> line.startsWith("-rw------- "));
        assertThat(run("dpkg-deb", "-I", deb.toString(), "conffiles").lines())
                .containsExactly("/etc/default/millrace", "/etc/logrotate.d/millrace", "/etc/millrace/millrace.yaml");
        assertThat(run("tar", "-tzf", archive.toString())).doesNotContain("/cache/");
    }

    @Test
    void hasUnitsThatSystemdAcceptsAndThatExposeLittle() throws Exception {
        Path system = Files.createDirectory(directory.resolve("system"));
        run("dpkg-deb", "-x", deb.toString(), system.toString());
        Path units = system.resolve("usr/lib/systemd/system");
        Path service = units.resolve("millrace.service");
        // The program is not installed on this machine.
        String unit = Files.readString(service);
        assertThat(unit).contains("ExecStart=/usr/bin/millrace serve /etc/millrace/millrace.yaml\n");
        Files.writeString(service, unit.replace("=/usr/bin/millrace ", "=/bin/true "));

        assertThat(run(
                        "systemd-analyze",
                        "verify",
                        "--man=no",
                        service.toString(),
                        units.resolve("millrace.socket").toString()))
                .isEmpty();
        run("systemd-analyze", "security", "--offline=true", "--threshold=" + MOST_EXPOSURE, service.toString());
    }

    /** Else systemd kills the relay while it drains, or takes no notice of the process that takes over. */
    @Test
    void hasAUnitThatLetsTheRelayStopTakeOverAndHoldItsStreams() throws Exception {
        Path files = Files.createDirectory(directory.resolve("limits"));
        run("dpkg-deb", "-x", deb.toString(), files.toString());
        Map<String, String> unit = settings(files.resolve("usr/lib/systemd/system/millrace.service"));
        String checked = run(
                files.resolve("usr/bin/millrace").toString(),
                "check",
                files.resolve("etc/millrace/millrace.yaml").toString());
        long drain = seconds(checked, "drain");
        long delay = seconds(checked, "shutdownDelay");

        assertThat(drain).isEqualTo(Timeouts.DEFAULT.drain().toSeconds());
        assertThat(Long.parseLong(unit.get("TimeoutStopSec"))).isGreaterThan(drain + delay + OTLP_SECONDS);
        assertThat(unit).containsEntry("Type", "notify").containsEntry("NotifyAccess", "all");
        assertThat(unit.get("ExecReload"))
                .contains(" serve /etc/millrace/millrace.yaml --takeover /run/millrace/control.sock");
        // What the launcher raises the soft limit to.
        assertThat(unit).containsEntry("LimitNOFILE", LAUNCHERS_LIMIT);
        assertThat(Files.readString(files.resolve("usr/share/millrace/bin/millrace")))
                .contains(LAUNCHERS_LIMIT);
        String page = Files.readString(ROOT.resolve("docs/production.md"));
        assertThat(page).contains("`TimeoutStopSec=` (" + unit.get("TimeoutStopSec") + " s)");
    }

    private static Map<String, String> settings(Path unit) throws IOException {
        return Files.readAllLines(unit).stream()
                .filter(line -> line.matches("[A-Za-z]+=.*"))
                .collect(Collectors.toMap(
                        line -> line.substring(0, line.indexOf('=')),
                        line -> line.substring(line.indexOf('=') + 1),
                        (first, second) -> first + " " + second));
    }

    /** A time in the output of {@code check}. */
    private static long seconds(String checked, String key) {
        var found = Pattern.compile("\\b" + key + ": (\\d+)(m?s|m|h)\\b").matcher(checked);
        assertThat(found.find()).as("%s in %s", key, checked).isTrue();
        long number = Long.parseLong(found.group(1));
        return switch (found.group(2)) {
            case "ms" -> (number + 999) / 1000;
            case "s" -> number;
            case "m" -> 60 * number;
            default -> 3600 * number;
        };
    }

    /** An editor that reads the first line of the example finds the schema beside it. */
    @Test
    void hasTheSchemaWhereTheExampleNamesIt() throws Exception {
        Path files = Files.createDirectory(directory.resolve("schema"));
        run("dpkg-deb", "-x", deb.toString(), files.toString());
        Path unpacked = Files.createDirectory(directory.resolve("archive"));
        run("tar", "-xzf", archive.toString(), "-C", unpacked.toString(), "--strip-components=1");
        for (Path place : List.of(files.resolve("usr/share/doc/millrace"), unpacked)) {
            String first =
                    Files.readAllLines(place.resolve("millrace.example.yaml")).get(0);
            assertThat(first).startsWith(SCHEMA_LINE);
            Path schema = place.resolve(first.substring(SCHEMA_LINE.length()));
            assertThat(Files.readString(schema)).startsWith("{\n  \"$schema\"");
        }
        assertThat(Files.readString(ROOT.resolve("docs/configuration.md")))
                .contains("\n" + SCHEMA_LINE + "PATH/millrace.schema.json\n");
    }

    @Test
    void hasAConfigurationThatTheRelayTakes() throws Exception {
        Path files = Files.createDirectory(directory.resolve("files"));
        run("dpkg-deb", "-x", deb.toString(), files.toString());

        assertThat(run(
                        files.resolve("usr/bin/millrace").toString(),
                        "check",
                        files.resolve("etc/millrace/millrace.yaml").toString()))
                .contains("/run/millrace/control.sock");
    }

    @Test
    void hasTheMaintainersForItsMaintainer() throws Exception {
        assertThat(run("dpkg-deb", "-f", deb.toString(), "Maintainer").strip()).isEqualTo(MAINTAINER);
        String changelog = "./usr/share/doc/millrace/changelog.gz";
        assertThat(run("sh", "-c", "dpkg-deb --fsys-tarfile " + deb + " | tar -xO " + changelog + " | gzip -d"))
                .contains("\n -- " + MAINTAINER + "  ");
    }

    @Test
    void hasAllThatItsDocumentsLinkTo() throws Exception {
        Path files = Files.createDirectory(directory.resolve("documents"));
        run("dpkg-deb", "-x", deb.toString(), files.toString());
        var broken = new ArrayList<String>();
        int links = 0;
        try (Stream<Path> all = Files.walk(files.resolve("usr/share/doc/millrace"))) {
            for (Path page : all.filter(file -> file.toString().endsWith(".md")).toList()) {
                String text = CODE.matcher(Files.readString(page)).replaceAll("");
                for (var link : LINK.matcher(text).results().toList()) {
                    String to = link.group(1);
                    if (!to.matches("[a-z]+:.*")) {
                        links++;
                        if (!Files.exists(page.resolveSibling(to).normalize(), LinkOption.NOFOLLOW_LINKS)) {
                            broken.add(files.relativize(page) + ": " + to);
                        }
                    }
                }
            }
        }
        assertThat(links).isGreaterThan(200);
        assertThat(broken).isEmpty();
    }

    /** What the package's script does with the service, on a system that is a directory. */
    @ParameterizedTest
    @CsvSource({
        // what dpkg says, the service runs, it is masked, what is done
        "'configure,', false, false, start millrace.service",
        "'configure,0.1.0', true, false, restart millrace.service",
        "'configure,0.1.0', false, false, ''",
        "'configure,0.1.0', false, true, start millrace.service", // it was removed before
        "'abort-upgrade,0.2.0', false, false, ''",
        "'abort-remove', false, false, start millrace.service",
    })
    void startsOnlyAServiceThatNobodyStopped(String told, boolean runs, boolean masked, String done) throws Exception {
        Path system = Files.createTempDirectory(directory, "system");
        for (String each :
                List.of("bin", "run/systemd/system", "etc/systemd/system", "var/log", "var/cache/millrace")) {
            Files.createDirectories(system.resolve(each));
        }
        if (masked) {
            Files.createSymbolicLink(system.resolve("etc/systemd/system/millrace.service"), Path.of("/dev/null"));
        }
        for (String program : List.of("adduser", "chown", "deb-systemd-helper", "millrace")) {
            program(system, program, "");
        }
        program(system, "systemctl", "case $* in *is-active*) " + runs + " ;; esac");
        program(system, "deb-systemd-invoke", "echo $* >> " + system.resolve("invoked"));
        run("dpkg-deb", "-e", deb.toString(), system.resolve("control").toString());
        Path script = system.resolve("control/postinst");
        String moved = Files.readString(script).replaceAll("/(run|etc|var)/", system + "/$1/");
        Files.writeString(script, moved);

        var command = new ArrayList<>(List.of("env", "PATH=" + system.resolve("bin") + ":" + System.getenv("PATH")));
        command.addAll(List.of("sh", script.toString()));
        command.addAll(List.of(told.split(",", -1)));
        run(command.toArray(String[]::new));

        Path invoked = system.resolve("invoked");
        assertThat(Files.exists(invoked) ? Files.readString(invoked).strip() : "")
                .isEqualTo(done);
    }

    private static void program(Path system, String name, String script) throws IOException {
        Path file = Files.writeString(system.resolve("bin").resolve(name), "#!/bin/sh\n" + script + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }

    private static Path deb(String place, String environment) throws Exception {
        Path out = Files.createDirectories(directory.resolve(place));
        run("sh", "-c", environment + " exec " + ROOT + "/scripts/deb " + archive + " " + out);
        try (Stream<Path> files = Files.list(out)) {
            return files.findFirst().orElseThrow();
        }
    }

    /** What a command prints; it must end with 0. */
    private static String run(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed;
        try (var output = process.getInputStream()) {
            printed = new String(output.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertThat(process.waitFor())
                .as("%s: %s", String.join(" ", command), printed)
                .isZero();
        return printed;
    }
}
