package io.millrace.server.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** The launcher as a process of its own, with the class path of the tests and without provider keys. */
final class LauncherProcess implements AutoCloseable {
    private static final long PATIENCE_S = 60;
    /** Like {@code bin/millrace}: no thread ever waits until the kernel has made the table of descriptors larger. */
    private static final List<String> WITH_LARGE_TABLE = List.of(
            "bash",
            "-c",
            "most=$(ulimit -n); [ $most -lt 65536 ] || most=65536;"
                    + " eval \"exec $((most - 1))< /dev/null $((most - 1))<&-\"; exec \"$@\"",
            "millrace");

    private final Process process;
    private final BlockingQueue<String> out = new LinkedBlockingQueue<>();
    private final BlockingQueue<String> err = new LinkedBlockingQueue<>();

    private LauncherProcess(Process process) {
        this.process = process;
        follow("out", process.getInputStream(), out);
        follow("err", process.getErrorStream(), err);
    }

    static LauncherProcess start(String... arguments) {
        return start(List.of("-Xmx128m", "-XX:TieredStopAtLevel=1"), arguments);
    }

    /** With these flags for the JVM. */
    static LauncherProcess start(List<String> flags, String... arguments) {
        return start(Map.of(), flags, arguments);
    }

    /** Another program. */
    static LauncherProcess start(Class<?> main, String... arguments) {
        return start(Map.of(), List.of("-XX:TieredStopAtLevel=1"), main, arguments);
    }

    /** With these variables, and these flags for the JVM. */
    static LauncherProcess start(Map<String, String> variables, List<String> flags, String... arguments) {
        return start(variables, flags, Millrace.class, arguments);
    }

    private static LauncherProcess start(
            Map<String, String> variables, List<String> flags, Class<?> main, String... arguments) {
        var command = new ArrayList<>(WITH_LARGE_TABLE);
        command.add(System.getProperty("java.home") + "/bin/java");
        command.addAll(flags);
        command.addAll(List.of(
                "-Dlogback.configurationFile=logback.xml",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command);
        Map<String, String> environment = builder.environment();
        environment.keySet().removeIf(name -> name.endsWith("_API_KEY") || name.startsWith("MILLRACE_"));
        environment.put("MILLRACE_WARM_UP", "off");
        environment.putAll(variables);
        try {
            return new LauncherProcess(builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The next line of standard output that is so. */
    String awaitOut(Predicate<String> wanted) throws InterruptedException {
        return await(out, wanted);
    }

    /** The next line of standard error that is so. */
    String awaitErr(Predicate<String> wanted) throws InterruptedException {
        return await(err, wanted);
    }

    /** Sends a signal such as {@code HUP}. */
    void signal(String name) throws IOException, InterruptedException {
        int exit = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                .start()
                .waitFor();
        assertThat(exit).isZero();
    }

    /** The exit code. */
    int awaitExit() throws InterruptedException {
        assertThat(process.waitFor(PATIENCE_S, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    private static String await(BlockingQueue<String> lines, Predicate<String> wanted) throws InterruptedException {
        var seen = new ArrayList<String>();
        while (true) {
            String line = lines.poll(PATIENCE_S, TimeUnit.SECONDS);
            assertThat(line).as("a line after %s", seen).isNotNull();
            if (wanted.test(line)) {
                return line;
            }
            seen.add(line);
        }
    }

    private static void follow(String name, InputStream stream, BlockingQueue<String> lines) {
        var thread = new Thread(
                () -> {
                    try (BufferedReader reader =
                            new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
                        reader.lines().forEach(lines::add);
                    } catch (IOException | UncheckedIOException e) {
                        lines.add("(" + name + " ended: " + e + ")");
                    }
                },
                "launcher-" + name);
        thread.setDaemon(true);
        thread.start();
    }
}
