package io.millrace.server.config.file;

import static io.millrace.server.config.file.Form.COUNT;
import static io.millrace.server.config.file.Form.DURATION;
import static io.millrace.server.config.file.Form.FRACTION;
import static io.millrace.server.config.file.Form.TEXT;
import static io.millrace.server.config.file.Setting.inner;
import static io.millrace.server.config.file.Setting.value;

import io.millrace.server.config.Health;

/** The settings of an upstream's health, by record. */
final class HealthTables {
    static final Table<Health> PROBE = Table.of(
            Health.DEFAULT,
            value("path", TEXT, Health::probePath, (h, v) -> h.probePath = v),
            value("interval", DURATION, Health::probeInterval, (h, v) -> h.probeInterval = v));

    static final Table<Health> HEALTH = Table.of(
            Health.DEFAULT,
            value("consecutiveFailures", COUNT, Health::consecutiveFailures, (h, v) -> h.consecutiveFailures = v),
            value("failureRate", FRACTION, Health::failureRate, (h, v) -> h.failureRate = v),
            value("minRequests", COUNT, Health::minRequests, (h, v) -> h.minRequests = v),
            value("window", DURATION, Health::window, (h, v) -> h.window = v),
            value("ejection", DURATION, Health::ejection, (h, v) -> h.ejection = v),
            value("maxEjection", DURATION, Health::maxEjection, (h, v) -> h.maxEjection = v),
            value("slowStart", DURATION, Health::slowStart, (h, v) -> h.slowStart = v),
            inner("probe", PROBE));

    private HealthTables() {}
}
