package io.millrace.bench.stats;

import java.util.Locale;

/** A figure that is measured as a distribution: its name, its unit, its definition, and its names in other tools. */
public enum Metric {
    TTFT(
            Unit.MS,
            "time to first token",
            "from the scheduled start of a stream to the read of its first output frame (text, reasoning, tool call,"
                    + " refusal; no role, no ping)",
            "vLLM ttft and AIPerf time_to_first_token count from the send"),
    TTFT_SENT(
            Unit.MS,
            "… from the send",
            "from the request handed to the socket to the read of the first output frame",
            "vLLM ttft, AIPerf time_to_first_token, LLMPerf ttft_s"),
    FIRST_BYTE(
            Unit.MS,
            "time to first byte",
            "from the scheduled start to the read of the first byte of the body",
            "what many tools take for TTFT"),
    FIRST_FRAME(
            Unit.MS,
            "time to first frame",
            "from the scheduled start to the read that completed the first frame, of any kind",
            "TTFT of tools that count the role chunk"),
    FIRST_REASONING(
            Unit.MS, "time to first reasoning", "from the scheduled start to the first output frame of reasoning", ""),
    FIRST_CONTENT(
            Unit.MS,
            "time to first content",
            "from the scheduled start to the first output frame that is not reasoning",
            "AIPerf time_to_first_output_token"),
    ITL(
            Unit.MS,
            "inter-token latency",
            "each gap between two successive output frames of a stream, by the reads that brought them; frames of one"
                    + " read have a gap of 0",
            "vLLM itl, AIPerf inter_chunk_latency; AIPerf's inter_token_latency is tpot"),
    TPOT(
            Unit.MS,
            "time per output token",
            "(last output - first output) / (output tokens - 1), one figure a stream; tokens as the provider tells"
                    + " them, else one a frame",
            "vLLM tpot, AIPerf inter_token_latency"),
    E2E(
            Unit.MS,
            "end to end",
            "from the scheduled start to the read of the frame that ends the answer",
            "vLLM e2el, AIPerf request_latency"),
    STREAM_RATE(
            Unit.PER_SECOND,
            "tokens/s of a stream",
            "1 / tpot, one figure a stream",
            "AIPerf output_token_throughput_per_user"),
    TOKENS_PER_FRAME(
            Unit.RATIO,
            "tokens per frame",
            "output tokens as the provider tells them / output frames, one figure a stream",
            ""),
    FRAMES_PER_READ(
            Unit.RATIO,
            "frames per read",
            "output frames that one read of the socket brought: more than 1 means that something on the way holds"
                    + " tokens together",
            ""),
    LONGEST_GAP(Unit.MS, "longest gap", "the longest gap between two output frames, one figure a stream", ""),
    TRANSIT(
            Unit.MS,
            "transit of a frame",
            "from the stamp that the mock put into a token to the read that brought it; needs stamp=1, on one machine",
            ""),
    CONNECT(
            Unit.MS,
            "connect",
            "of streams that needed a connection: TCP and TLS, over HTTP/2 until the server's settings; contained in what"
                    + " counts from the scheduled start",
            ""),
    PLACE_WAIT(
            Unit.MS,
            "wait for a place",
            "over HTTP/2: how long a stream waited because all connections of this client had as many streams as the server"
                    + " allows; contained in what counts from the scheduled start",
            ""),
    DISPATCH_LAG(Unit.MS, "dispatch lag", "how late this client got to streams that were due", ""),
    LOOP_LAG(Unit.MS, "event-loop lag", "how late the client's event loops ran what was due every 5 ms", "");

    private final Unit unit;
    private final String title;
    private final String definition;
    private final String elsewhere;

    Metric(Unit unit, String title, String definition, String elsewhere) {
        this.unit = unit;
        this.title = title;
        this.definition = definition;
        this.elsewhere = elsewhere;
    }

    /** The unit of its values. */
    public enum Unit {
        /** Recorded in nanoseconds, printed in milliseconds. */
        MS("ms", 1e6),
        /** Recorded in thousandths. */
        PER_SECOND("/s", 1e3),
        /** Recorded in thousandths. */
        RATIO("", 1e3);

        private final String label;
        private final double scale;

        Unit(String label, double scale) {
            this.label = label;
            this.scale = scale;
        }

        /** The text that follows a number. */
        public String label() {
            return label;
        }

        /** How many recorded units make one printed unit. */
        public double scale() {
            return scale;
        }
    }

    /** Its name in files, such as {@code ttft}. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The unit of its values. */
    public Unit unit() {
        return unit;
    }

    /** Its name for people. */
    public String title() {
        return title;
    }

    /** Its definition. */
    public String definition() {
        return definition;
    }

    /** Its names in other tools; may be empty. */
    public String elsewhere() {
        return elsewhere;
    }
}
