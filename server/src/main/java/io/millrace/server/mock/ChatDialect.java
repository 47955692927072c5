package io.millrace.server.mock;

import static io.millrace.server.mock.Frames.put;

import io.millrace.server.mock.Script.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.StringJoiner;

/** OpenAI Chat Completions. */
final class ChatDialect implements OpenAiDialect {
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
        for (int i = 0; i < answer.calls.size(); i++) {
            addToolCall(script, head, answer, i);
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

    private static void addToolCall(Script script, String head, Answer answer, int index) {
        var call = answer.calls.get(index);
        String open = "{\"tool_calls\":[{\"index\":" + index + ",";
        script.add(Kind.OUTPUT, delta(head, 0, open + toolCall(answer, index, "") + "}]}", "null"));
        String arguments = call.tool().custom() ? "\"custom\":{\"input\":\"" : "\"function\":{\"arguments\":\"";
        for (String fragment : call.fragments()) {
            script.add(Kind.OUTPUT, delta(head, 0, open + arguments + Answer.escape(fragment) + "\"}}]}", "null"));
        }
    }

    /** The members of a call. Its arguments are already escaped. */
    private static String toolCall(Answer answer, int index, String arguments) {
        var tool = answer.calls.get(index).tool();
        String type = tool.custom() ? "custom" : "function";
        String id = answer.callId("call", index);
        return "\"id\":\"%s\",\"type\":\"%s\",\"%s\":{\"name\":\"%s\",\"%s\":\"%s\"}"
                .formatted(
                        id, type, type, Answer.escape(tool.name()), tool.custom() ? "input" : "arguments", arguments);
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
        boolean silent = answer.refuses() || (answer.callsTool() && answer.tokens == 0);
        String text = silent ? "null" : '"' + answer.text(scratch) + '"';
        String refusal = answer.refuses() ? '"' + answer.text(scratch) + '"' : "null";
        String thoughts = answer.reasoning == 0 ? "" : ",\"reasoning_content\":\"" + answer.thoughts(scratch) + '"';
        var calls = new StringJoiner(",", ",\"tool_calls\":[", "]").setEmptyValue("");
        for (int i = 0; i < answer.calls.size(); i++) {
            calls.add("{" + toolCall(answer, i, answer.calls.get(i).escaped()) + "}");
        }
        return "{\"role\":\"assistant\",\"content\":" + text + ",\"refusal\":" + refusal + thoughts + calls + "}";
    }

    private static int choices(Answer answer) {
        int asked = answer.request.path("n").asInt(1);
        return Math.max(1, Math.min(128, answer.spec.count(SpecKey.N, asked)));
    }

    private static String finish(Answer answer) {
        if (answer.callsTool()) {
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
}
