package io.millrace.server.mock;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.fasterxml.jackson.databind.JsonNode;
import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The answer of the mock to one request, independent of dialects: its tokens, already escaped for JSON, and its counts.
 * The text begins with the words of the prompt, so that people see that the mock has read it. The same request always
 * gets the same text.
 */
final class Answer {
    /** The call that {@code tool=1} makes. */
    static final ToolCall WEATHER =
            new ToolCall(Tool.function("get_weather"), List.of("{\"", "city", "\":\"", "Paris", "\"}"));

    private static final String ESSAY = """
             A mill race is the narrow channel that leads water to a wheel. It is cut with care: \
            too wide, and the stream grows lazy; too narrow, and it foams and is lost. \
            The miller's art is to hand the water on without keeping it – drop by drop, in order, \
            as soon as it comes. When the wheel stands still, the sluice is lowered and the pond waits; \
            when the wheel turns again, nothing has been spilled. Words can travel like that too. \
            A model thinks of a token, the token runs down the race, and someone at the other end reads it \
            before the next one has been thought of. Nobody praises the channel, and that is how one knows \
            that it was dug well. In the naïve telling the wheel does the work; in truth it is the water \
            (水, eau, agua) that never waits. ✓""";

    private static final int LONGEST_TOKEN = 16;
    private static final List<byte[]> ESSAY_TOKENS = tokens(ESSAY);
    private static final List<byte[]> THOUGHTS =
            tokens(" Let me think about what was asked, step by step, and then say it in plain words.");
    private static final byte[] PADDING =
            " lorem ipsum dolor sit amet".repeat(40).getBytes(StandardCharsets.US_ASCII);
    private static final int PROMPT_CHARS = 80;

    final MockSpec spec;
    final long number;
    final String model;
    final JsonNode request;
    final int tokens;
    final int reasoning;
    final List<ToolCall> calls;
    final boolean cutByLimit;
    final int promptTokens;

    /** The seal of the reasoning in a loop with tools, otherwise null. */
    final @Nullable String seal;

    private final List<byte[]> lead;
    private final int padTo;
    private final int bigFrame;
    private final boolean stamps;
    private final int tokensPerFrame;

    /**
     * @param number the number of the request, used in ids
     * @param model the model of the request, which the answer repeats
     * @param prompt the text of the last user message
     * @param hasToolResult whether a tool has answered already; then the mock does not call it again
     * @param loop the task with the client's tools, or null
     */
    Answer(
            MockSpec spec,
            long number,
            String model,
            JsonNode request,
            String prompt,
            boolean hasToolResult,
            @Nullable ToolLoop loop) {
        this.spec = spec;
        this.number = number;
        this.model = escape(model);
        this.request = request;
        calls = loop != null ? loop.calls() : hasToolResult || !spec.flag(SpecKey.TOOL) ? List.of() : List.of(WEATHER);
        String report = loop != null && hasToolResult && calls.isEmpty() ? loop.words() : null;
        lead = tokens(report != null ? report : hasToolResult ? "The tool has answered." : echo(prompt));
        int drawn = spec.drawnLength(number);
        int whole = drawn >= 0 ? drawn : lead.size() + (report != null ? 0 : ESSAY_TOKENS.size());
        int natural = callsTool() ? 0 : whole;
        int maxTokens = Prompts.maxTokens(request); // used unless the spec gives the number of tokens
        cutByLimit = !spec.has(SpecKey.TOKENS) && natural > maxTokens;
        tokens = spec.count(SpecKey.TOKENS, Math.min(natural, maxTokens));
        reasoning = spec.count(SpecKey.REASONING, 0);
        seal = loop == null || reasoning == 0 ? null : ToolLoop.seal(number);
        promptTokens = 4 + Prompts.length(request) / 4;
        padTo = spec.count(SpecKey.BYTES, 0);
        bigFrame = spec.count(SpecKey.BIG_FRAME, 0);
        stamps = spec.flag(SpecKey.STAMP);
        tokensPerFrame = Math.max(1, spec.count(SpecKey.TOKENS_PER_FRAME, 1));
    }

    /** Whether the model refuses to answer. */
    boolean refuses() {
        return spec.flag(SpecKey.REFUSAL);
    }

    /** Whether the answer ends with calls. */
    boolean callsTool() {
        return !calls.isEmpty();
    }

    /** The number of output tokens of every kind. */
    int completionTokens() {
        return tokens
                + reasoning
                + calls.stream().mapToInt(call -> call.fragments().size()).sum();
    }

