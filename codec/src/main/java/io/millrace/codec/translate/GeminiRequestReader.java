package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a Gemini request. Its path has the model, and whether the answer is streamed. */
final class GeminiRequestReader {
    /** Hints, and fields that say how the provider handles the request. */
    private static final String[] IGNORED = {
        "labels", "model", "modelArmorConfig", "safetySettings", "serviceTier", "store"
    };

    /**
     * Fields of {@code generationConfig} that are ignored, and settings of speech and images, which text models do not
     * make.
     */
    private static final String[] IGNORED_CONFIG = {
        "audioTimestamp",
        "audioTranscriptionConfig",
        "enableEnhancedCivicAnswers",
        "imageConfig",
        "logprobs",
        "mediaResolution",
        "modelSelectionConfig",
        "routingConfig",
        "speechConfig"
    };

    /** Google's tools that other providers also have. */
    private static final List<Map.Entry<String, HostedKind>> HOSTED = List.of(
            Map.entry("googleSearch", HostedKind.WEB_SEARCH),
            Map.entry("googleSearchRetrieval", HostedKind.WEB_SEARCH),
            Map.entry("enterpriseWebSearch", HostedKind.WEB_SEARCH),
            Map.entry("urlContext", HostedKind.WEB_FETCH),
            Map.entry("codeExecution", HostedKind.CODE));

    private final JsonFields body;
    private final GeminiPath path;
    private final ModelRequest.Builder request;

    GeminiRequestReader(JsonFields body, GeminiPath path) {
        this.body = body;
        this.path = path;
        this.request = ModelRequest.of(path.model());
    }

    ModelRequest read() {
        request.stream(path.stream()).includeUsage(true);
        readInstruction();
        GeminiContents contents = new GeminiContents();
        body.requiredObjects("contents").forEach(content -> contents.read(content, request));
        readTools();
        readConfig();
        body.refuseAny("cachedContent", "continuationToken");
        body.ignore(IGNORED);
        body.dropOthers();
        return request.dropped(body.dropped()).build();
    }

    private void readInstruction() {
        if (body.isText("systemInstruction")) {
            request.system(body.requiredText("systemInstruction"));
            return;
        }
        JsonFields instruction = body.object("systemInstruction");
        if (instruction != null) {
            for (JsonFields part : instruction.objects("parts")) {
                request.system(part.requiredText("text"));
            }
        }
    }

    private void readTools() {
        ToolList tools = new ToolList();
        for (JsonFields tool : body.objects("tools")) {
            for (JsonFields function : tool.objects("functionDeclarations")) {
                tools.add(tool(function));
            }
            HOSTED.forEach(known -> addHosted(tool, known.getKey(), known.getValue(), tools));
            // Each other field is a tool that Google runs.
            for (String other : tool.others()) {
                tools.addHosted(other, tool.path(other));
            }
        }
        Set<String> allowed = readToolChoice();
        if (!allowed.isEmpty()) {
            tools.allow(allowed);
        }
        tools.into(request);
    }

    private static void addHosted(JsonFields tool, String field, HostedKind kind, ToolList tools) {
        JsonFields given = tool.object(field);
        if (given != null) {
            HostedSettings settings = new HostedSettings()
                    .domains(given, "excludeDomains", HostedSetting.Key.BLOCKED_DOMAINS)
                    .others(given, "dynamicRetrievalConfig");
            tools.add(new Tool.Hosted(kind, field, tool.path(field), settings.list()));
        }
    }

    private static Tool.Function tool(JsonFields function) {
        ObjectNode parameters = function.tree("parametersJsonSchema");
        if (parameters == null) {
            parameters = GeminiSchema.toJsonSchema(function.tree("parameters"));
        }
        String name = function.requiredText("name");
        var tool = new Tool.Function(
                ToolName.of(name), function.text("description"), parameters, null, ToolName.form(null, name));
        function.ignore("response", "responseJsonSchema", "behavior");
        function.dropOthers();
        return tool;
    }

