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

    private volatile AccessLog.Format format;

    AccessLogger(AccessLog.Format format) {
        this.format = format;
    }

    /** Takes another format, from any thread. */
    void format(AccessLog.Format format) {
        this.format = format;
    }

    void log(Summary summary) {
        if (format == AccessLog.Format.OFF || !LOG.isInfoEnabled()) {
            return;
        }
        Line line = format == AccessLog.Format.JSON ? new JsonLine() : new TextLine();
        write(summary, line);
        LOG.info(line.end());
    }

    private static void write(Summary summary, Line line) {
        Timeline time = summary.timeline();
        line.text("time", Instant.now().toString());
        line.text("id", summary.requestId());
        line.text("method", summary.method());
        line.text("path", summary.path());
        line.text("dialect", summary.dialect().name().toLowerCase(java.util.Locale.ROOT));
        line.text("model", summary.model());
        line.text("upstream", summary.upstream());
        line.number("status", summary.status());
        line.text("outcome", summary.outcome().label());
        line.text("error", summary.error());
        line.text("finish", summary.finishReason());
        line.number("attempts", summary.attempts());
        line.ms("ttft_ms", Timeline.ms(time.requestCompleteNs, time.firstOutputWrittenNs));
        line.ms("upstream_ttft_ms", Timeline.ms(time.requestCompleteNs, time.firstOutputNs));
        line.ms("connect_ms", Timeline.ms(time.attemptNs, time.connectedNs));
        line.ms("head_ms", Timeline.ms(time.requestCompleteNs, time.headNs));
        line.ms("first_frame_ms", Timeline.ms(time.requestCompleteNs, time.firstFrameNs));
        line.ms("longest_gap_ms", time.longestGapNs == 0 ? -1 : Timeline.ms(1, 1 + time.longestGapNs));
        line.ms("duration_ms", Timeline.ms(time.startNs, time.endNs));
        line.number("frames", summary.frames());
        line.number("output_frames", summary.outputFrames());
        line.number("request_bytes", summary.requestBytes());
        line.number("response_bytes", summary.responseBytes());
        var usage = summary.usage();
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
