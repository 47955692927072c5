package io.millrace.codec.translate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads errors of all providers. Their shapes overlap, and compatible servers mix them. */
final class UpstreamErrors {
    private static final int MAX_TEXT_CHARS = 500;
    private static final int STATUS_OF_SERVER_ERROR = 500;
    private static final int MAX_DEPTH = 8;
    private static final int MAX_WORDS = 8;
    private static final String FAILED = "the upstream failed";

    private static final Set<String> GOOD_CODES = Set.of("0", "200", "ok", "success");

    /**
     * The texts with which servers say that a prompt is too long. Clients shorten the prompt when they see OpenAI's
     * code for that.
     */
    private static final Pattern CONTEXT =
            Pattern.compile("(?i)prompt is too long|maximum context length|context window|exceeds? the context");

    /** The keys for an object's message. The first one with text is used. */
    private static final List<String> MESSAGES = List.of(
            "message",
            "error_message",
            "error_msg",
            "errorMessage",
            "detail",
            "details",
            "msg",
            "error_description",
            "description",
            "reason",
            "title",
            "error",
            "errors");

    /** The HTTP status of an error without a status, by its code, its type or Google's status. */
    private static final Map<String, Integer> STATUS = Map.ofEntries(
            Map.entry("invalidrequest", 400),
            Map.entry("invalidprompt", 400),
            Map.entry("badrequest", 400),
            Map.entry("contextlengthexceeded", 400),
            Map.entry("invalidargument", 400),
            Map.entry("failedprecondition", 400),
            Map.entry("authentication", 401),
            Map.entry("unauthorized", 401),
            Map.entry("invalidapikey", 401),
            Map.entry("unauthenticated", 401),
            Map.entry("billing", 402),
            Map.entry("permission", 403),
            Map.entry("permissiondenied", 403),
            Map.entry("forbidden", 403),
            Map.entry("notfound", 404),
            Map.entry("modelnotfound", 404),
            Map.entry("conflict", 409),
            Map.entry("requesttoolarge", 413),
            Map.entry("ratelimit", 429),
            Map.entry("ratelimitexceeded", 429),
            Map.entry("toomanyrequests", 429),
            Map.entry("insufficientquota", 429),
            Map.entry("resourceexhausted", 429),
            Map.entry("cancelled", 499),
            Map.entry("unavailable", 503),
            Map.entry("serviceunavailable", 503),
            Map.entry("serverisoverloaded", 503),
            Map.entry("timeout", 504),
            Map.entry("deadlineexceeded", 504),
            Map.entry("overloaded", 529));

    private UpstreamErrors() {}

    /** The error in a body with this status. */
    static ModelError ofBody(int status, byte[] body) {
        ObjectNode json = Json.parseOnlyObject(body, 0, body.length);
        if (json != null) {
            ModelError error = of(json);
            return new ModelError(status, error.code(), error.message());
        }
        String text = shortened(new String(body, StandardCharsets.UTF_8).strip());
        return new ModelError(status, null, text.isEmpty() ? "the upstream answered " + status : text);
    }

    /** The error in a text that is not JSON. */
    static ModelError ofText(byte[] text) {
        ModelError error = ofBody(STATUS_OF_SERVER_ERROR, text);
        return text.length == 0 ? new ModelError(STATUS_OF_SERVER_ERROR, null, FAILED) : error;
    }

    /** Whether an object that is no answer is an error. */
    static boolean isError(JsonNode json) {
        return isError(json, MissingNode.getInstance());
    }

    /**
     * Whether an object is an error: it has one under {@code error}, or it has no content and has fields of errors.
     *
     * @param content the content of an answer of this dialect; missing or empty in an error
     */
    static boolean isError(JsonNode json, JsonNode content) {
        JsonNode error = json.get("error");
        if (error != null && isSaid(error)) {
            return true;
        }
        if (isSaid(content)) {
            return false;
        }
        return Json.text(json, "object").equals("error")
                || isSaid(json.path("error_message"))
                || isSaid(json.path("error_msg"))
                || isSaid(json.path("error_type"))
                || isSaid(json.path("errors"))
                || isSaid(json.path("detail"))
                || (isSaid(json.path("message")) && (isBad(json.path("code")) || isBad(json.path("status_code"))));
    }

    /** Whether there is a code of a failure. Some servers send a code of success in each chunk. */
    private static boolean isBad(JsonNode code) {
        return !code.isMissingNode()
                && !code.isNull()
                && !GOOD_CODES.contains(code.asText().toLowerCase(Locale.ROOT));
    }

    /** Whether a value is not empty. Some servers send an empty error in each chunk. */
    static boolean isSaid(JsonNode value) {
        return value.isTextual()
                ? !value.textValue().isBlank()
                : value.isContainerNode() ? !value.isEmpty() : value.asBoolean();
    }