    /** The names of the tools that may be called, empty if all may be called. */
    private Set<String> readToolChoice() {
        JsonFields config = body.object("toolConfig");
        JsonFields calling = config == null ? null : config.object("functionCallingConfig");
        if (config != null) {
            config.ignore("includeServerSideToolInvocations", "retrievalConfig");
            config.dropOthers();
        }
        if (calling == null) {
            return Set.of();
        }
        String mode = calling.text("mode", "AUTO").toUpperCase(Locale.ROOT);
        List<String> allowed =
                calling.texts("allowedFunctionNames").stream().map(ToolName::of).toList();
        calling.ignore("streamFunctionCallArguments");
        calling.dropOthers();
        switch (mode) {
            case "AUTO", "MODE_UNSPECIFIED", "VALIDATED" -> request.toolChoice(ToolChoice.AUTO);
            case "NONE" -> request.toolChoice(ToolChoice.NONE);
            case "ANY" ->
                request.toolChoice(allowed.size() == 1 ? ToolChoice.named(allowed.get(0)) : ToolChoice.REQUIRED);
            default -> throw calling.refuse("mode", "expected AUTO, ANY, VALIDATED or NONE");
        }
        return new HashSet<>(allowed);
    }

    private void readConfig() {
        JsonFields config = body.object("generationConfig");
        if (config == null) {
            return;
        }
        request.maxTokens(config.integer("maxOutputTokens"));
        Double topK = config.number("topK");
        request.sampling(new Sampling(
                config.number("temperature"),
                config.number("topP"),
                topK == null ? null : Long.valueOf(topK.longValue()),
                config.integer("seed"),
                config.number("presencePenalty"),
                config.number("frequencyPenalty"),
                config.texts("stopSequences")));
        readThinking(config.object("thinkingConfig"));
        readFormat(config);
        Long candidates = config.integer("candidateCount");
        if (candidates != null && candidates != 1) {
            throw config.refuse("candidateCount", "only one candidate can be translated");
        }
        List<String> modalities = config.texts("responseModalities");
        if (!modalities.isEmpty() && !modalities.equals(List.of("TEXT"))) {
            throw config.refuse("responseModalities", "only text can be translated");
        }
        if (config.isTrue("responseLogprobs")) {
            throw config.refuse("responseLogprobs", "cannot be translated");
        }
        config.ignore(IGNORED_CONFIG);
        config.dropOthers();
    }

    /** Reads the settings for thinking. A budget of 0 means no thinking. A budget of -1 leaves it to the model. */
    private void readThinking(@Nullable JsonFields config) {
        if (config == null) {
            return;
        }
        Long budget = config.integer("thinkingBudget");
        String level = config.text("thinkingLevel");
        String effort =
                level == null || level.equals("THINKING_LEVEL_UNSPECIFIED") ? null : level.toLowerCase(Locale.ROOT);
        boolean off = budget != null && budget == 0;
        boolean said = budget != null || effort != null;
        request.thinking(new Thinking(
                said ? Boolean.valueOf(!off) : null,
                effort,
                budget == null || budget <= 0 ? null : budget,
                config.flag("includeThoughts")));
        config.dropOthers();
    }

    private void readFormat(JsonFields config) {
        String type = config.text("responseMimeType");
        ObjectNode schema = config.tree("responseJsonSchema");
        if (schema == null) {
            schema = config.tree("_responseJsonSchema");
        }
        if (schema == null) {
            schema = GeminiSchema.toJsonSchema(config.tree("responseSchema"));
        }
        if (type == null || type.equals("text/plain")) {
            return;
        }
        if (!type.equals("application/json")) {
            throw config.refuse("responseMimeType", "cannot be translated: " + type);
        }
        request.format(new OutputFormat(null, null, schema, null));
    }
}
