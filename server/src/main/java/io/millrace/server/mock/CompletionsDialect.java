package io.millrace.server.mock;

import io.millrace.server.mock.Script.Kind;
import io.netty.buffer.Unpooled;

/** OpenAI's legacy text completions, with one choice. */
final class CompletionsDialect implements OpenAiDialect {
    private static final String OBJECT =
            "{\"id\":\"cmpl-mock%08d\",\"object\":\"text_completion\",\"created\":%d,\"model\":\"%s\",\"choices\":[";

    @Override
    public Script stream(Answer answer) {
        String head = "data: " + head(answer);
        String after = "\",\"index\":0,\"logprobs\":null,\"finish_reason\":null}]}\n\n";
        var script = new Script().outputs(answer.textFrames(), head + "{\"text\":\"", answer::writeTextFrame, after);
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
}
