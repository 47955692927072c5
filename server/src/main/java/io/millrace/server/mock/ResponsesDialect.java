package io.millrace.server.mock;

import com.fasterxml.jackson.databind.JsonNode;
import io.millrace.server.mock.Script.Kind;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** OpenAI Responses. Events are numbered from 0, and the last one repeats the whole output. */
final class ResponsesDialect implements OpenAiDialect {
    private static final String OVERLOADED = "server_is_overloaded";

    @Override
    public Script stream(Answer answer) {
        return new Stream(answer).script();
    }

    @Override
    public String body(Answer answer) {
        return response(answer, "completed", Unpooled.buffer());
    }

    @Override
    public String errorFrame(@Nullable String code, String message, int sequence) {
        String name = code == null ? OVERLOADED : code;
        return event("error", sequence) + ",\"code\":\"" + name + "\",\"message\":\"" + Answer.escape(message)
                + "\",\"param\":null," + errorBody(503, name, message).substring(1) + "\n\n";
    }

    /** The terminal of a failed response. The arguments are those of {@link #errorFrame}. */
    String failedFrame(Answer answer, @Nullable String code, String message, int sequence) {
        String error = "\"error\":{\"code\":\"" + (code == null ? OVERLOADED : code) + "\",\"message\":\""
                + Answer.escape(message) + "\"}";
        String response = response(answer, "in_progress", Unpooled.buffer())
                .replace("\"status\":\"in_progress\"", "\"status\":\"failed\"")
                .replace("\"error\":null", error);
        return event("response.failed", sequence) + ",\"response\":" + response + "}\n\n";
    }

    private static String event(String type, int sequence) {
        return "event: %s\ndata: {\"type\":\"%s\",\"sequence_number\":%d".formatted(type, type, sequence);
    }

    /** The response object. Its output is empty while it is in progress. */
    private static String response(Answer answer, String status, ByteBuf scratch) {
        boolean done = !status.equals("in_progress");
        String output = done ? String.join(",", items(answer, scratch)) : "";
        String incomplete = status.equals("incomplete") ? "{\"reason\":\"max_output_tokens\"}" : "null";
        int big = done ? answer.spec.count(SpecKey.BIG_FRAME, 0) : 0;
        String instructions = big == 0 ? "null" : '"' + "x".repeat(big) + '"';
        return ("{\"id\":\"resp_mock%08d\",\"object\":\"response\",\"created_at\":%d,\"status\":\"%s\",\"background\":false,"
                        + "\"error\":null,\"incomplete_details\":%s,\"instructions\":%s,\"max_output_tokens\":null,"
                        + "\"model\":\"%s\",\"output\":[%s],\"parallel_tool_calls\":true,\"previous_response_id\":null,"
                        + "\"reasoning\":{\"effort\":null,\"summary\":null},\"store\":true,\"temperature\":1.0,"
                        + "\"text\":{\"format\":{\"type\":\"text\"}},\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":1.0,"
                        + "\"truncation\":\"disabled\",\"usage\":%s,\"user\":null,\"metadata\":{}}")
                .formatted(
                        answer.number,
                        Answer.nowSeconds(),
                        status,
                        incomplete,
                        instructions,
                        answer.model,
                        output,
                        done ? usage(answer) : "null");
    }

    private static String usage(Answer answer) {
        if (answer.spec.has(SpecKey.USAGE) && !answer.spec.flag(SpecKey.USAGE)) {
            return "null";
        }
        return "{\"input_tokens\":%d,\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":%d,\"output_tokens_details\":{\"reasoning_tokens\":%d},\"total_tokens\":%d}"
                .formatted(
                        answer.promptTokens,
                        answer.completionTokens(),
                        answer.reasoning,
                        answer.promptTokens + answer.completionTokens());
    }