    /**
     * The id of a call, which begins with {@code prefix}. Claude Code reads {@code ID_1} as a part of the call
     * {@code ID}.
     */
    String callId(String prefix, int index) {
        return "%s_mock%08d".formatted(prefix, number) + (index == 0 ? "" : (char) ('a' + index));
    }

    /** An upper limit of the length of all text, for all choices together. */
    long textBytes() {
        long choices =
                Math.max(1, Math.max(spec.count(SpecKey.N, 1), request.path("n").asInt(1)));
        long token = (long) Math.max(padTo, LONGEST_TOKEN) + (stamps ? Stamp.MAX_LENGTH : 0);
        long text = tokens * token + (long) reasoning * LONGEST_TOKEN + bigFrame;
        return choices * text;
    }

    /** Appends token {@code index} of the text. Token 0 is as long as {@code big_frame}, if that is given. */
    void writeToken(int index, ByteBuf out) {
        if (stamps) {
            Stamp.write(index, out);
        }
        byte[] token =
                index < lead.size() ? lead.get(index) : ESSAY_TOKENS.get((index - lead.size()) % ESSAY_TOKENS.size());
        out.writeBytes(token);
        int size = index == 0 ? Math.max(padTo, bigFrame) : padTo;
        for (int missing = size - token.length; missing > 0; missing -= PADDING.length) {
            out.writeBytes(PADDING, 0, Math.min(missing, PADDING.length));
        }
    }

    /** How many frames the text has. */
    int textFrames() {
        return (int) (((long) tokens + tokensPerFrame - 1) / tokensPerFrame);
    }

    /** Appends the tokens of frame {@code index} of the text. */
    void writeTextFrame(int index, ByteBuf out) {
        long first = (long) index * tokensPerFrame;
        long end = Math.min(tokens, first + tokensPerFrame);
        for (int token = (int) first; token < end; token++) {
            writeToken(token, out);
        }
    }

    /** Appends token {@code index} of the reasoning. */
    void writeThought(int index, ByteBuf out) {
        out.writeBytes(THOUGHTS.get(index % THOUGHTS.size()));
    }

    /** The whole text, escaped. */
    String text(ByteBuf scratch) {
        return join(tokens, scratch, this::writeToken);
    }

    /** The whole reasoning, escaped. */
    String thoughts(ByteBuf scratch) {
        return join(reasoning, scratch, this::writeThought);
    }

    /** The whole reasoning of an answer with that many tokens of reasoning. */
    static String thoughts(int count) {
        var text = new StringBuilder();
        for (int i = 0; i < count; i++) {
            text.append(new String(THOUGHTS.get(i % THOUGHTS.size()), StandardCharsets.UTF_8));
        }
        return text.toString();
    }

    /** The current time in seconds since 1970. */
    static long nowSeconds() {
        return System.currentTimeMillis() / 1000;
    }

    static String escape(String text) {
        return new String(JsonStringEncoder.getInstance().quoteAsString(text));
    }

    private static String join(int count, ByteBuf scratch, Script.FrameWriter writer) {
        int start = scratch.writerIndex();
        for (int i = 0; i < count; i++) {
            writer.write(i, scratch);
        }
        String text = scratch.toString(start, scratch.writerIndex() - start, StandardCharsets.UTF_8);
        scratch.writerIndex(start);
        return text;
    }

    private static String echo(String prompt) {
        if (prompt.isBlank()) {
            return "You said nothing.";
        }
        String line = String.join(" ", prompt.strip().split("\\s+", -1));
        int end = Math.min(line.codePointCount(0, line.length()), PROMPT_CHARS);
        String start = line.substring(0, line.offsetByCodePoints(0, end));
        return "You said: " + (start.equals(line) ? start.replaceAll("[.!?]+$", "") + "." : start + "…");
    }

    /** Splits before each space, and long words into two, similar to tokenizers. */
    private static List<byte[]> tokens(String text) {
        var tokens = new ArrayList<byte[]>();
        for (String word : text.split("(?= )|(?=[.,;:()])", -1)) {
            int half = word.offsetByCodePoints(0, word.codePointCount(0, word.length()) / 2);
            if (word.length() > 8) {
                tokens.add(escape(word.substring(0, half)).getBytes(StandardCharsets.UTF_8));
                word = word.substring(half);
            }
            tokens.add(escape(word).getBytes(StandardCharsets.UTF_8));
        }
        return List.copyOf(tokens);
    }
}
