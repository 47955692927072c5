package io.millrace.bench.doctor;

import io.millrace.bench.stream.Endpoint;
import io.millrace.codec.dialect.Dialect;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code millrace doctor}: finds faults on the path of a stream, and shows how to correct them. */
@Command(
        name = "doctor",
        description = {
            "Sends a paced stream through the servers at BASE, and shows what delays, cuts or damages it, and how to"
                    + " correct that.",
            "Exit code 0 if nothing is wrong, also with notes; 1 if something is wrong; 2 for wrong usage."
        },
        mixinStandardHelpOptions = true)
@SuppressWarnings("NullAway.Init") // picocli sets the options
public final class DoctorCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "BASE",
            description = "As an SDK takes it, such as http://127.0.0.1:8080/v1, or with the operation behind it.")
    private String base;

    @Option(
            names = "--dialect",
            paramLabel = "NAME",
            description = "chat, responses, messages or gemini. Default: by the end of the URL, else chat.")
    private @Nullable String dialect;

    @Option(
            names = "--model",
            paramLabel = "NAME",
            defaultValue = "mock",
            description =
                    "mock, if a Millrace mock answers behind it: it tells when each token was made. Else any model,"
                            + " judged by what comes. Default ${DEFAULT-VALUE}.")
    private String model;

    @Option(names = "--api-key-env", paramLabel = "NAME", description = "The variable that holds the key.")
    private @Nullable String keyVariable;

    @Option(names = "--header", paramLabel = "NAME:VALUE", description = "A header field of each request.")
    private List<String> headers = List.of();

    @Option(
            names = "--idle",
            paramLabel = "SECONDS",
            defaultValue = "70",
            description = "How long a silence to try, if a mock answers; 0 for none. Default ${DEFAULT-VALUE}.")
    private int idleSeconds;

    @Option(
            names = "--origin",
            paramLabel = "URL",
            description = "The origin of a page that reads answers: checks CORS.")
    private @Nullable String origin;

    @Option(names = "--ca", paramLabel = "FILE", description = "PEM file with the only certificates to trust.")
    private @Nullable Path ca;

    @Option(names = "--json", description = "Print JSON at the end.")
    private boolean json;

    /** Called by the launcher. */
    public DoctorCommand() {}

    /** Examines the target and prints the diagnosis. Returns 1 if something is wrong. */
    @Override
    public Integer call() {
        var target = target();
        PrintWriter out = spec.commandLine().getOut();
        var transcript = new Transcript(out, spec.commandLine().getErr());
        var doctor = new Doctor(target, probe(target), json ? Progress.NONE : transcript);
        if (!json) {
            transcript.begin(target);
        }
        var diagnosis = doctor.examine(idleSeconds(), origin);
        if (json) {
            out.println(diagnosis.toJson().toPrettyString());
            out.flush();
        } else {
            transcript.end(diagnosis);
        }
        return diagnosis.clean() ? 0 : 1;
    }

    private Probe probe(Target target) {
        var all = new HashMap<>(target.headers());
        all.putAll(headers());
        try {
            return new Probe(target.endpoint(target.model()), all, Trust.of(ca));
        } catch (IllegalArgumentException e) {
            throw wrong(String.valueOf(e.getMessage()));
        }
    }

    private Target target() {
        Dialect named = dialect();
        try {
            Dialect spoken = Endpoint.of(base, named, model).dialect();
            return new Target(URI.create(base.contains("://") ? base : "http://" + base), spoken, model, key());
        } catch (IllegalArgumentException e) {
            throw wrong("BASE: " + base + " (expected: http://HOST:PORT/PATH or https://)");
        }
    }

    private @Nullable Dialect dialect() {
        try {
            return dialect == null ? null : Dialect.named(dialect);
        } catch (IllegalArgumentException e) {
            throw wrong("--dialect: " + e.getMessage());
        }
    }

    private @Nullable String key() {
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