    private static List<String> items(Answer answer, ByteBuf scratch) {
        var items = new ArrayList<String>();
        if (answer.reasoning > 0) {
            items.add(reasoning(answer, "{\"type\":\"summary_text\",\"text\":\"" + answer.thoughts(scratch) + "\"}"));
        }
        if (answer.tokens > 0) {
            items.add(message(answer, "completed", text(answer.refuses(), answer.text(scratch))));
        }
        for (int i = 0; i < answer.calls.size(); i++) {
            items.add(call(answer, i, "completed", answer.calls.get(i).escaped()));
        }
        return items;
    }

    private static String reasoning(Answer answer, String summary) {
        // Only the finished item has the encrypted reasoning, with a summary.
        String seal = sealed(answer) && !summary.isEmpty() ? ",\"encrypted_content\":\"" + answer.seal + '"' : "";
        return "{\"id\":\"rs_mock%08d\",\"type\":\"reasoning\",\"summary\":[%s]%s}"
                .formatted(answer.number, summary, seal);
    }

    private static String message(Answer answer, String status, String content) {
        return "{\"id\":\"msg_mock%08d\",\"type\":\"message\",\"status\":\"%s\",\"content\":[%s],\"role\":\"assistant\"}"
                .formatted(answer.number, status, content);
    }

    private static String text(boolean refuses, String text) {
        return refuses
                ? "{\"type\":\"refusal\",\"refusal\":\"" + text + "\"}"
                : "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":\"" + text + "\"}";
    }

    private static boolean sealed(Answer answer) {
        return answer.seal != null && asksForSeals(answer.request);
    }

    /** Whether a request asks for the encrypted reasoning that it has to send back. */
    static boolean asksForSeals(JsonNode request) {
        for (JsonNode what : request.path("include")) {
            if (what.asText().equals("reasoning.encrypted_content")) {
                return true;
            }
        }
        return false;
    }

    private static String call(Answer answer, int index, String status, String arguments) {
        var tool = answer.calls.get(index).tool();
        String type = tool.custom() ? "custom_tool_call" : "function_call";
        String namespace =
                tool.namespace().isEmpty() ? "" : ",\"namespace\":\"" + Answer.escape(tool.namespace()) + '"';
        return "{\"id\":\"%s\",\"type\":\"%s\",\"status\":\"%s\",\"%s\":\"%s\",\"call_id\":\"%s\",\"name\":\"%s\"%s}"
                .formatted(
                        answer.callId(callPrefix(tool), index),
                        type,
                        status,
                        tool.custom() ? "input" : "arguments",
                        arguments,
                        answer.callId("call", index),
                        Answer.escape(tool.name()),
                        namespace);
    }

    private static String callPrefix(Tool tool) {
        return tool.custom() ? "ctc" : "fc";
    }

    /** Writes the sequence of events. Counts events and output items. */
    private static final class Stream {
        private final Answer answer;
        private final Script script = new Script();
        private int sequence;
        private int item;

        Stream(Answer answer) {
            this.answer = answer;
        }

        Script script() {
            var scratch = Unpooled.buffer();
            String begun = ",\"response\":" + response(answer, "in_progress", scratch);
            one(Kind.STRUCTURE, "response.created", out -> begun);
            one(Kind.STRUCTURE, "response.in_progress", out -> begun);
            if (answer.reasoning > 0) {
                addReasoning();
            }
            if (answer.tokens > 0) {
                addMessage();
            }
            for (int i = 0; i < answer.calls.size(); i++) {
                addCall(i);
            }
            String end = answer.cutByLimit ? "incomplete" : "completed";
            one(Kind.TERMINAL, "response." + end, out -> ",\"response\":" + response(answer, end, out));
            return script;
        }

