package io.millrace.server.route;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.millrace.server.balance.RetryAfter;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides after which failures another attempt may succeed: failures of the server and of its load, but not of the
 * request or the account. The names are those of the four dialects' providers and of compatible servers.
 */
public final class FailureClass {
    private static final Set<Integer> STATUSES = Set.of(408, 409, 425, 429, 500, 502, 503, 504, 529);

    private static final Set<String> TYPES = Set.of(
            "overloaded_error",
            "api_error",
            "rate_limit_error",
            "timeout_error",
            "conflict_error",
            "server_error",
            "server_is_overloaded",
            "rate_limit_exceeded",
            "slow_down",
            "overloaded",
            "engine_overloaded",
            "engine_overloaded_error",
            "too_many_requests",
            "requests",
            "tokens",
            "timeout",
            "gateway_timeout",
            "bad_gateway",
            "internal_error",
            "internal_server_error",
            "internalservererror",
            "service_unavailable",
            "service_unavailable_error",
            "unavailable_error",
            "unavailable",
            "resource_exhausted",
            "internal",
            "unknown",
            "aborted",
            "deadline_exceeded");

    /** Names of errors that stay the same at each attempt, although their status may be one that is retried. */
    private static final Set<String> HOPELESS = Set.of(
            "insufficient_quota",
            "credit_balance_exhausted",
            "billing_error",
            "billing_hard_limit_reached",
            "invalid_prompt",
            "context_length_exceeded",
            "content_filter",
            "content_policy_violation");

    /** Names of errors, in the four dialects, that say that a key has asked for too much or too often. */
    private static final Set<String> KEY_LIMITS = Set.of(
            "429",
            "rate_limit_error",
            "rate_limit_exceeded",
            "too_many_requests",
            "requests",
            "tokens",
            "resource_exhausted");

    private static final ObjectMapper JSON = new ObjectMapper();

    private FailureClass() {}

    /**
     * The meaning of an error in JSON.
     *
     * @param retryable whether its type or code stands for a status that is retried
     * @param hopeless whether another attempt would fail, too
     * @param keyLimit whether it is about the limit of one key
     * @param retryAfterNs the wait that it asks for, or {@link RetryAfter#NONE}
     */
    public record ErrorBody(boolean retryable, boolean hopeless, boolean keyLimit, long retryAfterNs) {
        public static final ErrorBody NONE = new ErrorBody(false, false, false, RetryAfter.NONE);
    }

    /** Whether another attempt may succeed after an answer with this status. */
    public static boolean isRetryable(int status) {
        return STATUSES.contains(status);
    }

    /** Whether another attempt may succeed after an error of this type, code or status name; null is none. */
    public static boolean isRetryable(@Nullable String type) {
        if (type == null) {
            return false;
        }
        String name = type.toLowerCase(Locale.ROOT);
        return TYPES.contains(name) || isRetryableNumber(name);
    }

    /** Whether an error of this status, type or code is about the limit of one key; null is none. */
    public static boolean isKeyLimit(@Nullable String reason) {
        return reason != null && KEY_LIMITS.contains(reason.toLowerCase(Locale.ROOT));
    }

    /** Whether other attempts fail after an error of this type or code, even after a wait; null is none. */
    public static boolean isHopeless(@Nullable String type) {
        return type != null && HOPELESS.contains(type.toLowerCase(Locale.ROOT));
    }

    /** Reads a body that may be an error, alone or in an array (as some of Gemini's are), with or without an {@code error} object. */
    public static ErrorBody ofBody(ByteBuf bytes) {
        try (var in = new ByteBufInputStream(bytes.duplicate())) {
            JsonNode root = JSON.readTree((InputStream) in);
            JsonNode body = root == null ? MissingNode.getInstance() : root.isArray() ? root.path(0) : root;
            JsonNode error = body.path("error");
            if (!error.isMissingNode() && !error.isNull()) {
                return ofError(error);
            }
            return isBareError(body) ? ofError(body) : ErrorBody.NONE;
        } catch (IOException e) {
            return ErrorBody.NONE;
        }
    }

    /** Whether {@code body} describes an error and has no answer. */
    private static boolean isBareError(JsonNode body) {
        for (String answer : new String[] {"choices", "output", "content", "candidates"}) {
            if (body.hasNonNull(answer)) {
                return false;
            }
        }
        boolean named = body.path("object").asText("").equals("error")
                || body.hasNonNull("error_message")
                || body.hasNonNull("error_type")
                || body.hasNonNull("error_msg");
        return named || (body.hasNonNull("code") && body.path("message").isTextual());
    }

    private static ErrorBody ofError(JsonNode error) {
        boolean retryable = false;
        boolean keyLimit = false;
        // A spend limit of the account (Messages). A wait does not help.
        boolean hopeless = error.path("details").path("error_code").isTextual();
        for (String key : new String[] {"status", "code", "type", "status_code", "error_code", "error_type"}) {
            String name = error.path(key).asText("").toLowerCase(Locale.ROOT);
            retryable |= isRetryable(name);
            hopeless |= HOPELESS.contains(name);
            keyLimit |= isKeyLimit(name);
        }
        return new ErrorBody(retryable && !hopeless, hopeless, keyLimit, retryDelayNs(error.path("details")));
    }

    /** Google's {@code RetryInfo}: {@code "retryDelay": "34s"}. */
    private static long retryDelayNs(JsonNode details) {
        for (JsonNode detail : details) {
            String delay = detail.path("retryDelay").asText("");
            if (delay.endsWith("s")) {
                return RetryAfter.seconds(delay.substring(0, delay.length() - 1));
            }
        }
        return RetryAfter.NONE;
    }

    private static boolean isRetryableNumber(String name) {
        if (name.length() != 3 || !name.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return false;
        }
        return isRetryable(Integer.parseInt(name));
    }
}
