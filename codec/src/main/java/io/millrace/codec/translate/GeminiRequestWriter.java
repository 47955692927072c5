package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.codec.dialect.Dialect;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Writes the body of a Gemini request. */
final class GeminiRequestWriter {
    /**
     * Models that refuse a call without a thought signature, unless {@link #NO_SIGNATURE} replaces it. They take a
     * level of thinking.
     */
    private static final Pattern SIGNED_CALLS = Pattern.compile("(.*/)?gemini-[3-9].*");

    /** Models that accept a request not to think. Others refuse it. */
    private static final Pattern MAY_NOT_THINK = Pattern.compile("(.*/)?gemini-2\\.5-flash.*");

    /** Google's word in place of the signature, for calls that another model has made. */
    private static final String NO_SIGNATURE = "skip_thought_signature_validator";

    private static final Map<String, Long> BUDGETS =
            Map.of("minimal", 1024L, "low", 1024L, "medium", 8192L, "high", 24576L, "xhigh", 24576L, "max", 24576L);

    /** Google's tools. They take no settings of other providers' tools, and none can be forced. */
    private static final HostedTools HOSTED = new HostedTools(
            Map.of(HostedKind.WEB_SEARCH, Set.of(), HostedKind.WEB_FETCH, Set.of(), HostedKind.CODE, Set.of()), false);

    private final ModelRequest request;
    private final ObjectNode body = Json.object();

    /** The names of the calls so far, and their order. */
    private final Map<String, String> callNames = new HashMap<>();

    private final Map<String, Integer> callOrder = new HashMap<>();

    /** Whether the model is one of {@link #SIGNED_CALLS}. */
    private final boolean signedCalls;

    GeminiRequestWriter(ModelRequest request) {
        this.request = request;
        this.signedCalls = SIGNED_CALLS.matcher(request.model()).matches();
    }

    /**
     * Google's own tools that a request can have. A request with functions has none: some models refuse both, others
     * want the results of Google's tools back.
     */
    static HostedTools hostedTools(ModelRequest request) {
        return request.functions().isEmpty() ? HOSTED : HostedTools.NONE;
    }

    ObjectNode write() {
        if (!request.system().isEmpty()) {
            ArrayNode parts = body.putObject("systemInstruction").putArray("parts");
            request.system().forEach(text -> parts.addObject().put("text", text));
        }
        ArrayNode contents = body.putArray("contents");
        for (Turn turn : request.turns()) {
            ObjectNode content = Json.object();
            if (turn.role() == Turn.Role.USER) {
                writeUser(content.put("role", "user").putArray("parts"), turn.parts());
            } else {
                writeModel(content.put("role", "model").putArray("parts"), turn.parts());
            }
            if (!content.get("parts").isEmpty()) {
                contents.add(content);
            }
        }
        writeTools();
        writeConfig();
        return body;
    }

    /** Writes results first, in the order of their calls. Only this order joins a result to a call without an id. */
    private void writeUser(ArrayNode parts, List<Part> said) {
        said.stream()
                .filter(Part.ToolResult.class::isInstance)
                .map(Part.ToolResult.class::cast)
                .sorted(Comparator.comparingInt(result -> callOrder.getOrDefault(result.callId(), -1)))
                .forEach(result -> writeResult(parts, result));
        for (Part part : said) {
            if (part instanceof Part.ToolResult result) {
                result.content().stream()
                        .filter(piece -> !(piece instanceof Part.Text))
                        .forEach(piece -> writeSaid(parts, piece));
            } else {
                writeSaid(parts, part);
            }
        }
    }

    private void writeResult(ArrayNode parts, Part.ToolResult result) {
        String name = callNames.get(result.callId());
        StringBuilder text = new StringBuilder();
        result.content().forEach(piece -> text.append(piece instanceof Part.Text more ? more.text() : ""));
        if (name == null) {
            // The conversation does not have the call. Gemini would refuse a result without it.
            parts.addObject().put("text", "Result of a tool: " + text);
            return;
        }
        ObjectNode json = Json.parseObject(text.toString());
        ObjectNode response = parts.addObject()
                .putObject("functionResponse")
                .put("id", result.callId())
                .put("name", name);
        if (result.failed()) {
            response.putObject("response").put("error", text.toString());
        } else if (json == null) {
            response.putObject("response").put("output", text.toString());
        } else {
            response.set("response", json);
        }
    }

    private static void writeSaid(ArrayNode parts, Part part) {
        if (part instanceof Part.Text text) {
            parts.addObject().put("text", text.text());
        } else if (part instanceof Part.Instruction instruction) {
            parts.addObject().put("text", instruction.asText().text());
        } else if (part instanceof Part.Image image) {
            String type = image.mediaType() == null ? typeOfImage(image.link()) : image.mediaType();
            writeMedia(parts, type, image.data(), image.url());
        } else if (part instanceof Part.Document document) {
            String type = document.mediaType() == null ? "application/pdf" : document.mediaType();
            writeMedia(parts, type, document.data(), document.url());
        } else {
            throw new TranslationException(RequestField.TURNS, "a user's turn has a part of the model");
        }
    }

    /** The type of an image, which Gemini requires. For a link it is known only from the end of the URL. */
    private static String typeOfImage(String url) {
        String path = url.replaceFirst("[?#].*", "").toLowerCase(Locale.ROOT);
        for (String ending : List.of("png", "webp", "gif", "heic")) {
            if (path.endsWith("." + ending)) {
                return "image/" + ending;
            }
        }
        return "image/jpeg";
    }

