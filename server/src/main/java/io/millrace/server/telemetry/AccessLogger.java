package io.millrace.server.telemetry;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.Usage;
import io.millrace.server.address.ClientAddress;
import io.millrace.server.config.LogField;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Sweeper.Sweepable;
import io.netty.channel.EventLoop;
import java.math.BigDecimal;
import java.time.Instant;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Writes one line per exchange to a logger. Paths have no query, and there is never a body, because these may contain
 * prompts and keys. Of the headers there are only the ids in {@link Correlation}.
 *
 * <p>The lines of one event loop are collected until its next sweep and passed on as one message, with line feeds
 * between them. A message for each line would wake the writing thread, and make a system call, for each exchange.
 * Confined to its event loop.
 */
public final class AccessLogger implements Sweepable {
    private static final int MAX_MESSAGE = 300;
    private static final int HAND_OVER_AT = 32 * 1024;
    private static final int STREAM_DIGITS = 8;

    private final Logger logger;
    private final EventLoop loop;
    private final Sweeper sweeper;
    private final StringBuilder lines = new StringBuilder();
    private Sweeper.@Nullable Registration sweep;
    private AccessLog.Format format;
    private Line line;
    private long second = -1;
    private String secondText = "";

    public AccessLogger(Logger logger, EventLoop loop, Sweeper sweeper, AccessLog settings) {
        this.logger = logger;
        this.loop = loop;
        this.sweeper = sweeper;
        settings(settings);
    }

    /** Changes the form of later lines. */
    public void settings(AccessLog settings) {
        format = settings.format();
        Set<LogField> wanted =
                settings.fields().isEmpty() ? EnumSet.allOf(LogField.class) : EnumSet.copyOf(settings.fields());
        line = format == AccessLog.Format.JSON ? new JsonLine(lines, wanted) : new TextLine(lines, wanted);
    }

    public void log(Summary summary) {
        if (begin()) {
            write(summary);
            end();
        }
    }

    /** Logs a request that was answered by the stream of another request. */
    public void log(FollowSummary follow) {
        if (begin()) {
            write(follow);
            end();
        }
    }

    private boolean begin() {
        if (format == AccessLog.Format.OFF || !logger.isInfoEnabled()) {
            return false;
        }
        if (!lines.isEmpty()) {
            lines.append('\n');
        }
        line.begin();
        return true;
    }

    private void end() {
        line.end();
        if (lines.length() >= HAND_OVER_AT || loop.isShuttingDown()) {
            handOver();
        } else if (sweep == null) {
            sweep = sweeper.add(this);
        }
    }

    /** Passes the collected lines on. */
    public void handOver() {
        if (sweep != null) {
            sweep.cancel();
            sweep = null;
        }
        if (!lines.isEmpty()) {
            String text = lines.toString();
            lines.setLength(0);
            logger.info(text);
        }
    }

    @Override
    public void onSweep(long nowNs) {
        handOver();
    }

    private void write(Summary summary) {
        Summary.Request request = summary.request();
        Summary.Attempts attempts = summary.attempts();
        Summary.Response response = summary.response();
        Summary.Stream stream = summary.stream() == null ? Summary.Stream.EMPTY : summary.stream();
        write(request, request.path());
        line.text(LogField.DIALECT, request.dialect());
        line.text(LogField.TRANSLATED_TO, name(attempts.last().translatedTo()));
        line.text(LogField.DROPPED, attempts.last().dropped());
        line.text(LogField.MODEL, request.model());
        line.text(LogField.ROUTE, attempts.route());
        line.text(LogField.UPSTREAM, attempts.last().upstream());
        line.text(LogField.ORIGIN, attempts.last().origin());
        line.text(LogField.UPSTREAM_REQUEST_ID, attempts.last().requestId());
        line.number(LogField.STATUS, response.status());
        line.text(LogField.OUTCOME, response.outcome().label());
        line.text(LogField.ERROR, response.error());
        line.text(LogField.ERROR_MESSAGE, shortMessage(response.errorMessage()));
        line.text(LogField.FINISH, stream.finishReason());
        line.text(LogField.TERMINAL, response.terminalMissing() ? "missing" : null);
        line.number(LogField.ATTEMPTS, attempts.begun());
        line.text(LogField.FAILURES, failures(attempts.failures()));
        line.text(
                LogField.FAILED_ATTEMPTS,
                failedAttempts(attempts.failures(), summary.timeline().askedNs()));
        write(summary.timeline());
        line.number(LogField.FRAMES, stream.frames());
        line.number(LogField.OUTPUT_FRAMES, stream.outputFrames());
        line.number(LogField.REQUEST_BYTES, request.bytes());
        line.number(LogField.RESPONSE_BYTES, response.bytes());
        if (summary.stream() != null) {
            line.text(LogField.USAGE, stream.usageExact() ? "exact" : "partial");
        }
        write(summary.usage());
        if (summary.kept() != null) {
            write(summary.kept());
        }
    }

