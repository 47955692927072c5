package io.millrace.server.limit;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.limit.Gcra.Rate;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.util.AsciiString;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/** The fields in which each dialect's provider reports limits, with the values of the client's own limits. */
final class RateHeaders {
    private static final AsciiString OPENAI_PREFIX = AsciiString.cached("x-ratelimit-");
    private static final AsciiString ANTHROPIC_PREFIX = AsciiString.cached("anthropic-ratelimit-");
    private static final Names OPENAI_REQUESTS = Names.openAi("requests");
    private static final Names OPENAI_TOKENS = Names.openAi("tokens");
    private static final Names ANTHROPIC_REQUESTS = Names.anthropic("requests");
    private static final Names ANTHROPIC_TOKENS = Names.anthropic("tokens");
    private static final int SMALL = 1024;
    /** Every answer has some of these fields. */
    private static final String[] NUMBERS = texts(i -> Long.toString(i));

    private static final String[] MILLIS = texts(i -> i + "ms");

    /** The three fields of one limit. */
    private record Names(AsciiString limit, AsciiString remaining, AsciiString reset) {
        static Names openAi(String what) {
            return new Names(
                    AsciiString.cached("x-ratelimit-limit-" + what),
                    AsciiString.cached("x-ratelimit-remaining-" + what),
                    AsciiString.cached("x-ratelimit-reset-" + what));
        }

        static Names anthropic(String what) {
            return new Names(
                    AsciiString.cached("anthropic-ratelimit-" + what + "-limit"),
                    AsciiString.cached("anthropic-ratelimit-" + what + "-remaining"),
                    AsciiString.cached("anthropic-ratelimit-" + what + "-reset"));
        }
    }

    private RateHeaders() {}

    /** Replaces an upstream's fields about limits by those of the client. Gemini's answers have none. */
    static void set(HttpHeaders headers, Dialect dialect, ClientUse use, long nowNs) {
        removeOfProvider(headers);
        if (dialect == Dialect.GEMINI) {
            return;
        }
        boolean anthropic = dialect == Dialect.MESSAGES;
        var rates = use.rates();
        Rate requests = rates.toldOfRequests();
        if (requests != null) {
            set(
                    headers,
                    anthropic ? ANTHROPIC_REQUESTS : OPENAI_REQUESTS,
                    anthropic,
                    requests,
                    use.toldOfRequests(),
                    nowNs);
        }
        if (rates.tokens() != null) {
            set(headers, anthropic ? ANTHROPIC_TOKENS : OPENAI_TOKENS, anthropic, rates.tokens(), use.tokens(), nowNs);
        }
    }

    private static void set(HttpHeaders headers, Names names, boolean date, Rate rate, Gcra bucket, long nowNs) {
        headers.set(names.limit(), number(rate.units()));
        headers.set(names.remaining(), number(bucket.remaining(rate, nowNs)));
        long untilFullNs = bucket.untilFullNs(nowNs);
        headers.set(names.reset(), date ? date(untilFullNs) : duration(untilFullNs));
    }

    private static void removeOfProvider(HttpHeaders headers) {
        List<String> found = null;
        Iterator<Map.Entry<CharSequence, CharSequence>> fields = headers.iteratorCharSequence();
        while (fields.hasNext()) {
            CharSequence name = fields.next().getKey();
            if (begins(name, OPENAI_PREFIX) || begins(name, ANTHROPIC_PREFIX)) {
                found = found == null ? new ArrayList<>() : found;
                found.add(name.toString());
            }
        }
        if (found != null) {
            found.forEach(headers::remove);
        }
    }

    private static boolean begins(CharSequence name, AsciiString prefix) {
        return AsciiString.regionMatches(name, true, 0, prefix, 0, prefix.length());
    }

    private static String number(long number) {
        return number < SMALL ? NUMBERS[(int) number] : Long.toString(number);
    }

    /** Such as {@code 12ms}, {@code 1s}, {@code 6m0s}, as OpenAI writes it. */
    static String duration(long ns) {
        long ms = (ns + 999_999) / 1_000_000;
        if (ms < 1000) {
            return MILLIS[(int) ms];
        }
        long seconds = (ms + 999) / 1000;
        return seconds < 60 ? seconds + "s" : seconds / 60 + "m" + seconds % 60 + "s";
    }

    /** RFC 3339, to the second, rounded up. */
    private static String date(long ns) {
        long atMs = System.currentTimeMillis() + TimeUnit.NANOSECONDS.toMillis(ns) + 999;
        return Instant.ofEpochSecond(atMs / 1000).toString();
    }

    private static String[] texts(LongFunction<@Nullable String> text) {
        var texts = new String[SMALL];
        for (int i = 0; i < SMALL; i++) {
            texts[i] = text.apply(i);
        }
        return texts;
    }
}
