package io.millrace.server.mock;

import static io.millrace.server.mock.Frames.put;

import io.millrace.server.mock.Script.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

/** OpenAI Chat Completions. */
final class ChatDialect implements MockDialect {
    @Override
    public Script stream(Answer answer) {
        String head =
                "data: {\"id\":\"chatcmpl-mock%08d\",\"object\":\"chat.completion.chunk\",\"created\":%d,\"model\":\"%s\",\"system_fingerprint\":\"fp_mock\",%s\"choices\":["
                        .formatted(
                                answer.number,
                                Answer.nowSeconds(),
                                answer.model,
                                includesUsage(answer) ? "\"usage\":null," : "");
        int choices = choices(answer);
        var script = new Script();
        for (int i = 0; i < choices; i++) {
            script.add(
                    Kind.STRUCTURE,
                    delta(head, i, "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}", "null"));
        }
        addText(script, head, choices, "reasoning_content", answer.reasoning, answer::writeThought);
        addText(
                script,
                head,
                choices,
                answer.refuses() ? "refusal" : "content",
                answer.textFrames(),
                answer::writeTextFrame);
        if (answer.callsTool) {
            addToolCall(script, head, answer);
        }
        for (int i = 0; i < choices; i++) {
            script.add(Kind.STRUCTURE, delta(head, i, "{}", '"' + finish(answer) + '"'));
        }
        if (includesUsage(answer)) {
            String last = head.replace("\"usage\":null,", "") + "],\"usage\":" + usage(answer, choices) + "}\n\n";
            script.add(Kind.STRUCTURE, last);
        }
        return script.add(Kind.TERMINAL, "data: [DONE]\n\n");
    }

    private static void addText(
            Script script, String head, int choices, String field, int count, Script.FrameWriter token) {
        byte[] before = Frames.utf8(head + "{\"index\":");
        byte[] between = Frames.utf8(",\"delta\":{\"" + field + "\":\"");
        byte[] after = Frames.utf8("\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n");
        script.add(Kind.OUTPUT, count * choices, (index, out) -> {
            out.writeBytes(before);
            put(out, index % choices).writeBytes(between);
            token.write(index / choices, out);
            out.writeBytes(after);
        });
    }

    private static void addToolCall(Script script, String head, Answer answer) {
        script.add(
                Kind.OUTPUT,
                delta(
                        head,
                        0,
                        "{\"tool_calls\":[{\"index\":0,\"id\":\"%s\",\"type\":\"function\",\"function\":{\"name\":\"%s\",\"arguments\":\"\"}}]}"
                                .formatted(toolCallId(answer), Answer.TOOL_NAME),
                        "null"));
        for (String fragment : Answer.TOOL_ARGUMENTS) {
            script.add(
                    Kind.OUTPUT,
                    delta(
                            head,
                            0,
                            "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"%s\"}}]}"
                                    .formatted(Answer.escape(fragment)),
                            "null"));
        }
    }

    private static String delta(String head, int choice, String delta, String finish) {
        return head + "{\"index\":" + choice + ",\"delta\":" + delta + ",\"logprobs\":null,\"finish_reason\":" + finish
                + "}]}\n\n";
    }

    @Override
    public String body(Answer answer) {
        var scratch = Unpooled.buffer();
        var choices = new StringBuilder();
        for (int i = 0; i < choices(answer); i++) {
            choices.append(i == 0 ? "" : ",")
                    .append("{\"index\":%d,\"message\":%s,\"logprobs\":null,\"finish_reason\":\"%s\"}"
                            .formatted(i, message(answer, scratch), finish(answer)));
        }
        return "{\"id\":\"chatcmpl-mock%08d\",\"object\":\"chat.completion\",\"created\":%d,\"model\":\"%s\",\"choices\":[%s],\"usage\":%s,\"system_fingerprint\":\"fp_mock\"}"
                .formatted(answer.number, Answer.nowSeconds(), answer.model, choices, usage(answer, choices(answer)));
    }

    private static String message(Answer answer, ByteBuf scratch) {
        boolean silent = answer.refuses() || (answer.callsTool && answer.tokens == 0);
        String text = silent ? "null" : '"' + answer.text(scratch) + '"';
        String refusal = answer.refuses() ? '"' + answer.text(scratch) + '"' : "null";
        String thoughts = answer.reasoning == 0 ? "" : ",\"reasoning_content\":\"" + answer.thoughts(scratch) + '"';
        String tools = !answer.callsTool
                ? ""
                : ",\"tool_calls\":[{\"id\":\"%s\",\"type\":\"function\",\"function\":{\"name\":\"%s\",\"arguments\":\"%s\"}}]"
                        .formatted(toolCallId(answer), Answer.TOOL_NAME, Answer.toolArguments());
        return "{\"role\":\"assistant\",\"content\":" + text + ",\"refusal\":" + refusal + thoughts + tools + "}";
    }

    private static String toolCallId(Answer answer) {
        return "call_mock%08d".formatted(answer.number);
    }

    private static int choices(Answer answer) {
        int asked = answer.request.path("n").asInt(1);
        return Math.max(1, Math.min(128, answer.spec.count(SpecKey.N, asked)));
    }

    private static String finish(Answer answer) {
        if (answer.callsTool) {
            return "tool_calls";
        }
        return answer.spec.text(SpecKey.FINISH, answer.cutByLimit ? "length" : "stop");
    }

    static boolean includesUsage(Answer answer) {
        boolean asked =
                answer.request.path("stream_options").path("include_usage").asBoolean();
        return answer.spec.has(SpecKey.USAGE) ? answer.spec.flag(SpecKey.USAGE) : asked;
    }

    static String usage(Answer answer, int choices) {
        int output = answer.completionTokens() * choices;
        return "{\"prompt_tokens\":%d,\"completion_tokens\":%d,\"total_tokens\":%d,\"prompt_tokens_details\":{\"cached_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":%d}}"
                .formatted(answer.promptTokens, output, answer.promptTokens + output, answer.reasoning * choices);
    }

    @Override
    public String errorFrame(String code, String message, int sequence) {
        return "data: " + OpenAiErrors.body(503, code, message) + "\n\n";
    }

    @Override
    public String hiddenErrorFrame(String message) {
        return "error: " + OpenAiErrors.body(503, null, message) + "\n\n";
    }

    @Override
    public String errorBody(int status, String code, String message) {
        return OpenAiErrors.body(status, code, message);
    }
}
