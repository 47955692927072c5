package io.millrace.server.telemetry;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.Usage;
import io.millrace.server.address.ClientAddress;
import io.millrace.server.config.RelayConfig.AccessLog;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Sweeper.Sweepable;
import io.netty.channel.EventLoop;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Writes one line per exchange to a logger. Paths have no query, and there is never a header or a body, because these
 * may contain prompts and keys.
 *
 * <p>The lines of one event loop are collected until its next sweep and passed on as one message, with line feeds
 * between them. A message for each line would wake the writing thread, and make a system call, for each exchange.
 * Confined to its event loop.
 */
public final class AccessLogger implements Sweepable {
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

    public AccessLogger(Logger logger, EventLoop loop, Sweeper sweeper, AccessLog.Format format) {
        this.logger = logger;
        this.loop = loop;
        this.sweeper = sweeper;
        format(format);
    }

    /** Changes the format of later lines. */
    public void format(AccessLog.Format format) {
        this.format = format;
        line = format == AccessLog.Format.JSON ? new JsonLine(lines) : new TextLine(lines);
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
        line.text("dialect", request.dialect());
        line.text("translated_to", name(attempts.last().translatedTo()));
        line.text("dropped", attempts.last().dropped());
        line.text("model", request.model());
        line.text("upstream", attempts.last().upstream());
        line.number("status", response.status());
        line.text("outcome", response.outcome().label());
        line.text("error", response.error());
        line.text("finish", stream.finishReason());
        line.text("terminal", response.terminalMissing() ? "missing" : null);
        line.number("attempts", attempts.begun());
        line.text("failures", failures(attempts.failures()));
        write(summary.timeline());
        line.number("frames", stream.frames());
        line.number("output_frames", stream.outputFrames());
        line.number("request_bytes", request.bytes());
        line.number("response_bytes", response.bytes());
        if (summary.stream() != null) {
            line.text("usage", stream.usageExact() ? "exact" : "partial");
        }
        write(summary.usage());
        if (summary.kept() != null) {
            write(summary.kept());
        }
    }

    private void write(Summary.Request request, @Nullable String path) {
        line.text("time", now());
        line.text("id", request.id());
        line.text("client_ip", ClientAddress.text(request.client()));
        line.text("client", request.caller());
        line.text("client_key", request.callerKey());
        line.text("protocol", request.protocol().label());
        line.text("tls", request.tls());
        line.text("method", request.method());
        line.text("path", path);
    }

    private void write(Summary.Kept kept) {
        line.text("stream", shortened(kept.stream()));
        line.number("readers", kept.readers());
        line.ms("client_left_ms", kept.beganNs(), kept.leftNs());
        line.ms("unread_ms", kept.leftNs(), kept.leftNs() + kept.unreadNs());
    }

    private void write(FollowSummary follow) {
        write(follow.request(), follow.path());
        if (follow.status() != 0) {
            line.number("status", follow.status());
        }
        line.text("outcome", follow.outcome().label());
        line.text("error", follow.error());
        if (follow.stream() != null) {
            line.text("stream", shortened(follow.stream()));
            line.number("from", follow.from());
            line.number("to", follow.to());
        }
        Timeline time = follow.timeline();
        line.ms("duration_ms", time.startNs, time.endNs);
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

    private static @Nullable String name(@Nullable Dialect dialect) {
        return dialect == null ? null : dialect.label();
    }

    private void write(Timeline time) {
        line.ms("ttft_ms", time.requestCompleteNs, time.firstOutputWrittenNs);
        line.ms("upstream_ttft_ms", time.requestCompleteNs, time.firstOutputNs);
        line.ms("connect_ms", time.attemptNs, time.connectedNs);
        line.ms("head_ms", time.requestCompleteNs, time.headNs);
        line.ms("first_frame_ms", time.requestCompleteNs, time.firstFrameNs);
        if (time.longestGapNs != 0) {
            line.ms("longest_gap_ms", time.startNs, time.startNs + time.longestGapNs);
        }
        line.ms("duration_ms", time.startNs, time.endNs);
    }

    private void write(Usage usage) {
        line.known("input_tokens", usage.inputTokens());
        line.known("output_tokens", usage.outputTokens());
        line.known("cached_tokens", usage.cachedTokens());
        line.known("cache_write_tokens", usage.cacheWriteTokens());
        line.known("reasoning_tokens", usage.reasoningTokens());
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
        private boolean empty;

        Line(StringBuilder out) {
            this.out = out;
        }

        /** Appends the name of a value, with its separators. */
        abstract void name(String name, boolean first);

        /** Appends a text value. */
        abstract void value(String text);

        void begin() {
            empty = true;
        }

        void end() {}

        final void text(String name, @Nullable String value) {
            if (value != null) {
                next(name);
                value(value);
            }
        }

        final void number(String name, long value) {
            next(name);
            out.append(value);
        }

        final void known(String name, long value) {
            if (value >= 0) {
                number(name, value);
            }
        }

        /** Milliseconds between two moments, with microseconds; left out if either was not reached. */
        final void ms(String name, long fromNs, long toNs) {
            if (fromNs == 0 || toNs == 0) {
                return;
            }
            long us = Math.max(0, (toNs - fromNs + 500) / 1000);
            next(name);
            out.append(us / 1000).append('.');
            out.append((char) ('0' + us / 100 % 10)).append((char) ('0' + us / 10 % 10));
            out.append((char) ('0' + us % 10));
        }

        private void next(String name) {
            name(name, empty);
            empty = false;
        }
    }

    private static final class JsonLine extends Line {
        private static final JsonStringEncoder ENCODER = JsonStringEncoder.getInstance();

        JsonLine(StringBuilder out) {
            super(out);
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
            out.append('}');
        }
    }

    private static final class TextLine extends Line {
        TextLine(StringBuilder out) {
            super(out);
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