        private void addReasoning() {
            String at = ids("rs", ",\"summary_index\":0");
            item("added", out -> reasoning(answer, ""));
            one(
                    Kind.STRUCTURE,
                    "response.reasoning_summary_part.added",
                    out -> at + ",\"part\":{\"type\":\"summary_text\",\"text\":\"\"}");
            deltas("response.reasoning_summary_text.delta", at, "", answer.reasoning, answer::writeThought);
            one(
                    Kind.STRUCTURE,
                    "response.reasoning_summary_text.done",
                    out -> at + ",\"text\":\"" + answer.thoughts(out) + '"');
            one(
                    Kind.STRUCTURE,
                    "response.reasoning_summary_part.done",
                    out -> at + ",\"part\":{\"type\":\"summary_text\",\"text\":\"" + answer.thoughts(out) + "\"}");
            item(
                    "done",
                    out -> reasoning(answer, "{\"type\":\"summary_text\",\"text\":\"" + answer.thoughts(out) + "\"}"));
        }

        private void addMessage() {
            String at = ids("msg", ",\"content_index\":0");
            boolean refuses = answer.refuses();
            item("added", out -> message(answer, "in_progress", ""));
            one(Kind.STRUCTURE, "response.content_part.added", out -> at + ",\"part\":" + text(refuses, ""));
            String kind = refuses ? "refusal" : "output_text";
            String more = refuses ? "" : ",\"logprobs\":[]";
            deltas("response." + kind + ".delta", at, more, answer.textFrames(), answer::writeTextFrame);
            String field = refuses ? "refusal" : "text";
            one(
                    Kind.STRUCTURE,
                    "response." + kind + ".done",
                    out -> at + ",\"" + field + "\":\"" + answer.text(out) + '"' + more);
            one(
                    Kind.STRUCTURE,
                    "response.content_part.done",
                    out -> at + ",\"part\":" + text(refuses, answer.text(out)));
            item("done", out -> message(answer, "completed", text(refuses, answer.text(out))));
        }

        private void addCall(int call) {
            var made = answer.calls.get(call);
            boolean custom = made.tool().custom();
            String at = ",\"item_id\":\"%s\",\"output_index\":%d"
                    .formatted(answer.callId(callPrefix(made.tool()), call), item);
            String event = custom ? "response.custom_tool_call_input" : "response.function_call_arguments";
            item("added", out -> call(answer, call, "in_progress", ""));
            deltas(
                    event + ".delta",
                    at,
                    "",
                    made.fragments().size(),
                    (index, out) -> ByteBufUtil.writeUtf8(
                            out, Answer.escape(made.fragments().get(index))));
            String whole =
                    custom ? ",\"input\":\"" : ",\"name\":\"" + Answer.escape(made.name()) + "\",\"arguments\":\"";
            one(Kind.STRUCTURE, event + ".done", out -> at + whole + made.escaped() + '"');
            item("done", out -> call(answer, call, "completed", made.escaped()));
        }

        private String ids(String prefix, String more) {
            return ",\"item_id\":\"%s_mock%08d\",\"output_index\":%d%s".formatted(prefix, answer.number, item, more);
        }

        private void item(String what, Payload item) {
            int index = this.item;
            one(
                    Kind.STRUCTURE,
                    "response.output_item." + what,
                    out -> ",\"output_index\":" + index + ",\"item\":" + item.json(out));
            if (what.equals("done")) {
                this.item++;
            }
        }

        private void one(Kind kind, String type, Payload payload) {
            String head = event(type, sequence++);
            script.add(kind, 1, (index, out) -> ByteBufUtil.writeUtf8(out, head + payload.json(out) + "}\n\n"));
        }

        private void deltas(String type, String at, String more, int count, Script.FrameWriter token) {
            byte[] before = Frames.utf8("event: %s\ndata: {\"type\":\"%s\",\"sequence_number\":".formatted(type, type));
            byte[] between = Frames.utf8(at + ",\"delta\":\"");
            byte[] after = Frames.utf8('"' + more + "}\n\n");
            int first = sequence;
            sequence += count;
            script.add(Kind.OUTPUT, count, (index, out) -> {
                Frames.put(out.writeBytes(before), first + index).writeBytes(between);
                token.write(index, out);
                out.writeBytes(after);
            });
        }
    }

    /** Writes the part of an event after the sequence number. It may use free space of {@code scratch}. */
    @FunctionalInterface
    private interface Payload {
        String json(ByteBuf scratch);
    }
}
