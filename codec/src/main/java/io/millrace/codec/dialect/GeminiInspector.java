package io.millrace.codec.dialect;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Reads Gemini's streamed responses. Each frame is a whole response with only the new part of the answer. */
final class GeminiInspector extends StreamInspector {
    private static final byte[] CANDIDATES = ascii("candidates");
    private static final byte[] USAGE_METADATA = ascii("usageMetadata");
    private static final byte[] PROMPT_FEEDBACK = ascii("promptFeedback");
    private static final byte[] BLOCK_REASON = ascii("blockReason");
    private static final byte[] MODEL_VERSION = ascii("modelVersion");
    private static final byte[] RESPONSE_ID = ascii("responseId");
    private static final byte[] ERROR = ascii("error");
    private static final byte[] INDEX = ascii("index");
    private static final byte[] CONTENT = ascii("content");
    private static final byte[] PARTS = ascii("parts");
    private static final byte[] TEXT = ascii("text");
    private static final byte[] THOUGHT = ascii("thought");
    private static final byte[] THOUGHT_SIGNATURE = ascii("thoughtSignature");
    private static final byte[] FINISH_REASON = ascii("finishReason");
    private static final byte[] QUOTED_USAGE_METADATA = ascii("\"usageMetadata\"");
    private static final byte[] QUOTED_FINISH_REASON = ascii("\"finishReason\"");
    static final UsageKeys USAGE_KEYS = new UsageKeys()
            .number("promptTokenCount", FrameShape.INPUT_TOKENS)
            .number("candidatesTokenCount", FrameShape.OUTPUT_TOKENS)
            .number("thoughtsTokenCount", FrameShape.REASONING_TOKENS)
            .number("cachedContentTokenCount", FrameShape.CACHED_TOKENS);

    private final ChoiceTracker candidates = new ChoiceTracker();

    private boolean output;
    private boolean blocked;
    private boolean hasCandidate;
    private long candidateIndex;
    private boolean everBlocked;

    GeminiInspector() {
        super(Dialect.GEMINI);
    }

    @Override
    void beginFrame() {
        output = false;
        blocked = false;
        hasCandidate = false;
        candidateIndex = 0;
    }

    @Override
    long mark() {
        return candidateIndex;
    }

    @Override
    void repeat(long mark) {
        candidates.add(mark, false, true);
    }

    @Override
    void scan(JsonCursor json) {
        while (json.nextKey()) {
            if (json.tokenIs(CANDIDATES)) {
                scanCandidates(json);
            } else if (json.tokenIs(USAGE_METADATA)) {
                USAGE_KEYS.read(json, numbers);
            } else if (json.tokenIs(MODEL_VERSION)) {
                head.takeModel(json);
            } else if (json.tokenIs(RESPONSE_ID)) {
                head.takeId(json);
            } else if (json.tokenIs(PROMPT_FEEDBACK)) {
                scanFeedback(json);
            } else if (json.tokenIs(ERROR)) {
                takeError(json);
            } else {
                passOver(json);
            }
        }
    }

    @Override
    boolean saysNothing() {
        return !hasCandidate && !blocked;
    }

    @Override
    void scanTail(JsonCursor tail) {
        if (LastBytes.findLastObject(tail, QUOTED_USAGE_METADATA)) {
            USAGE_KEYS.read(tail, numbers);
        }
        if (LastBytes.findLastValue(tail, QUOTED_FINISH_REASON)) {
            candidates.add(candidateIndex, takeFinish(tail, candidateIndex == 0), output);
        }
    }

    @Override
    public int choicesSeen() {
        return candidates.count();
    }

    @Override
    void writeStop(StopWriter out, StreamStop stop) {
        if (end() == StreamEnd.FINISHED) {
            return;
        }
        ObjectNode response = StopWriter.object();
        ArrayNode list = response.putArray("candidates");
        for (int index = 0; index < ChoiceTracker.limit(); index++) {
            boolean asked = index == 0 || candidates.isSeen(index);
            if (asked && !candidates.isFinished(index)) {
                ObjectNode candidate = list.addObject();
                ObjectNode content = candidate.putObject("content");
                content.putArray("parts").addObject().put("text", "");
                content.put("role", "model");
                candidate.put("finishReason", "OTHER").put("index", index);
            }
        }
        putUsage(response);
        response.put("modelVersion", model() == null ? stop.model() : model());
        response.put("responseId", head.id() == null ? stop.id() : head.id());
        out.crlfData(response);
    }

