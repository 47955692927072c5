package io.millrace.server.config.file;

import static io.millrace.server.config.file.Form.SIZE;
import static io.millrace.server.config.file.Setting.section;
import static io.millrace.server.config.file.Setting.value;

import io.millrace.server.config.Telemetry;
import io.millrace.server.config.Telemetry.UsageLog;
import io.millrace.server.config.file.Setting.Brief;

/** The settings of what the relay tells others about itself and its requests. */
final class TelemetryTables {
    static final Table<UsageLog> USAGE_LOG = Table.of(
            UsageLog.OFF,
            value("file", Tables.PATH, UsageLog::file, (u, v) -> u.file = v),
            value("rotate", SIZE, UsageLog::rotate, (u, v) -> u.rotate = v));

    static final Table<Telemetry> TELEMETRY = Table.of(
            Telemetry.DEFAULT,
            section(
                            "usageLog",
                            Brief.of(Tables.PATH, (u, v) -> u.file = v),
                            USAGE_LOG,
                            Telemetry::usageLog,
                            (t, v) -> t.usageLog = v)
                    .onlyIf(t -> t.usageLog().on()));

    private TelemetryTables() {}
}
