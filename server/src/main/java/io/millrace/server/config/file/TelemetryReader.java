package io.millrace.server.config.file;

import io.millrace.server.config.Credential.Secret;
import io.millrace.server.config.Telemetry;
import io.millrace.server.config.Telemetry.Otlp;
import io.millrace.server.config.Telemetry.UsageLog;
import io.millrace.server.config.file.Node.Entry;
import io.millrace.server.config.file.Node.Scalar;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;

/** Reads what others are told about the relay and its requests. The fields for a collector may be keys. */
final class TelemetryReader {
    private final Draft draft;
    private final Problems problems;
    private final Secrets secrets;
    private final Path directory;

    /** Relative file names are resolved in {@code directory}. */
    TelemetryReader(Draft draft, Problems problems, Secrets secrets, Path directory) {
        this.draft = draft;
        this.problems = problems;
        this.secrets = secrets;
        this.directory = directory;
    }

    void read(Section root) {
        root.readSection("telemetry", section -> {
            Telemetry telemetry = TelemetryTables.TELEMETRY.read(section, draft.relay.telemetry());
            change(t -> t.usageLog = placed(telemetry.usageLog()));
            change(t -> t.nativeHistograms = telemetry.nativeHistograms());
            section.readSection("otlp", inner -> {
                Otlp otlp = readOtlp(inner, telemetry.otlp());
                change(t -> t.otlp = otlp);
            });
        });
    }

    private void change(Consumer<Telemetry.Builder> change) {
        Telemetry changed = draft.relay.telemetry().with(change);
        draft.relay = draft.relay.with(c -> c.telemetry = changed);
    }

    private UsageLog placed(UsageLog usage) {
        return usage.file() == null ? usage : usage.with(u -> u.file = directory.resolve(usage.file()));
    }

    private Otlp readOtlp(Section section, Otlp before) {
        Otlp placed = TelemetryTables.OTLP.read(section, before);
        var headers = new LinkedHashMap<String, Secret>();
        section.readNamed("headers", (name, entry) -> readHeader(section, name, entry, headers));
        return placed.with(o -> o.headers = headers);
    }

    private void readHeader(Section section, String name, Entry entry, Map<String, Secret> headers) {
        if (entry.value() instanceof Scalar) {
            problems.add(
                    entry.place(),
                    name + ": a value is never written here (expected: " + name + ": {env: NAME} or " + name
                            + ": {file: /path})");
            return;
        }
        section.enter(name, entry.value(), source -> {
            var secret = new Secret[1];
            source.read("env", secrets::fromEnvironment, v -> secret[0] = v);
            source.read("file", secrets::fromFile, v -> secret[0] = v);
            if ((source.node("env") == null) == (source.node("file") == null)) {
                problems.add(source.place(), name + ": expected: one of env or file");
            }
            try {
                String header = Form.HEADER.read(name);
                if (secret[0] != null) {
                    headers.put(header, secret[0]);
                }
            } catch (IllegalArgumentException e) {
                problems.add(entry.place(), "headers: '" + name + "' (expected: a header name)");
            }
        });
    }
}