    private void putUsage(ObjectNode response) {
        Usage usage = usage();
        if (usage.equals(Usage.NONE)) {
            return;
        }
        ObjectNode json = response.putObject("usageMetadata");
        putCount(json, "promptTokenCount", usage.inputTokens());
        putCount(json, "candidatesTokenCount", usage.outputTokens());
        putCount(json, "thoughtsTokenCount", usage.reasoningTokens());
        putCount(json, "cachedContentTokenCount", usage.cachedTokens());
    }

    private static void putCount(ObjectNode json, String name, long count) {
        if (count >= 0) {
            json.put(name, count);
        }
    }

    @Override
    FrameKind kind() {
        if (output) {
            return FrameKind.OUTPUT;
        }
        return blocked ? FrameKind.TERMINAL : FrameKind.STRUCTURAL;
    }

    @Override
    FrameKind doneKind() {
        return end() == StreamEnd.OPEN ? FrameKind.STRUCTURAL : FrameKind.TERMINAL;
    }

    @Override
    StreamEnd endAfter(FrameKind kind, boolean done) {
        everBlocked |= blocked;
        return everBlocked || candidates.allFinished() ? StreamEnd.FINISHED : StreamEnd.OPEN;
    }

    private void scanCandidates(JsonCursor json) {
        if (json.enterArray()) {
            while (json.nextElement()) {
                scanCandidate(json);
            }
        }
    }

    private void scanCandidate(JsonCursor json) {
        if (!json.enterObject()) {
            return;
        }
        if (hasCandidate) {
            markSingular();
        }
        int finishAt = -1;
        boolean outputBefore = output;
        output = false;
        candidateIndex = 0;
        hasCandidate = true;
        while (json.nextKey()) {
            if (json.tokenIs(CONTENT)) {
                scanContent(json);
            } else if (json.tokenIs(FINISH_REASON) && json.textAhead()) {
                markSingular();
                finishAt = json.position();
                json.skipValue();
            } else if (json.tokenIs(INDEX)) {
                candidateIndex = Math.max(0, json.readCount());
            } else {
                json.skipValue();
            }
        }
        boolean finished = false;
        if (finishAt >= 0 && !json.broken()) {
            int after = json.position();
            json.moveTo(finishAt);
            finished = takeFinish(json, candidateIndex == 0);
            json.moveTo(after);
        }
        candidates.add(candidateIndex, finished, output);
        output |= outputBefore;
    }

    private void scanContent(JsonCursor json) {
        if (!json.enterObject()) {
            return;
        }
        while (json.nextKey()) {
            if (json.tokenIs(PARTS) && json.enterArray()) {
                while (json.nextElement()) {
                    scanPart(json);
                }
            } else if (!json.tokenIs(PARTS)) {
                json.skipValue();
            }
        }
    }

    /** A part is output if its text is not empty, or if it is not text: a call, a file, code, a result. */
    private void scanPart(JsonCursor json) {
        if (!json.enterObject()) {
            return;
        }
        while (json.nextKey()) {
            if (json.tokenIs(TEXT)) {
                output |= json.textAhead();
            } else if (!json.tokenIs(THOUGHT) && !json.tokenIs(THOUGHT_SIGNATURE)) {
                output |= json.filledAhead();
            }
            json.skipValue();
        }
    }

    private void scanFeedback(JsonCursor json) {
        if (!json.enterObject()) {
            return;
        }
        while (json.nextKey()) {
            if (json.tokenIs(BLOCK_REASON) && json.textAhead() && json.readString()) {
                blocked = true;
                takeFinishReason("block:" + json.token(null));
            } else {
                json.skipValue();
            }
        }
    }
}
