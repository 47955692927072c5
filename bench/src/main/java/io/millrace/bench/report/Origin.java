package io.millrace.bench.report;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What has to be known to run a measurement again.
 *
 * @param command the command line, with keys masked
 * @param prompt what was asked, in words
 * @param environment the machine and the JVM, by name
 */
public record Origin(String command, String prompt, Map<String, String> environment) {
    private static final String MASK = "***";
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_./:=,@%+*-]+");
    private static final Pattern USER = Pattern.compile("(https?://)[^/@\\s]*@");
    private static final Pattern QUERY = Pattern.compile("([?&][^=&\\s]+=)[^&\\s]+");
    private static final Pattern SECRET =
            Pattern.compile("(?i)(\"[^\"]*(?:key|token|secret|password|auth)[^\"]*\"\\s*:\\s*\")[^\"]*");
    private static final Set<String> OPEN_FIELDS =
            Set.of("accept", "anthropic-beta", "anthropic-version", "openai-beta", "user-agent", "x-mock");

    /** Copies the environment, in its order. */
    public Origin {
        environment = Collections.unmodifiableMap(new LinkedHashMap<>(environment));
    }

    /** Of these arguments, on this machine. */
    public static Origin of(List<String> arguments, String prompt) {
        return new Origin(command(arguments), prompt, here());
    }

    /** The command as a shell takes it. Values of header fields, of queries and of keys in bodies are masked. */
    static String command(List<String> arguments) {
        var words = new StringBuilder("millrace bench");
        String before = "";
        for (int i = 0; i < arguments.size(); i++) {
            String argument = arguments.get(i);
            if (i == 0 && argument.equals("bench")) {
                continue;
            }
            words.append(' ').append(quoted(masked(before, argument)));
            before = argument;
        }
        return words.toString();
    }

    private static String masked(String option, String argument) {
        if (option.equals("--header")) {
            return field(argument);
        }
        if (argument.startsWith("--header=")) {
            return "--header=" + field(argument.substring("--header=".length()));
        }
        String shown = USER.matcher(argument).replaceAll("$1" + MASK + "@");
        if (shown.contains("://")) {
            shown = QUERY.matcher(shown).replaceAll("$1" + MASK);
        }
        return SECRET.matcher(shown).replaceAll("$1" + MASK);
    }

    private static String field(String field) {
        int colon = field.indexOf(':');
        if (colon < 0) {
            return MASK;
        }
        String name = field.substring(0, colon).strip();
        return OPEN_FIELDS.contains(name.toLowerCase(Locale.ROOT)) ? field : name + ": " + MASK;
    }

    private static String quoted(String argument) {
        return PLAIN.matcher(argument).matches() ? argument : "'" + argument.replace("'", "'\\''") + "'";
    }

    private static Map<String, String> here() {
        var here = new LinkedHashMap<String, String>();
        here.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        here.put("cpu", processor());
        here.put("processors", Integer.toString(Runtime.getRuntime().availableProcessors()));
        here.put("jdk", System.getProperty("java.vm.name") + " " + System.getProperty("java.runtime.version"));
        here.put("heap_mib", Long.toString(Runtime.getRuntime().maxMemory() >> 20));
        return here;
    }

    private static String processor() {
        var info = Path.of("/proc/cpuinfo");
        if (Files.isReadable(info)) {
            try (var lines = Files.lines(info)) {
                var model = lines.filter(line -> line.startsWith("model name"))
                        .map(line -> line.substring(line.indexOf(':') + 1).strip())
                        .findFirst();
                if (model.isPresent()) {
                    return model.get();
                }
            } catch (IOException | UncheckedIOException e) {
                return System.getProperty("os.arch");
            }
        }
        return System.getProperty("os.arch");
    }

    /** The environment in one line. */
    String environmentText() {
        return environment.entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining(", "));
    }
}
