package io.millrace.codec.dialect;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Writes errors in the shape that each dialect's SDKs expect. All output is ASCII, so that no text can break a frame or
 * its encoding.
 */
final class ErrorShapes {
    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();

    private ErrorShapes() {}

    static @Nullable ByteBuf frame(
            Dialect dialect,
            ByteBufAllocator alloc,
            RelayError error,
            String message,
            long lastSequenceNumber,
            @Nullable String requestId) {
        String code = error.code();
        String codedMessage = code + ": " + message;
        return switch (dialect) {
            case CHAT -> frame(alloc, "data: ", openAi("server_error", code, message, null), "\n\n");
            case RESPONSES ->
                frame(alloc, "event: error\ndata: ", responses(code, message, lastSequenceNumber + 1), "\n\n");
            case MESSAGES ->
                frame(alloc, "event: error\ndata: ", anthropic("api_error", codedMessage, requestId), "\n\n");
            case GEMINI -> frame(alloc, "data: ", google(googleStatus(error), codedMessage), "\r\n\r\n");
            case UNKNOWN -> null;
        };
    }

    static byte[] body(
            Dialect dialect,
            int status,
            @Nullable String code,
            String message,
            @Nullable String param,
            @Nullable String requestId) {
        return switch (dialect) {
            case MESSAGES -> bytes(anthropic(anthropicType(status), naming(param, message), requestId));
            case GEMINI -> bytes(google(status, naming(param, message)));
            case CHAT, RESPONSES, UNKNOWN -> bytes(openAi(openAiType(status), code, message, param));
        };
    }

    static byte[] limitBody(
            Dialect dialect, String code, String limit, String message, long waitMs, @Nullable String requestId) {
        return switch (dialect) {
            case MESSAGES -> bytes(anthropic(anthropicType(429), message, requestId));
            case GEMINI -> bytes(googleLimit(message, waitMs));
            case CHAT, RESPONSES, UNKNOWN -> bytes(openAi(limit, code, message, null));
        };
    }

    /** The delay has the form of protobuf's JSON: seconds with a fraction. */
    private static ObjectNode googleLimit(String message, long waitMs) {
        ObjectNode root = google(429, message);
        ((ObjectNode) root.get("error"))
                .putArray("details")
                .addObject()
                .put("@type", "type.googleapis.com/google.rpc.RetryInfo")
                .put("retryDelay", "%d.%03ds".formatted(waitMs / 1000, waitMs % 1000));
        return root;
    }

    // {"error": {"message": "..", "type": "..", "param": null, "code": ".."}}
    private static ObjectNode openAi(String type, @Nullable String code, String message, @Nullable String param) {
        ObjectNode root = MAPPER.createObjectNode();
        root.putObject("error")
                .put("message", message)
                .put("type", type)
                .put("param", param)
                .put("code", code);
        return root;
    }

    /** Typed readers read the flat fields. The Node and Python SDKs throw because of the inner error. */
    private static ObjectNode responses(String code, String message, long sequenceNumber) {
        ObjectNode root = MAPPER.createObjectNode()
                .put("type", "error")
                .put("sequence_number", sequenceNumber)
                .put("code", code)
                .put("message", message)
                .putNull("param");
        root.putObject("error")
                .put("type", "server_error")
                .put("code", code)
                .put("message", message)
                .putNull("param");
        return root;
    }

    // {"type": "error", "error": {"type": "..", "message": ".."}, "request_id": ".."}
    private static ObjectNode anthropic(String type, String message, @Nullable String requestId) {
        ObjectNode root = MAPPER.createObjectNode().put("type", "error");
        root.putObject("error").put("type", type).put("message", message);
        if (requestId != null) {
            root.put("request_id", requestId);
        }
        return root;
    }

    // {"error": {"code": 503, "message": "..", "status": "UNAVAILABLE"}}
    private static ObjectNode google(int status, String message) {
        ObjectNode root = MAPPER.createObjectNode();
        root.putObject("error").put("code", status).put("message", message).put("status", googleName(status));
        return root;
    }

    private static int googleStatus(RelayError error) {
        return switch (error) {
            case UPSTREAM_IDLE, UPSTREAM_NO_OUTPUT -> 504;
            case UPSTREAM_TRUNCATED,
                    UPSTREAM_RESET,
                    UPSTREAM_ERROR,
                    RELAY_DRAINING,
                    RELAY_UNREAD,
                    RELAY_STOPPED,
                    RELAY_LOST -> 503;
            case KEY_REVOKED -> 401;
        };
    }

    private static String openAiType(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 403 -> "permission_error";
            case 429 -> "rate_limit_error";
            default -> status >= 500 ? "server_error" : "invalid_request_error";
        };
    }

    private static String anthropicType(int status) {
        return switch (status) {
            case 401 -> "authentication_error";
            case 402 -> "billing_error";
            case 403 -> "permission_error";
            case 404 -> "not_found_error";
            case 408, 504 -> "timeout_error";
            case 409 -> "conflict_error";
            case 413 -> "request_too_large";
            case 429 -> "rate_limit_error";
            case 529 -> "overloaded_error";
            default -> status >= 500 ? "api_error" : "invalid_request_error";
        };
    }

    private static String googleName(int status) {
        return switch (status) {
            case 401 -> "UNAUTHENTICATED";
            case 403 -> "PERMISSION_DENIED";
            case 404 -> "NOT_FOUND";
            case 408, 504 -> "DEADLINE_EXCEEDED";
            case 409 -> "ABORTED";
            case 429 -> "RESOURCE_EXHAUSTED";
            case 499 -> "CANCELLED";
            case 501 -> "UNIMPLEMENTED";
            case 502, 503, 529 -> "UNAVAILABLE";
            default -> status >= 500 ? "INTERNAL" : "INVALID_ARGUMENT";
        };
    }

    /** Prefixes the message with the name of the request's field, for shapes that have no field for it. */
    private static String naming(@Nullable String param, String message) {
        return param == null ? message : param + ": " + message;
    }

    private static ByteBuf frame(ByteBufAllocator alloc, String before, ObjectNode json, String after) {
        byte[] data = bytes(json);
        ByteBuf frame = alloc.buffer(before.length() + data.length + after.length());
        frame.writeCharSequence(before, StandardCharsets.US_ASCII);
        frame.writeBytes(data);
        frame.writeCharSequence(after, StandardCharsets.US_ASCII);
        return frame;
    }

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static byte[] bytes(ObjectNode json) {
        try {
            return MAPPER.writeValueAsBytes(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of strings and numbers was not written", e);
        }
    }
}