    private void write(Summary.Request request, @Nullable String path) {
        line.text(LogField.TIME, now());
        line.text(LogField.ID, request.id());
        line.text(LogField.CLIENT_IP, ClientAddress.text(request.client()));
        line.text(LogField.CLIENT, request.caller());
        line.text(LogField.CLIENT_KEY, request.callerKey());
        line.text(LogField.PROTOCOL, request.protocol().label());
        line.text(LogField.TLS, request.tls());
        line.text(LogField.METHOD, request.method());
        line.text(LogField.PATH, path);
        line.text(LogField.CLIENT_REQUEST_ID, request.correlation().requestId());
        line.text(LogField.TRACE_ID, request.correlation().traceId());
    }

    private void write(Summary.Kept kept) {
        line.text(LogField.STREAM, shortened(kept.stream()));
        line.number(LogField.READERS, kept.readers());
        line.ms(LogField.CLIENT_LEFT_MS, kept.beganNs(), kept.leftNs());
        line.ms(LogField.UNREAD_MS, kept.leftNs(), kept.leftNs() + kept.unreadNs());
    }

    private void write(FollowSummary follow) {
        write(follow.request(), follow.path());
        if (follow.status() != 0) {
            line.number(LogField.STATUS, follow.status());
        }
        line.text(LogField.OUTCOME, follow.outcome().label());
        line.text(LogField.ERROR, follow.error());
        if (follow.stream() != null) {
            line.text(LogField.STREAM, shortened(follow.stream()));
            line.number(LogField.FROM, follow.from());
            line.number(LogField.TO, follow.to());
        }
        Timeline time = follow.timeline();
        line.ms(LogField.DURATION_MS, time.startNs, time.endNs);
    }

    /** The first of a stream's random digits. Who knows all of them may read the stream if it has no key. */
    private static String shortened(String stream) {
        int random = stream.lastIndexOf('-') + 1;
        return stream.substring(random, Math.min(stream.length(), random + STREAM_DIGITS));
    }

    /** Upstreams and reasons, such as {@code main:503,main:reset}; null if nothing failed. */
    private static @Nullable String failures(List<Summary.Failed> failures) {
        return failures.isEmpty()
                ? null
                : failures.stream()
                        .map(failed -> failed.upstream() + ':' + failed.reason())
                        .collect(Collectors.joining(","));
    }

    /**
     * Where and when attempts failed, such as {@code main:503:https://a:443@0.120+250.300}: upstream, reason, origin,
     * milliseconds from the end of the request to the begin of the attempt, and its length. Null if none failed.
     */
    private static @Nullable String failedAttempts(List<Summary.Failed> failures, long askedNs) {
        return failures.isEmpty()
                ? null
                : failures.stream()
                        .map(failed -> failed.upstream()
                                + ':'
                                + failed.reason()
                                + ':'
                                + failed.origin()
                                + '@'
                                + ms(failed.startNs() - askedNs)
                                + '+'
                                + ms(failed.endNs() - failed.startNs()))
                        .collect(Collectors.joining(","));
    }

    private static String ms(long ns) {
        return BigDecimal.valueOf(Math.max(0, TimeUnit.NANOSECONDS.toMicros(ns)), 3)
                .toPlainString();
    }

