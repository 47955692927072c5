package io.millrace.server.telemetry;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.address.ClientAddress;
import io.millrace.server.config.LogField;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.timing.Sweeper;
import java.math.BigDecimal;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Writes one line per exchange to a logger. Paths have no query, and there is never a body, because these may contain
 * prompts and keys. Of the headers there are only the ids in {@link Correlation}.
 *
 * <p>Confined to its event loop.
 */
public final class AccessLogger {
    private static final int MAX_MESSAGE = 300;
    private static final int STREAM_DIGITS = 8;

    private final LogLines lines;
    private AccessLog.Format format;
    private LogLine line;

    public AccessLogger(Logger logger, Sweeper sweeper, AccessLog settings) {
        lines = new LogLines(logger, sweeper);
        settings(settings);
    }

    /** Changes the form of later lines. If there are to be none, it passes the collected lines on. */
    public void settings(AccessLog settings) {
        format = settings.format();
        if (format == AccessLog.Format.OFF) {
            lines.handOver();
        }
        Set<LogField> wanted =
                settings.fields().isEmpty() ? EnumSet.allOf(LogField.class) : EnumSet.copyOf(settings.fields());
        line = format == AccessLog.Format.JSON
                ? new LogLine.JsonLine(lines.out(), wanted)
                : new LogLine.TextLine(lines.out(), wanted);
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
        if (format == AccessLog.Format.OFF || !lines.begin()) {
            return false;
        }
        line.begin();
        return true;
    }

    private void end() {
        line.end();
        lines.end();
    }

    /** Passes the collected lines on. Later lines are not collected. */
    public void close() {
        lines.close();
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
        line.text(LogField.MODEL, summary.model());
        line.text(
                LogField.SERVED_MODEL,
                Objects.equals(summary.model(), summary.servedModel()) ? null : summary.servedModel());
        line.text(LogField.ROUTE, attempts.route());
        line.text(LogField.UPSTREAM, attempts.last().upstream());
        line.text(LogField.ORIGIN, attempts.last().origin());
        line.text(LogField.UPSTREAM_REQUEST_ID, attempts.last().requestId());
        line.number(LogField.STATUS, response.status());
        line.text(LogField.OUTCOME, response.outcome().label());
        line.text(LogField.ERROR, response.error());
        line.text(LogField.ERROR_MESSAGE, shortMessage(response.errorMessage()));
        line.text(LogField.FINISH, summary.finishReason());
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
        if (summary.stream() != null || summary.usageExact()) {
            line.text(LogField.USAGE, summary.usageExact() ? "exact" : "partial");
        }
        line.tokens(summary.usage());
        if (summary.kept() != null) {
            write(summary.kept());
        }
    }

    private void write(Summary.Request request, @Nullable String path) {
        line.text(LogField.TIME, lines.now());
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
}
