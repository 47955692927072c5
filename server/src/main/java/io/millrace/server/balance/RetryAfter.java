package io.millrace.server.balance;

import io.netty.handler.codec.DateFormatter;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * The instructions of an answer about another try: {@code retry-after-ms}, {@code Retry-After} and
 * {@code x-should-retry}.
 */
public final class RetryAfter {
    /** The answer has no instruction. */
    public static final long NONE = -1;

    private static final String MILLIS = "retry-after-ms";
    private static final String SHOULD_RETRY = "x-should-retry";
    private static final long NS_PER_MS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long NS_PER_S = TimeUnit.SECONDS.toNanos(1);
    private static final long LONGEST_NS = TimeUnit.DAYS.toNanos(7);

    private static final Pattern AMOUNT = Pattern.compile("[0-9]+(\\.[0-9]+)?");

    private RetryAfter() {}

    /**
     * The wait that the answer asks for: {@code retry-after-ms}, which is OpenAI's and more exact, otherwise
     * {@code Retry-After}, as seconds or a date (RFC 9110 section 10.2.3). A value that cannot be read is ignored.
     *
     * @param nowMs the time since the epoch
     * @return nanoseconds, at most seven days, or {@link #NONE}
     */
    public static long parse(HttpHeaders headers, long nowMs) {
        long millis = amount(headers.get(MILLIS), NS_PER_MS);
        if (millis != NONE) {
            return millis;
        }
        String value = headers.get(HttpHeaderNames.RETRY_AFTER);
        long seconds = seconds(value);
        return seconds != NONE || value == null ? seconds : untilDate(value, nowMs);
    }

    /**
     * Whether to try again: the value of {@code x-should-retry}, which is meant for SDKs, otherwise {@code otherwise}.
     */
    public static boolean shouldRetry(HttpHeaders headers, boolean otherwise) {
        String value = headers.get(SHOULD_RETRY);
        if (value == null) {
            return otherwise;
        }
        return switch (value.strip()) {
            case "true" -> true;
            case "false" -> false;
            default -> otherwise;
        };
    }

    /**
     * Converts {@code value}, seconds with digits and perhaps a fraction, to nanoseconds, at most seven days;
     * {@link #NONE} for anything else.
     */
    public static long seconds(String value) {
        return amount(value, NS_PER_S);
    }

    /**
     * Parses an amount. RFC 9110 has only digits, and some servers send a fraction. Java's parser would accept much
     * else, such as {@code 1d}.
     */
    private static long amount(String value, long unitNs) {
        if (value == null || !AMOUNT.matcher(value.strip()).matches()) {
            return NONE;
        }
        return Math.min((long) (Double.parseDouble(value.strip()) * unitNs), LONGEST_NS);
    }

    private static long untilDate(String value, long nowMs) {
        var date = DateFormatter.parseHttpDate(value.strip());
        if (date == null) {
            return NONE;
        }
        long millis = Math.max(0, date.toInstant().toEpochMilli() - nowMs);
        return Math.min(millis, LONGEST_NS / NS_PER_MS) * NS_PER_MS;
    }
}