    /**
     * The error in an object: {@code {"error": {..}}}, {@code {"error": ".."}}, the inner object alone, or any object
     * with a text. Its status is the one in the object, else that of its code or type, else 500.
     */
    static ModelError of(ObjectNode json) {
        JsonNode inner = isSaid(json.path("error")) ? json.path("error") : json;
        JsonNode error = inner.isObject() ? inner : json;
        JsonNode first = error.path("errors").path(0);
        String code = name(error, first, "code", "error_code");
        String type = name(error, first, "type", "error_type");
        String google = name(error, first, "status");
        String name = code != null ? code : google != null ? google : type;
        String message = words(inner, 0);
        if (message == null) {
            message = words(json, 0);
        }
        String cause = cause(error);
        if (cause != null && !cause.equals(message)) {
            message = message == null ? cause : message + ": " + cause;
        }
        if (message == null) {
            message = anyText(json);
        }
        int status = status(error, json, code, google, type);
        if (code == null && message != null && CONTEXT.matcher(message).find()) {
            name = "context_length_exceeded";
        }
        return new ModelError(status, name, message == null ? FAILED : message);
    }

    /** The text under an unknown key, {@code null} if there is none. */
    private static @Nullable String anyText(ObjectNode json) {
        for (Map.Entry<String, JsonNode> field : json.properties()) {
            boolean text =
                    field.getValue().isTextual() && field.getValue().textValue().contains(" ");
            if (text) {
                return shortened(field.getValue().textValue());
            }
        }
        return null;
    }

    /** The first text with the reason, {@code null} if there is none. */
    private static @Nullable String words(JsonNode value, int depth) {
        if (value.isTextual()) {
            return value.textValue().isBlank() ? null : value.textValue();
        }
        if (depth > MAX_DEPTH || !value.isContainerNode()) {
            return null;
        }
        if (value.isArray()) {
            List<String> all = new ArrayList<>();
            for (JsonNode element : value) {
                String words = words(element, depth + 1);
                if (words != null && all.size() < MAX_WORDS) {
                    all.add(placed(element, words));
                }
            }
            return all.isEmpty() ? null : shortened(String.join("; ", all));
        }
        for (String key : MESSAGES) {
            String words = words(value.path(key), depth + 1);
            if (words != null) {
                return words;
            }
        }
        return null;
    }

    /** Adds the place of the fault, which FastAPI sends: {@code {"loc": ["body", "model"], "msg": ".."}}. */
    private static String placed(JsonNode element, String words) {
        List<String> place = new ArrayList<>();
        element.path("loc").forEach(step -> place.add(step.asText()));
        return place.isEmpty() ? words : String.join(".", place) + ": " + words;
    }

    /** The error of OpenRouter's provider, often as JSON, in {@code metadata.raw}. */
    private static @Nullable String cause(JsonNode error) {
        JsonNode raw = error.path("metadata").path("raw");
        ObjectNode json = raw.isTextual() ? Json.parseObject(raw.textValue()) : null;
        String words = words(json == null ? raw : json, 0);
        return words == null ? null : shortened(words);
    }

    private static String shortened(String text) {
        return text.length() > MAX_TEXT_CHARS ? text.substring(0, MAX_TEXT_CHARS) : text;
    }

    /** A code for programs that is not a number, {@code null} if there is none. */
    private static @Nullable String name(JsonNode error, JsonNode first, String... keys) {
        for (JsonNode place : new JsonNode[] {error, first}) {
            for (String key : keys) {
                String word = place.path(key).isTextual() ? place.path(key).textValue() : "";
                if (!word.isBlank() && !word.equals("error") && !word.chars().allMatch(Character::isDigit)) {
                    return word;
                }
            }
        }
        return null;
    }

    private static int status(JsonNode error, JsonNode outer, @Nullable String... names) {
        for (JsonNode place : new JsonNode[] {error, outer}) {
            for (String key : new String[] {"status_code", "code", "status", "error_code", "statusCode"}) {
                int value = place.path(key).asInt();
                if (value >= 400 && value < 600) {
                    return value;
                }
            }
        }
        for (String name : names) {
            Integer status = name == null ? null : STATUS.get(plain(name));
            if (status != null) {
                return status;
            }
        }
        return STATUS_OF_SERVER_ERROR;
    }

    /** A form in which {@code RateLimitError}, {@code rate_limit_error} and {@code rate_limit} are the same. */
    private static String plain(String name) {
        String plain = name.toLowerCase(Locale.ROOT).replace("_", "").replace("-", "");
        return plain.endsWith("error") ? plain.substring(0, plain.length() - "error".length()) : plain;
    }
}
