package io.millrace.server.config.file;

import static io.millrace.server.config.file.Form.BOOLEAN;
import static io.millrace.server.config.file.Form.DURATION;
import static io.millrace.server.config.file.Form.FRACTION;
import static io.millrace.server.config.file.Form.SIZE;
import static io.millrace.server.config.file.Setting.section;
import static io.millrace.server.config.file.Setting.special;
import static io.millrace.server.config.file.Setting.value;

import io.millrace.server.config.Telemetry;
import io.millrace.server.config.Telemetry.Otlp;
import io.millrace.server.config.Telemetry.UsageLog;
import io.millrace.server.config.file.Setting.Brief;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The settings of what the relay tells others about itself and its requests. */
final class TelemetryTables {
    static final Table<UsageLog> USAGE_LOG = Table.of(
            UsageLog.OFF,
            value("file", Tables.PATH, UsageLog::file, (u, v) -> u.file = v),
            value("rotate", SIZE, UsageLog::rotate, (u, v) -> u.rotate = v));

    static final Table<Otlp> OTLP = Table.of(
            Otlp.OFF,
            value("endpoint", Form.URL, Otlp::endpoint, (o, v) -> o.endpoint = v),
            special("headers", new Shape.Named(Shape.texts("env", "file")), TelemetryTables::headers),
            value("traces", BOOLEAN, Otlp::traces, (o, v) -> o.traces = v),
            value("ratio", FRACTION, Otlp::ratio, (o, v) -> o.ratio = v),
            value("metrics", BOOLEAN, Otlp::metrics, (o, v) -> o.metrics = v),
            value("interval", DURATION, Otlp::interval, (o, v) -> o.interval = v));

    static final Table<Telemetry> TELEMETRY = Table.of(
            Telemetry.DEFAULT,
            section(
                            "usageLog",
                            Brief.of(Tables.PATH, (u, v) -> u.file = v),
                            USAGE_LOG,
                            Telemetry::usageLog,
                            (t, v) -> t.usageLog = v)
                    .onlyIf(t -> t.usageLog().on()),
            special("otlp", Shape.part(() -> OTLP), telemetry -> OTLP.write(telemetry.otlp())),
            value("nativeHistograms", BOOLEAN, Telemetry::nativeHistograms, (t, v) -> t.nativeHistograms = v));

    private TelemetryTables() {}

    /** {@code headers}, without their values. */
    private static @Nullable Map<String, Object> headers(Otlp otlp) {
        if (otlp.headers().isEmpty()) {
            return null;
        }
        var tree = new LinkedHashMap<String, Object>();
        otlp.headers().forEach((name, secret) -> {
            String[] source = secret.source().split(": ", 2);
            tree.put(name, Map.of(source[0], source[1]));
        });
        return tree;
    }
}
