package io.millrace.codec.translate;

import java.util.List;
import java.util.regex.Pattern;

/** Reads a Responses request. */
final class ResponsesRequestReader {
    private static final String ENCRYPTED_REASONING = "reasoning.encrypted_content";

    /** Hints, and fields that say how the provider handles the request. */
    private static final String[] IGNORED = {
        "access_programs",
        "background_options",
        "client_metadata",
        "context_management",
        "max_tool_calls",
        "metadata",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "service_tier",
        "store",
        "stream_options",
        "truncation"
    };

    /** Values of {@code include} that ask for details of tools that the provider runs. */
    private static final Pattern HOSTED_DETAILS = Pattern.compile(
            "(web_search|file_search|code_interpreter|computer|image_generation|mcp|shell|program)_call.*"
                    + "|message\\.input_image\\..*");

    private final JsonFields body;
    private final ModelRequest.Builder request;
    private final ResponsesToolsReader tools;

    ResponsesRequestReader(JsonFields body) {
        this.body = body;
        this.request = ModelRequest.of(body.requiredText("model"));
        this.tools = new ResponsesToolsReader(body, request);
    }

    ModelRequest read() {
        refuseState();
        request.system(body.text("instructions", ""));
        tools.read();
        readInput();
        tools.end();
        request.stream(body.isTrue("stream")).includeUsage(true);
        readSettings();
        readFormat();
        readIncluded();
        body.refuseUnless("top_logprobs", 0);
        body.ignore(IGNORED);
        body.dropOthers();
        return request.dropped(body.dropped()).build();
    }

    /** Refuses references to stored answers. The relay stores none, and other providers do not have OpenAI's. */
    private void refuseState() {
        for (String field : List.of("previous_response_id", "conversation", "prompt")) {
            if (body.has(field)) {
                throw body.refuse(field, "names what only its provider has stored: send the whole input");
            }
        }
        if (body.isTrue("background")) {
            throw body.refuse("background", "cannot be translated: nothing is stored");
        }
    }

    private void readInput() {
        if (body.isText("input")) {
            request.turn(Turn.Role.USER, List.of(new Part.Text(body.requiredText("input"))));
            return;
        }
        ResponsesItems items = new ResponsesItems(request, tools);
        body.requiredObjects("input").forEach(items::read);
    }

    private void readSettings() {
        request.maxTokens(body.integer("max_output_tokens"));
        request.sampling(
                new Sampling(body.number("temperature"), body.number("top_p"), null, null, null, null, List.of()));
        JsonFields reasoning = body.object("reasoning");
        if (reasoning != null) {
            String effort = reasoning.text("effort");
            boolean none = "none".equals(effort);
            boolean shown = reasoning.has("summary") || reasoning.has("generate_summary");
            if (effort != null || shown) {
                request.thinking(new Thinking(!none, none ? null : effort, null, shown));
            }
            reasoning.ignore("context", "encrypted_content");
            reasoning.dropOthers();
        }
        String olderUser = body.text("user");
        String user = body.text("safety_identifier");
        request.user(user == null ? olderUser : user);
    }

    private void readFormat() {
        JsonFields text = body.object("text");
        JsonFields format = text == null ? null : text.object("format");
        if (text != null) {
            text.ignore("verbosity");
            text.dropOthers();
        }
        if (format != null) {
            request.format(OutputFormat.read(format, null));
        }
    }

    private void readIncluded() {
        int at = 0;
        for (String included : body.texts("include")) {
            String path = "include[" + at++ + "]";
            if (included.endsWith("logprobs")) {
                throw body.refuse(path, "cannot be translated: " + included);
            }
            if (!included.equals(ENCRYPTED_REASONING)
                    && !HOSTED_DETAILS.matcher(included).matches()) {
                body.tell(path);
            }
        }
    }
}