    private static @Nullable String shortMessage(@Nullable String message) {
        return message == null || message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE);
    }

    private static @Nullable String name(@Nullable Dialect dialect) {
        return dialect == null ? null : dialect.label();
    }

    private void write(Timeline time) {
        line.ms(LogField.TTFT_MS, time.requestCompleteNs, time.firstOutputWrittenNs);
        line.ms(LogField.UPSTREAM_TTFT_MS, time.requestCompleteNs, time.firstOutputNs);
        line.ms(LogField.CONNECT_MS, time.attemptNs, time.connectedNs);
        line.ms(LogField.HEAD_MS, time.requestCompleteNs, time.headNs);
        line.ms(LogField.FIRST_FRAME_MS, time.requestCompleteNs, time.firstFrameNs);
        if (time.longestGapNs != 0) {
            line.ms(LogField.LONGEST_GAP_MS, time.startNs, time.startNs + time.longestGapNs);
        }
        line.ms(LogField.DURATION_MS, time.startNs, time.endNs);
    }

    private void write(Usage usage) {
        line.known(LogField.INPUT_TOKENS, usage.inputTokens());
        line.known(LogField.OUTPUT_TOKENS, usage.outputTokens());
        line.known(LogField.CACHED_TOKENS, usage.cachedTokens());
        line.known(LogField.CACHE_WRITE_TOKENS, usage.cacheWriteTokens());
        line.known(LogField.REASONING_TOKENS, usage.reasoningTokens());
    }

    /** The time of day in ISO 8601 with milliseconds, such as {@code 2026-03-01T09:30:00.250Z}. */
    private String now() {
        long nowMs = System.currentTimeMillis();
        long nowSecond = nowMs / 1000;
        if (nowSecond != second) {
            second = nowSecond;
            String text = Instant.ofEpochSecond(nowSecond).toString();
            secondText = text.substring(0, text.length() - 1);
        }
        long ms = nowMs % 1000;
        return secondText + '.' + (char) ('0' + ms / 100) + (char) ('0' + ms / 10 % 10) + (char) ('0' + ms % 10) + 'Z';
    }

    /** A line that is being built. Unknown values are left out. */
    private abstract static class Line {
        final StringBuilder out;
        private final Set<LogField> wanted;
        boolean empty;

        Line(StringBuilder out, Set<LogField> wanted) {
            this.out = out;
            this.wanted = wanted;
        }

        /** Appends the name of a value, with its separators. */
        abstract void name(String name, boolean first);

        /** Appends a text value. */
        abstract void value(String text);

        void begin() {
            empty = true;
        }

        void end() {}

        final void text(LogField field, @Nullable String value) {
            if (value != null && next(field)) {
                value(value);
            }
        }

        final void number(LogField field, long value) {
            if (next(field)) {
                out.append(value);
            }
        }

        final void known(LogField field, long value) {
            if (value >= 0) {
                number(field, value);
            }
        }

        /** Milliseconds between two moments, with microseconds; left out if either was not reached. */
        final void ms(LogField field, long fromNs, long toNs) {
            if (fromNs == 0 || toNs == 0 || !next(field)) {
                return;
            }
            long us = Math.max(0, (toNs - fromNs + 500) / 1000);
            out.append(us / 1000).append('.');
            out.append((char) ('0' + us / 100 % 10)).append((char) ('0' + us / 10 % 10));
            out.append((char) ('0' + us % 10));
        }

        /** Begins a field. Returns false if the line is to have no such field. */
        private boolean next(LogField field) {
            if (!wanted.contains(field)) {
                return false;
            }
            name(field.label(), empty);
            empty = false;
            return true;
        }
    }

    private static final class JsonLine extends Line {
        private static final JsonStringEncoder ENCODER = JsonStringEncoder.getInstance();

        JsonLine(StringBuilder out, Set<LogField> wanted) {
            super(out, wanted);
        }

        @Override
        void name(String name, boolean first) {
            out.append(first ? "{\"" : ",\"").append(name).append("\":");
        }

        @Override
        void value(String text) {
            out.append('"');
            ENCODER.quoteAsString(text, out);
            out.append('"');
        }

        @Override
        void end() {
            out.append(empty ? "{}" : "}");
        }
    }

    private static final class TextLine extends Line {
        TextLine(StringBuilder out, Set<LogField> wanted) {
            super(out, wanted);
        }

        @Override
        void name(String name, boolean first) {
            if (!first) {
                out.append(' ');
            }
            out.append(name).append('=');
        }

        @Override
        void value(String text) {
            for (int i = 0; i < text.length(); i++) {
                char c = text.charAt(i);
                out.append(c <= ' ' || c == 0x7f ? '_' : c);
            }
        }
    }
}
