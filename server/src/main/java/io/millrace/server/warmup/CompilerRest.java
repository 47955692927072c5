package io.millrace.server.warmup;

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Whether the JVM's compiler has almost no work left. It is asked once per period, and must be at rest for some periods
 * in a row.
 */
final class CompilerRest implements BooleanSupplier {
    /** The period between two checks. */
    static final long PERIOD_NS = TimeUnit.MILLISECONDS.toNanos(250);

    /** A compiler that works for less than this share of a period is at rest. */
    private static final int REST_SHARE = 20;

    private static final int PERIODS = 4;

    private final CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
    private long lastMs;
    private int rested;

    @Override
    public boolean getAsBoolean() {
        if (compiler == null || !compiler.isCompilationTimeMonitoringSupported()) {
            return true;
        }
        long nowMs = compiler.getTotalCompilationTime();
        boolean rests = nowMs - lastMs < TimeUnit.NANOSECONDS.toMillis(PERIOD_NS) / REST_SHARE;
        lastMs = nowMs;
        rested = rests ? rested + 1 : 0;
        return rested >= PERIODS;
    }
}
