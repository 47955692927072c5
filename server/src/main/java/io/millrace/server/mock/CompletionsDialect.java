package io.millrace.server.mock;

import io.millrace.server.mock.Script.Kind;
import io.netty.buffer.Unpooled;

/** OpenAI's legacy text completions; one choice. */
final class CompletionsDialect implements MockDialect {
    private static final String OBJECT =
            "{\"id\":\"cmpl-mock%08d\",\"object\":\"text_completion\",\"created\":%d,\"model\":\"%s\",\"choices\":[";

    @Override
    public Script stream(Answer answer) {
        String head = "data: " + head(answer);
        byte[] before = Frames.utf8(head + "{\"text\":\"");
        byte[] after = Frames.utf8("\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}]}\n\n");
        var script = new Script().add(Kind.OUTPUT, answer.textFrames(), (index, out) -> {
            out.writeBytes(before);
            answer.writeTextFrame(index, out);
            out.writeBytes(after);
        });
        script.add(Kind.STRUCTURE, head + choice("", answer) + "]}\n\n");
        if (ChatDialect.includesUsage(answer)) {
            script.add(Kind.STRUCTURE, head + "],\"usage\":" + ChatDialect.usage(answer, 1) + "}\n\n");
        }
        return script.add(Kind.TERMINAL, "data: [DONE]\n\n");
    }

    @Override
    public String body(Answer answer) {
        return head(answer) + choice(answer.text(Unpooled.buffer()), answer) + "],\"usage\":"
                + ChatDialect.usage(answer, 1) + "}";
    }

    private static String head(Answer answer) {
        return OBJECT.formatted(answer.number, Answer.nowSeconds(), answer.model);
    }

    private static String choice(String text, Answer answer) {
        return "{\"text\":\"%s\",\"index\":0,\"logprobs\":null,\"finish_reason\":\"%s\"}"
                .formatted(text, answer.cutByLimit ? "length" : "stop");
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
