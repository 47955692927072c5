package io.millrace.server.relay;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import io.millrace.server.config.AccessLog;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes one line per exchange to the logger {@code millrace.access}. Paths without their query, never a header, never a
 * body: prompts and keys live there.
 */
final class AccessLogger {
    private static final Logger LOG = LoggerFactory.getLogger("millrace.access");

    private final AccessLog.Format format;

    AccessLogger(AccessLog.Format format) {
        this.format = format;
    }

    void log(Exchange exchange, Outcome outcome) {
        if (format == AccessLog.Format.OFF || !LOG.isInfoEnabled()) {
            return;
        }
        Line line = format == AccessLog.Format.JSON ? new JsonLine() : new TextLine();
        write(exchange, outcome, line);
        LOG.info(line.end());
    }

    private static void write(Exchange exchange, Outcome outcome, Line line) {
        Timeline time = exchange.timeline();
        line.text("time", Instant.now().toString());
        line.text("id", exchange.requestId());
        line.text("method", exchange.request().method().name());
        line.text("path", exchange.path());
        line.text("dialect", exchange.dialect().name().toLowerCase(java.util.Locale.ROOT));
        line.text("model", exchange.model());
        line.text("upstream", exchange.upstreamName());
        line.number("status", exchange.status());
        line.text("outcome", outcome.label());
        line.text("finish", exchange.finishReason());
        line.number("attempts", exchange.attempts());
        line.ms("ttft_ms", Timeline.ms(time.requestCompleteNs, time.firstOutputWrittenNs));
        line.ms("upstream_ttft_ms", Timeline.ms(time.requestCompleteNs, time.firstOutputNs));
        line.ms("connect_ms", Timeline.ms(time.attemptNs, time.connectedNs));
        line.ms("head_ms", Timeline.ms(time.requestCompleteNs, time.headNs));
        line.ms("first_frame_ms", Timeline.ms(time.requestCompleteNs, time.firstFrameNs));
        line.ms("longest_gap_ms", time.longestGapNs == 0 ? -1 : Timeline.ms(1, 1 + time.longestGapNs));
        line.ms("duration_ms", Timeline.ms(time.startNs, time.endNs));
        line.number("frames", exchange.frames());
        line.number("output_frames", exchange.outputFrames());
        line.number("request_bytes", exchange.requestBytes());
        line.number("response_bytes", exchange.responseBytes());
        var usage = exchange.usage();
        line.known("input_tokens", usage.inputTokens());
        line.known("output_tokens", usage.outputTokens());
        line.known("cached_tokens", usage.cachedTokens());
        line.known("reasoning_tokens", usage.reasoningTokens());
    }

    /** One line in the making. Values that are not known are left out. */
    private abstract static class Line {
        final StringBuilder out = new StringBuilder(512);

        abstract void text(String name, String value);

        abstract void number(String name, long value);

        abstract void ms(String name, double value);

        void known(String name, long value) {
            if (value >= 0) {
                number(name, value);
            }
        }

        String end() {
            return out.toString();
        }
    }

    private static final class JsonLine extends Line {
        private static final JsonStringEncoder ENCODER = JsonStringEncoder.getInstance();

        JsonLine() {
            out.append('{');
        }

        @Override
        void text(String name, String value) {
            if (value != null) {
                name(name).append('"');
                ENCODER.quoteAsString(value, out);
                out.append('"');
            }
        }

        @Override
        void number(String name, long value) {
            name(name).append(value);
        }

        @Override
        void ms(String name, double value) {
            if (value >= 0) {
                name(name).append(value);
            }
        }

        @Override
        String end() {
            return out.append('}').toString();
        }

        private StringBuilder name(String name) {
            if (out.length() > 1) {
                out.append(',');
            }
            return out.append('"').append(name).append("\":");
        }
    }

    private static final class TextLine extends Line {
        @Override
        void text(String name, String value) {
            if (value != null) {
                name(name);
                for (int i = 0; i < value.length(); i++) {
                    char c = value.charAt(i);
                    out.append(c <= ' ' || c == 0x7f ? '_' : c);
                }
            }
        }

        @Override
        void number(String name, long value) {
            name(name).append(value);
        }

        @Override
        void ms(String name, double value) {
            if (value >= 0) {
                name(name).append(value);
            }
        }

        private StringBuilder name(String name) {
            if (out.length() > 0) {
                out.append(' ');
            }
            return out.append(name).append('=');
        }
    }
}
