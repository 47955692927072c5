package io.millrace.bench.doctor;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Authority;
import java.io.PrintWriter;
import java.net.URI;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says what is wrong on the way of a stream, and what mends it. */
@Command(
        name = "doctor",
        description = {
            "Sends a paced stream through what stands at BASE and says what holds it back, cuts it or spoils it, and what"
                    + " mends that.",
            "Exit code 0 if all is well, 1 if something is wrong."
        },
        mixinStandardHelpOptions = true)
public final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "BASE", description = "As an SDK takes it, such as http://127.0.0.1:8080/v1.")
    private URI base;

    @Option(
            names = "--dialect",
            paramLabel = "NAME",
            defaultValue = "chat",
            description = "chat, responses, messages or gemini. Default ${DEFAULT-VALUE}.")
    private String dialect;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            defaultValue = "mock",
            description =
                    "mock, if a Millrace mock answers behind it: it tells when each token was made. Else any model,"
                            + " judged by what comes. Default ${DEFAULT-VALUE}.")
    private String model;

    @Option(names = "--api-key-env", paramLabel = "NAME", description = "The variable that holds the key.")
    private String keyVariable;

    @Option(names = "--header", paramLabel = "NAME:VALUE", description = "Sent with each request.")
    private List<String> headers = List.of();

    @Option(
            names = "--idle",
            paramLabel = "SECONDS",
            defaultValue = "70",
            description = "How long a silence is tried, with a mock; 0 for none. Default ${DEFAULT-VALUE}.")
    private int idleSeconds;

    @Option(names = "--origin", paramLabel = "URL", description = "Of a page that is to read answers: asks for CORS.")
    private String origin;

    @Option(names = "--json", description = "Prints JSON.")
    private boolean json;

    /** For the launcher. */
    public DoctorCommand() {}

    /** Examines and prints; 1 if something is wrong. */
    @Override
    public Integer call() {
        var target = new Target(base(), dialect(), model, key());
        var diagnosis = new Doctor(target, headers(), idleSeconds(), origin).examine();
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? diagnosis.toJson().toPrettyString() + System.lineSeparator() : diagnosis.toText());
        out.flush();
        return diagnosis.clean() ? 0 : 1;
    }

    private URI base() {
        boolean http = "http".equals(base.getScheme()) || "https".equals(base.getScheme());
        if (!http || Authority.of(base) == null) {
            throw wrong("BASE: " + base + " (expected: http://HOST:PORT/PATH or https://)");
        }
        return base;
    }

    private Dialect dialect() {
        return switch (dialect.toLowerCase(Locale.ROOT)) {
            case "chat" -> Dialect.CHAT;
            case "responses" -> Dialect.RESPONSES;
            case "messages" -> Dialect.MESSAGES;
            case "gemini" -> Dialect.GEMINI;
            default -> throw wrong("--dialect: " + dialect + " (expected: chat, responses, messages or gemini)");
        };
    }

    private String key() {
        if (keyVariable == null) {
            return null;
        }
        String key = System.getenv(keyVariable);
        if (key == null || key.isBlank()) {
            throw wrong("--api-key-env: " + keyVariable + " is not set (expected: a variable that holds a key)");
        }
        return key.strip();
    }

    private Map<String, String> headers() {
        Map<String, String> parsed = new LinkedHashMap<>();
        for (String header : headers) {
            int colon = header.indexOf(':');
            if (colon < 1) {
                throw wrong("--header: " + header + " (expected: NAME:VALUE)");
            }
            parsed.put(
                    header.substring(0, colon).strip(),
                    header.substring(colon + 1).strip());
        }
        return parsed;
    }

    private int idleSeconds() {
        if (idleSeconds < 0 || idleSeconds > 3_600) {
            throw wrong("--idle: " + idleSeconds + " (expected: 0-3600)");
        }
        return idleSeconds;
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
