package io.millrace.server.mock;

import io.millrace.server.mock.Script.Kind;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Google Gemini. Every frame is a whole response, line ends are CRLF, and the answer ends only with the body. */
final class GeminiDialect implements MockDialect {
    private static final String END = "\r\n\r\n";

    /** The number of each status name in an error (google.rpc.Code and its HTTP mapping). */
    private static final Map<String, Integer> STATUSES = Map.of(
            "INVALID_ARGUMENT", 400,
            "FAILED_PRECONDITION", 400,
            "PERMISSION_DENIED", 403,
            "NOT_FOUND", 404,
            "RESOURCE_EXHAUSTED", 429,
            "CANCELLED", 499,
            "INTERNAL", 500,
            "UNAVAILABLE", 503,
            "DEADLINE_EXCEEDED", 504);

    @Override
    public Script stream(Answer answer) {
        var script = new Script();
        if (answer.refuses()) {
            return script.add(Kind.TERMINAL, "data: " + blocked(answer) + END);
        }
        deltas(script, answer, "\"thought\":true,", answer.reasoning, answer::writeThought);
        deltas(script, answer, "", answer.textFrames(), answer::writeTextFrame);
        for (int i = 0; i < answer.calls.size(); i++) {
            script.add(Kind.OUTPUT, "data: " + response(answer, call(answer, i), "", promptUsage(answer)) + END);
        }
        String last = response(answer, "{\"text\":\"\"}", finish(answer), fullUsage(answer));
        return script.add(Kind.TERMINAL, "data: " + last + END);
    }

    private static void deltas(Script script, Answer answer, String mark, int count, Script.FrameWriter token) {
        String before = "data: {\"candidates\":[{\"content\":{\"parts\":[{" + mark + "\"text\":\"";
        String after = "\"}],\"role\":\"model\"},\"index\":0}]" + tail(answer, promptUsage(answer)) + END;
        script.outputs(count, before, token, after);
    }

    @Override
    public String body(Answer answer) {
        if (answer.refuses()) {
            return blocked(answer);
        }
        var scratch = Unpooled.buffer();
        var parts = new ArrayList<String>();
        if (answer.reasoning > 0) {
            parts.add("{\"thought\":true,\"text\":\"" + answer.thoughts(scratch) + "\"}");
        }
        if (answer.tokens > 0) {
            parts.add("{\"text\":\"" + answer.text(scratch) + "\"}");
        }
        for (int i = 0; i < answer.calls.size(); i++) {
            parts.add(call(answer, i));
        }
        return response(answer, String.join(",", parts), finish(answer), fullUsage(answer));
    }

    /** A call. The first call of an answer has the signature for all calls. */
    private static String call(Answer answer, int index) {
        var call = answer.calls.get(index);
        String seal = answer.seal == null || index > 0 ? "" : ",\"thoughtSignature\":\"" + answer.seal + '"';
        return "{\"functionCall\":{\"name\":\"%s\",\"args\":%s}%s}"
                .formatted(Answer.escape(call.name()), call.arguments(), seal);
    }

    /** The response to a blocked prompt, which has no candidates. */
    private static String blocked(Answer answer) {
        return "{\"promptFeedback\":{\"blockReason\":\"" + answer.spec.text(SpecKey.FINISH, "SAFETY") + "\"}"
                + tail(answer, promptUsage(answer));
    }

    private static String finish(Answer answer) {
        String usual = answer.cutByLimit ? "MAX_TOKENS" : "STOP";
        return ",\"finishReason\":\"" + answer.spec.text(SpecKey.FINISH, usual) + '"';
    }

    private static String response(Answer answer, String parts, String finish, String usage) {
        return "{\"candidates\":[{\"content\":{\"parts\":[" + parts + "],\"role\":\"model\"}" + finish
                + ",\"index\":0}]" + tail(answer, usage);
    }

    private static String tail(Answer answer, String usage) {
        boolean silent = answer.spec.has(SpecKey.USAGE) && !answer.spec.flag(SpecKey.USAGE);
        return (silent ? "" : ",\"usageMetadata\":" + usage)
                + ",\"modelVersion\":\"%s\",\"responseId\":\"mock%08d\"}".formatted(answer.model, answer.number);
    }

    private static String promptUsage(Answer answer) {
        return "{\"promptTokenCount\":%d,\"totalTokenCount\":%d}".formatted(answer.promptTokens, answer.promptTokens);
    }

    private static String fullUsage(Answer answer) {
        int output = answer.completionTokens();
        return "{\"promptTokenCount\":%d,\"candidatesTokenCount\":%d,\"thoughtsTokenCount\":%d,\"totalTokenCount\":%d}"
                .formatted(
                        answer.promptTokens, output - answer.reasoning, answer.reasoning, answer.promptTokens + output);
    }

    @Override
    public String errorFrame(@Nullable String code, String message, int sequence) {
        int status = code == null ? 503 : STATUSES.getOrDefault(code, 500);
        return "data: " + errorBody(status, code, message) + END;
    }

    @Override
    public String hiddenErrorFrame(String message) {
        return "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"%s\",\n    \"status\": \"UNAVAILABLE\"\n  }\n}\n"
                .formatted(Answer.escape(message));
    }

    @Override
    public String errorBody(int status, @Nullable String code, String message) {
        String usual = switch (status) {
            case 401 -> "UNAUTHENTICATED";
            case 403 -> "PERMISSION_DENIED";
            case 404 -> "NOT_FOUND";
            case 409, 425 -> "ABORTED";
            case 429 -> "RESOURCE_EXHAUSTED";
            case 500 -> "INTERNAL";
            case 408, 504 -> "DEADLINE_EXCEEDED";
            default -> status < 500 ? "INVALID_ARGUMENT" : "UNAVAILABLE";
        };
        return "{\"error\":{\"code\":%d,\"message\":\"%s\",\"status\":\"%s\"}}"
                .formatted(status, Answer.escape(message), code == null ? usual : code);
    }
}
