package io.millrace.codec.dialect;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** Reads the chunks of Chat Completions and of the legacy completions, from OpenAI and compatible servers. */
final class ChatInspector extends StreamInspector {
    private static final byte[] CHOICES = ascii("choices");
    private static final byte[] USAGE = ascii("usage");
    private static final byte[] ERROR = ascii("error");
    private static final byte[] MODEL = ascii("model");
    private static final byte[] ID = ascii("id");
    private static final byte[] CREATED = ascii("created");
    private static final byte[] X_GROQ = ascii("x_groq");
    private static final byte[] INDEX = ascii("index");
    private static final byte[] DELTA = ascii("delta");
    private static final byte[] TEXT = ascii("text");
    private static final byte[] FINISH_REASON = ascii("finish_reason");
    private static final byte[] ROLE = ascii("role");
    private static final byte[] CONTENT = ascii("content");
    private static final byte[] REASONING_CONTENT = ascii("reasoning_content");
    private static final byte[] REASONING = ascii("reasoning");
    private static final byte[] REASONING_DETAILS = ascii("reasoning_details");
    private static final byte[] REFUSAL = ascii("refusal");
    private static final byte[] TOOL_CALLS = ascii("tool_calls");
    private static final byte[] FUNCTION_CALL = ascii("function_call");
    private static final byte[] AUDIO = ascii("audio");
    private static final byte[] IMAGES = ascii("images");
    private static final byte[] QUOTED_USAGE = ascii("\"usage\"");
    private static final byte[] QUOTED_FINISH_REASON = ascii("\"finish_reason\"");
    static final UsageKeys USAGE_KEYS = new UsageKeys()
            .number("prompt_tokens", FrameShape.INPUT_TOKENS)
            .number("completion_tokens", FrameShape.OUTPUT_TOKENS)
            .number("total_tokens", FrameShape.TOTAL_TOKENS)
            .number("cached_tokens", FrameShape.CACHED_TOKENS)
            .number("prompt_cache_hit_tokens", FrameShape.CACHED_TOKENS)
            .object("prompt_tokens_details", UsageKeys.OPENAI_DETAILS)
            .object("completion_tokens_details", UsageKeys.OPENAI_DETAILS);

    private final ChoiceTracker choices = new ChoiceTracker();

    private boolean output;
    private boolean structural;
    private boolean hasChoice;
    private boolean hasUsage;
    private boolean choicesEmpty;
    private boolean legacy;
    private long choiceIndex;

    ChatInspector() {
        super(Dialect.CHAT);
    }

    @Override
    void beginFrame() {
        output = false;
        structural = false;
        hasChoice = false;
        hasUsage = false;
        choicesEmpty = false;
        choiceIndex = 0;
    }

    @Override
    long mark() {
        return choiceIndex;
    }

    @Override
    void repeat(long mark) {
        choices.add(mark, false, true);
    }

    @Override
    void scan(JsonCursor json) {
        while (json.nextKey()) {
            if (json.tokenIs(CHOICES)) {
                scanChoices(json);
            } else if (json.tokenIs(ID)) {
                head.takeId(json);
            } else if (json.tokenIs(CREATED)) {
                head.takeCreated(json);
            } else if (json.tokenIs(MODEL)) {
                head.takeModel(json);
            } else if (json.tokenIs(USAGE)) {
                hasUsage = json.objectAhead();
                scanUsage(json);
            } else if (json.tokenIs(ERROR)) {
                takeError(json);
            } else if (json.tokenIs(X_GROQ)) {
                scanGroq(json);
            } else {
                passOver(json);
            }
        }
    }

    @Override
    boolean saysNothing() {
        return !hasChoice && !hasUsage;
    }

    @Override
    void scanTail(JsonCursor tail) {
        if (LastBytes.findLastObject(tail, QUOTED_USAGE)) {
            scanUsage(tail);
        }
        if (LastBytes.findLastValue(tail, QUOTED_FINISH_REASON)) {
            choices.add(choiceIndex, takeFinish(tail, choiceIndex == 0), output);
        }
    }

    @Override
    public boolean isUsageOnly() {
        return hasUsage && choicesEmpty;
    }

    @Override
    public int choicesSeen() {
        return choices.count();
    }

    @Override
    void writeStop(StopWriter out, StreamStop stop) {
        if (end() == StreamEnd.OPEN) {
            boolean usageKnown = usage().inputTokens() >= 0 && usage().outputTokens() >= 0;
            for (int index = 0; index < ChoiceTracker.limit(); index++) {
                boolean asked = index < stop.choices() || choices.isSeen(index);
                if (asked && !choices.isFinished(index)) {
                    ObjectNode chunk = finishChunk(index, stop);
                    if (usageKnown && !stop.usageAsked()) {
                        putUsage(chunk);
                    }
                    out.data(chunk);
                }
            }
            if (usageKnown && stop.usageAsked()) {
                ObjectNode chunk = chunk(stop);
                chunk.putArray("choices");
                putUsage(chunk);
                out.data(chunk);
            }
        }
        out.done();
    }