    private static void writeMedia(ArrayNode parts, String type, @Nullable String data, @Nullable String url) {
        if (data == null) {
            parts.addObject().putObject("fileData").put("mimeType", type).put("fileUri", url);
        } else {
            parts.addObject().putObject("inlineData").put("mimeType", type).put("data", data);
        }
    }

    private void writeModel(ArrayNode parts, List<Part> said) {
        boolean signed = false;
        for (Part part : said) {
            if (part instanceof Part.Text text) {
                parts.addObject().put("text", text.text());
            } else if (part instanceof Part.Reasoning reasoning) {
                writeThought(parts, reasoning);
            } else if (part instanceof Part.ToolCall call) {
                String signature = own(call.seal());
                if (signature == null && !signed && signedCalls) {
                    signature = NO_SIGNATURE;
                }
                signed = true;
                writeCall(parts, call, signature);
            } else if (part instanceof Part.Image || part instanceof Part.Document) {
                writeSaid(parts, part);
            } else {
                throw new TranslationException(RequestField.TURNS, "a model's turn has a part of the user");
            }
        }
    }

    private static @Nullable String own(@Nullable Seal seal) {
        return seal != null && seal.origin() == Dialect.GEMINI ? seal.value() : null;
    }

    /** Writes a thought. Only the thoughts of a Gemini model are sent. */
    private static void writeThought(ArrayNode parts, Part.Reasoning reasoning) {
        Seal seal = reasoning.seal();
        if (seal == null || seal.origin() != Dialect.GEMINI) {
            return;
        }
        ObjectNode part = parts.addObject().put("text", reasoning.text());
        if (seal.kind().equals(GeminiDeltaReader.THOUGHT)) {
            part.put("thought", true);
        }
        part.put("thoughtSignature", seal.value());
    }

    private void writeCall(ArrayNode parts, Part.ToolCall call, @Nullable String signature) {
        callNames.put(call.id(), call.name());
        callOrder.putIfAbsent(call.id(), callOrder.size());
        ObjectNode part = parts.addObject();
        part.putObject("functionCall")
                .put("id", call.id())
                .put("name", call.name())
                .set("args", Json.arguments(call.arguments()));
        Json.putKnown(part, "thoughtSignature", signature);
    }

    private void writeTools() {
        List<Tool.Function> tools = request.functions();
        if (!tools.isEmpty()) {
            ArrayNode functions = body.putArray("tools").addObject().putArray("functionDeclarations");
            for (Tool.Function tool : tools) {
                ObjectNode function = functions.addObject().put("name", tool.name());
                Json.putKnown(function, "description", tool.description());
                Json.putKnown(function, "parametersJsonSchema", tool.schema());
            }
        }
        for (Tool.Hosted tool : request.hosted()) {
            body.withArray("tools")
                    .addObject()
                    .putObject(
                            switch (tool.kind()) {
                                case WEB_SEARCH -> "googleSearch";
                                case WEB_FETCH -> "urlContext";
                                case CODE -> "codeExecution";
                                case OTHER -> throw new IllegalStateException("not served: " + tool.type());
                            });
        }
        ToolChoice choice = request.toolChoice();
        if (choice == null || tools.isEmpty()) {
            return;
        }
        ObjectNode calling = body.putObject("toolConfig").putObject("functionCallingConfig");
        switch (choice.mode()) {
            case AUTO -> calling.put("mode", "AUTO");
            case NONE -> calling.put("mode", "NONE");
            case REQUIRED -> calling.put("mode", "ANY");
            case NAMED ->
                calling.put("mode", "ANY").putArray("allowedFunctionNames").add(choice.name());
            case HOSTED -> throw new IllegalStateException("cannot be forced: " + choice.name());
        }
    }

    private void writeConfig() {
        ObjectNode config = Json.object();
        Sampling sampling = request.sampling();
        Json.putKnown(config, "maxOutputTokens", request.maxTokens());
        Json.putKnown(config, "temperature", sampling.temperature());
        Json.putKnown(config, "topP", sampling.topP());
        Json.putKnown(config, "topK", sampling.topK());
        Json.putKnown(config, "seed", sampling.seed());
        Json.putKnown(config, "presencePenalty", sampling.presencePenalty());
        Json.putKnown(config, "frequencyPenalty", sampling.frequencyPenalty());
        if (!sampling.stops().isEmpty()) {
            ArrayNode stops = config.putArray("stopSequences");
            sampling.stops().forEach(stops::add);
        }
        if (request.format() != null) {
            config.put("responseMimeType", "application/json");
            Json.putKnown(config, "responseJsonSchema", request.format().schema());
        }
        writeThinking(config);
        if (!config.isEmpty()) {
            body.set("generationConfig", config);
        }
    }

    private void writeThinking(ObjectNode config) {
        Thinking thinking = request.thinking();
        if (thinking == null) {
            return;
        }
        if (Boolean.FALSE.equals(thinking.enabled())) {
            if (MAY_NOT_THINK.matcher(request.model()).matches()) {
                config.putObject("thinkingConfig").put("thinkingBudget", 0);
            }
            return;
        }
        ObjectNode written = config.putObject("thinkingConfig");
        written.put("includeThoughts", !Boolean.FALSE.equals(thinking.shown()));
        if (thinking.budgetTokens() != null) {
            written.put("thinkingBudget", thinking.budgetTokens());
        } else if (thinking.effort() != null && signedCalls) {
            written.put("thinkingLevel", level(thinking.effort()));
        } else if (thinking.effort() != null) {
            written.put("thinkingBudget", BUDGETS.getOrDefault(thinking.effort(), BUDGETS.get("medium")));
        }
    }

    private static String level(String effort) {
        return switch (effort) {
            case "minimal", "low", "medium" -> effort.toUpperCase(Locale.ROOT);
            default -> "HIGH";
        };
    }
}
