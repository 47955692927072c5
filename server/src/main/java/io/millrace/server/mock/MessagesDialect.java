package io.millrace.server.mock;

import io.millrace.server.mock.Script.Kind;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import org.jspecify.annotations.Nullable;

/** Anthropic Messages. */
final class MessagesDialect implements MockDialect {
    private static final String SIGNATURE = "bW9jaw==";

    @Override
    public Script stream(Answer answer) {
        var script = new Script();
        script.add(
                Kind.STRUCTURE, frame("message_start", ",\"message\":" + message(answer, "", "null", answer.spec, 1)));
        int block = 0;
        if (answer.reasoning > 0) {
            begin(script, answer, block, "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
            deltas(script, block, "thinking", answer.reasoning, answer::writeThought);
            String signature = "{\"type\":\"signature_delta\",\"signature\":\"" + signature(answer) + "\"}";
            script.add(Kind.STRUCTURE, frame("content_block_delta", delta(block, signature)));
            stop(script, block++);
        }
        if (answer.tokens > 0) {
            begin(script, answer, block, "{\"type\":\"text\",\"text\":\"\"}");
            deltas(script, block, "text", answer.textFrames(), answer::writeTextFrame);
            stop(script, block++);
        }
        for (int i = 0; i < answer.calls.size(); i++) {
            begin(script, answer, block, toolUse(answer, i, "{}"));
            for (String fragment : answer.calls.get(i).fragments()) {
                String json = "{\"type\":\"input_json_delta\",\"partial_json\":\"" + Answer.escape(fragment) + "\"}";
                script.add(Kind.OUTPUT, frame("content_block_delta", delta(block, json)));
            }
            stop(script, block++);
        }
        return end(script, answer);
    }

    private static void begin(Script script, Answer answer, int block, String content) {
        script.add(
                Kind.STRUCTURE, frame("content_block_start", ",\"index\":" + block + ",\"content_block\":" + content));
        if (block == 0 && answer.spec.flag(SpecKey.PING)) {
            script.add(Kind.STRUCTURE, "event: ping\ndata: {\"type\": \"ping\"}\n\n");
        }
    }

    private static void deltas(Script script, int block, String field, int count, Script.FrameWriter token) {
        String open = delta(block, "{\"type\":\"" + field + "_delta\",\"" + field + "\":\"");
        String before = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\"" + open;
        script.outputs(count, before, token, "\"}}\n\n");
    }

    private static void stop(Script script, int block) {
        script.add(Kind.STRUCTURE, frame("content_block_stop", ",\"index\":" + block));
    }

    private static Script end(Script script, Answer answer) {
        String usage = hasUsage(answer.spec) ? ",\"usage\":{\"output_tokens\":" + answer.completionTokens() + "}" : "";
        script.add(
                Kind.STRUCTURE,
                frame(
                        "message_delta",
                        ",\"delta\":{\"stop_reason\":\"" + stopReason(answer) + "\",\"stop_sequence\":null}" + usage));
        return script.add(Kind.TERMINAL, frame("message_stop", ""));
    }

    @Override
    public String body(Answer answer) {
        var scratch = Unpooled.buffer();
        var blocks = new ArrayList<String>();
        if (answer.reasoning > 0) {
            blocks.add("{\"type\":\"thinking\",\"thinking\":\"%s\",\"signature\":\"%s\"}"
                    .formatted(answer.thoughts(scratch), signature(answer)));
        }
        if (answer.tokens > 0) {
            blocks.add("{\"type\":\"text\",\"text\":\"" + answer.text(scratch) + "\"}");
        }
        for (int i = 0; i < answer.calls.size(); i++) {
            blocks.add(toolUse(answer, i, answer.calls.get(i).arguments()));
        }
        return message(
                answer,
                String.join(",", blocks),
                '"' + stopReason(answer) + '"',
                answer.spec,
                answer.completionTokens());
    }

    private static String message(Answer answer, String content, String stopReason, MockSpec spec, int outputTokens) {
        String usage = !hasUsage(spec)
                ? ""
                : ",\"usage\":{\"input_tokens\":%d,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":%d,\"service_tier\":\"standard\"}"
                        .formatted(answer.promptTokens, outputTokens);
        return "{\"id\":\"msg_mock%08d\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"%s\",\"content\":[%s],\"stop_reason\":%s,\"stop_sequence\":null%s}"
                .formatted(answer.number, answer.model, content, stopReason, usage);
    }

    private static boolean hasUsage(MockSpec spec) {
        return !spec.has(SpecKey.USAGE) || spec.flag(SpecKey.USAGE);
    }

    private static String stopReason(Answer answer) {
        if (answer.callsTool()) {
            return "tool_use";
        }
        String usual = answer.cutByLimit ? "max_tokens" : "end_turn";
        return answer.spec.text(SpecKey.FINISH, answer.refuses() ? "refusal" : usual);
    }

    private static String toolUse(Answer answer, int index, String input) {
        String name = Answer.escape(answer.calls.get(index).name());
        return "{\"type\":\"tool_use\",\"id\":\"%s\",\"name\":\"%s\",\"input\":%s}"
                .formatted(answer.callId("toolu", index), name, input);
    }

    private static String signature(Answer answer) {
        return answer.seal == null ? SIGNATURE : answer.seal;
    }

    private static String delta(int block, String delta) {
        return ",\"index\":" + block + ",\"delta\":" + delta;
    }

    private static String frame(String type, String rest) {
        return "event: " + type + "\ndata: {\"type\":\"" + type + '"' + rest + "}\n\n";
    }

    @Override
    public String errorFrame(@Nullable String code, String message, int sequence) {
        return "event: error\ndata: " + errorBody(529, code, message) + "\n\n";
    }

    @Override
    public String hiddenErrorFrame(String message) {
        return "data: " + errorBody(529, null, message) + "\n\n";
    }

    @Override
    public String errorBody(int status, @Nullable String code, String message) {
        String usual = switch (status) {
            case 401 -> "authentication_error";
            case 402 -> "billing_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 409, 425 -> "conflict_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 408, 504 -> "timeout_error";
            case 529 -> "overloaded_error";
            default -> status < 500 ? "invalid_request_error" : "api_error";
        };
        return "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":\"%s\",\"details\":null},\"request_id\":\"req_mock\"}"
                .formatted(code == null ? usual : code, Answer.escape(message));
    }

    @Override
    public String requestIdHeader() {
        return "request-id";
    }
}