    private ObjectNode chunk(StreamStop stop) {
        String prefix = legacy ? "cmpl-" : "chatcmpl-";
        return StopWriter.object()
                .put("id", head.id() == null ? prefix + stop.id() : head.id())
                .put("object", legacy ? "text_completion" : "chat.completion.chunk")
                .put("created", head.created() < 0 ? stop.nowSeconds() : head.created())
                .put("model", model() == null ? stop.model() : model());
    }

    /**
     * A choice that has not begun needs its role. A choice that has begun must not get it again, because readers join
     * strings.
     */
    private ObjectNode finishChunk(int index, StreamStop stop) {
        ObjectNode chunk = chunk(stop);
        ObjectNode choice = chunk.putArray("choices").addObject().put("index", index);
        if (legacy) {
            choice.put("text", "");
        } else if (choices.isSeen(index)) {
            choice.putObject("delta");
        } else {
            choice.putObject("delta").put("role", "assistant").put("content", "");
        }
        choice.putNull("logprobs").put("finish_reason", "stop");
        return chunk;
    }

    private void putUsage(ObjectNode chunk) {
        Usage usage = usage();
        chunk.putObject("usage")
                .put("prompt_tokens", usage.inputTokens())
                .put("completion_tokens", usage.outputTokens())
                .put("total_tokens", usage.inputTokens() + usage.outputTokens());
    }

    @Override
    FrameKind kind() {
        if (output) {
            return FrameKind.OUTPUT;
        }
        return structural || !hasChoice ? FrameKind.STRUCTURAL : FrameKind.KEEP_ALIVE;
    }

    @Override
    FrameKind doneKind() {
        boolean unanswered = end() == StreamEnd.OPEN && choices.count() == 0;
        return unanswered ? FrameKind.HIDDEN_ERROR : FrameKind.TERMINAL;
    }

    @Override
    StreamEnd endAfter(FrameKind kind, boolean done) {
        if (done || end() == StreamEnd.DONE) {
            return StreamEnd.DONE;
        }
        return choices.allFinished() ? StreamEnd.FINISHED : StreamEnd.OPEN;
    }

    private void scanChoices(JsonCursor json) {
        if (json.enterArray()) {
            while (json.nextElement()) {
                scanChoice(json);
            }
            choicesEmpty = !hasChoice && !json.broken();
        }
    }

    // {"index": 0, "delta": {..}, "finish_reason": null} <- in any order
    private void scanChoice(JsonCursor json) {
        if (!json.enterObject()) {
            return;
        }
        if (hasChoice) {
            markSingular();
        }
        int finishAt = -1;
        boolean outputBefore = output;
        output = false;
        choiceIndex = 0;
        hasChoice = true;
        while (json.nextKey()) {
            if (json.tokenIs(INDEX)) {
                choiceIndex = Math.max(0, json.readCount());
            } else if (json.tokenIs(DELTA)) {
                scanDelta(json);
            } else if (json.tokenIs(FINISH_REASON) && json.textAhead()) {
                markSingular();
                finishAt = json.position();
                json.skipValue();
            } else if (json.tokenIs(TEXT)) {
                legacy = true;
                output |= json.textAhead();
                json.skipValue();
            } else if (json.tokenIs(USAGE)) {
                scanUsage(json);
            } else if (json.tokenIs(ERROR) && json.truthyAhead() && choices.count() <= 1) {
                // OpenRouter puts the error here. No SDK reads it.
                markUnseenError();
                error.read(json);
            } else {
                json.skipValue();
            }
        }
        structural |= finishAt >= 0;
        boolean finished = false;
        if (finishAt >= 0 && !json.broken()) {
            int after = json.position();
            json.moveTo(finishAt);
            finished = takeFinish(json, choiceIndex == 0);
            json.moveTo(after);
        }
        choices.add(choiceIndex, finished, output);
        output |= outputBefore;
    }

    private void scanDelta(JsonCursor json) {
        if (!json.enterObject()) {
            return;
        }
        while (json.nextKey()) {
            if (isOutputText(json) || isOutputPart(json)) {
                output |= json.filledAhead();
            } else if (json.tokenIs(ROLE)) {
                structural |= json.textAhead();
            }
            json.skipValue();
        }
    }

    private static boolean isOutputText(JsonCursor json) {
        return json.tokenIs(CONTENT)
                || json.tokenIs(REASONING_CONTENT)
                || json.tokenIs(REASONING)
                || json.tokenIs(REFUSAL)
                || json.tokenIs(TEXT);
    }

    private static boolean isOutputPart(JsonCursor json) {
        return json.tokenIs(TOOL_CALLS)
                || json.tokenIs(FUNCTION_CALL)
                || json.tokenIs(REASONING_DETAILS)
                || json.tokenIs(AUDIO)
                || json.tokenIs(IMAGES);
    }

    // Groq: "x_groq": {"id": "..", "usage": {..}}
    private void scanGroq(JsonCursor json) {
        if (json.enterObject()) {
            while (json.nextKey()) {
                if (json.tokenIs(USAGE)) {
                    scanUsage(json);
                } else {
                    json.skipValue();
                }
            }
        }
    }

    private void scanUsage(JsonCursor json) {
        structural |= json.objectAhead();
        USAGE_KEYS.read(json, numbers);
    }
}
