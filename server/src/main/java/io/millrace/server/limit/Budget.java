package io.millrace.server.limit;

import java.time.LocalDate;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** The tokens of a client in a calendar day or month, in UTC. Any thread may use it. */
final class Budget {
    private static final long DAY_MS = TimeUnit.DAYS.toMillis(1);

    private final boolean monthly;
    private volatile Period period = new Period(0, 0);

    /** A day or a month, and the tokens used in it, on all nodes as far as this one knows. */
    static final class Period {
        private final long fromDay;
        private final long untilDay;
        private final AtomicLong used = new AtomicLong();
        /** The part of them that the store knows. */
        private final AtomicLong told = new AtomicLong();

        private Period(long fromDay, long untilDay) {
            this.fromDay = fromDay;
            this.untilDay = untilDay;
        }

        long used() {
            return used.get();
        }

        /** Adds tokens; a negative number subtracts them. */
        void add(long tokens) {
            used.addAndGet(tokens);
        }

        /** The first day, such as {@code 2027-01-31}. */
        String begin() {
            return LocalDate.ofEpochDay(fromDay).toString();
        }

        /** The tokens that the store does not know. */
        long untold() {
            return used.get() - told.get();
        }

        /** These tokens count as told from now on; a negative number does not any more. */
        void told(long tokens) {
            told.addAndGet(tokens);
        }

        /** The tokens that the store knows. */
        long told() {
            return told.get();
        }

        /** Adds tokens of other nodes. */
        void learn(long tokens) {
            used.addAndGet(tokens);
            told.addAndGet(tokens);
        }

        /** The time until the next period begins. */
        long endsInMs(long nowMs) {
            return untilDay * DAY_MS - nowMs;
        }

        private boolean has(long day) {
            return day >= fromDay && day < untilDay;
        }
    }

    /** Of months, or of days. */
    Budget(boolean monthly) {
        this.monthly = monthly;
    }

    /** The period that contains {@code nowMs}, in milliseconds since 1970. */
    Period at(long nowMs) {
        long day = Math.floorDiv(nowMs, DAY_MS);
        Period current = period;
        return current.has(day) ? current : next(day);
    }

    private synchronized Period next(long day) {
        if (!period.has(day)) {
            LocalDate date = LocalDate.ofEpochDay(day);
            LocalDate first = monthly ? date.withDayOfMonth(1) : date;
            LocalDate next = monthly ? first.plusMonths(1) : date.plusDays(1);
            period = new Period(first.toEpochDay(), next.toEpochDay());
        }
        return period;
    }
}
