package io.millrace.it.deploy;

import com.marcnuri.helm.Helm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Renders the chart with each of several files of values, in a process of its own. */
final class HelmRenderer {
    private HelmRenderer() {}

    /** Writes {@code FILE.out} beside each file of values, or {@code FILE.error} if it is refused. */
    public static void main(String[] arguments) throws IOException {
        Path chart = Path.of(arguments[0]);
        for (int i = 1; i < arguments.length; i++) {
            String out;
            String suffix = ".out";
            try {
                out = new Helm(chart)
                        .template()
                        .withName("millrace")
                        .withNamespace("llm")
                        .withValuesFile(Path.of(arguments[i]))
                        .call();
            } catch (RuntimeException e) {
                out = String.valueOf(e.getMessage());
                suffix = ".error";
            }
            Files.writeString(Path.of(arguments[i] + suffix), out);
        }
        // The engine's threads live on.
        Runtime.getRuntime().halt(0);
    }

    /**
     * What Helm makes of each file of values.
     *
     * @return the manifests, or the error with {@code "error: "} before it, by the name of the file
     */
    static Map<String, String> render(Path chart, List<Path> values) throws IOException, InterruptedException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xmx128m", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), HelmRenderer.class.getName()));
        command.add(chart.toAbsolutePath().toString());
        values.forEach(file -> command.add(file.toAbsolutePath().toString()));
        Path log = values.get(0).resolveSibling("helm.log");
        int code = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start()
                .waitFor();
        if (code != 0) {
            throw new IllegalStateException("Helm's engine ended with " + code + ": " + Files.readString(log));
        }
        var rendered = new HashMap<String, String>();
        for (Path file : values) {
            Path out = Path.of(file + ".out");
            String text =
                    Files.exists(out) ? Files.readString(out) : "error: " + Files.readString(Path.of(file + ".error"));
            rendered.put(file.getFileName().toString(), text);
        }
        return rendered;
    }
}
