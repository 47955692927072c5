package io.millrace.codec.dialect;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Reads Responses events. The type of an event is that of its data. The {@code event:} line is used only if the data
 * has none.
 */
final class ResponsesInspector extends StreamInspector {
    private static final byte[] TYPE = ascii("type");
    private static final byte[] SEQUENCE_NUMBER = ascii("sequence_number");
    private static final byte[] DELTA = ascii("delta");
    private static final byte[] ARGUMENTS = ascii("arguments");
    private static final byte[] RESPONSE = ascii("response");
    private static final byte[] ERROR = ascii("error");
    private static final byte[] MODEL = ascii("model");
    private static final byte[] ID = ascii("id");
    private static final byte[] CREATED_AT = ascii("created_at");
    private static final byte[] STATUS = ascii("status");
    private static final byte[] INCOMPLETE_DETAILS = ascii("incomplete_details");
    private static final byte[] REASON = ascii("reason");
    private static final byte[] USAGE = ascii("usage");
    private static final byte[] QUOTED_TYPE = ascii("\"type\"");
    private static final byte[] QUOTED_USAGE = ascii("\"usage\"");
    private static final byte[] QUOTED_INCOMPLETE_DETAILS = ascii("\"incomplete_details\"");
    private static final byte[] QUOTED_SEQUENCE_NUMBER = ascii("\"sequence_number\"");

    private static final String STOPPED = "stopped";
    private static final byte[] RESPONSE_PREFIX = ascii("response.");
    private static final byte[] DELTA_SUFFIX = ascii(".delta");
    private static final byte[] PARTIAL_IMAGE_SUFFIX = ascii(".partial_image");
    static final UsageKeys USAGE_KEYS = new UsageKeys()
            .number("input_tokens", FrameShape.INPUT_TOKENS)
            .number("output_tokens", FrameShape.OUTPUT_TOKENS)
            .object("input_tokens_details", UsageKeys.OPENAI_DETAILS)
            .object("output_tokens_details", UsageKeys.OPENAI_DETAILS);

    private enum Type {
        NONE(null),
        DELTA(null),
        ARGUMENTS_DELTA("response.function_call_arguments.delta"),
        ARGUMENTS_DONE("response.function_call_arguments.done"),
        IMAGE(null),
        ITEM_ADDED("response.output_item.added"),
        COMPLETED("response.completed"),
        INCOMPLETE("response.incomplete"),
        CANCELLED("response.cancelled"),
        FAILED("response.failed"),
        ERROR("error"),
        KEEPALIVE("keepalive"),
        OTHER(null);

        @SuppressWarnings("ImmutableEnumChecker") // never written to
        private final byte[] bytes;

        Type(@Nullable String name) {
            bytes = name == null ? new byte[0] : ascii(name);
        }
    }

    private static final Type[] NAMED =
            Arrays.stream(Type.values()).filter(type -> type.bytes.length > 0).toArray(Type[]::new);

    private Type type = Type.NONE;
    private boolean foreignType;
    private boolean filled;
    private int dataAt;
    private int responseAt;
    private boolean argumentsCame;
    private boolean responseSeen;

    ResponsesInspector() {
        super(Dialect.RESPONSES);
    }

    @Override
    void beginFrame() {
        type = Type.NONE;
        foreignType = false;
        filled = false;
        dataAt = -1;
        responseAt = -1;
    }

    @Override
    long mark() {
        return type == Type.ARGUMENTS_DELTA ? 1 : 0;
    }

    @Override
    void repeat(long mark) {
        argumentsCame |= mark != 0;
    }

    @Override
    void scan(JsonCursor json) {
        dataAt = json.position() - 1;
        while (json.nextKey()) {
            if (json.tokenIs(TYPE)) {
                scanType(json);
            } else if (json.tokenIs(SEQUENCE_NUMBER)) {
                numbers.read(json, FrameShape.SEQUENCE_NUMBER);
            } else if (json.tokenIs(DELTA) || json.tokenIs(ARGUMENTS)) {
                filled |= json.filledAhead();
                json.skipValue();
            } else if (json.tokenIs(RESPONSE)) {
                markSingular();
                responseSeen = true;
                responseAt = json.position();
                json.skipValue();
            } else if (json.tokenIs(ERROR)) {
                takeError(json);
            } else {
                passOver(json);
            }
        }
    }

    /** Only events that have their type in the data. */
    @Override
    boolean seesErrorEvents() {
        return type == Type.ERROR;
    }

    @Override
    boolean saysNothing() {
        return (type == Type.NONE || foreignType) && responseAt < 0;
    }

    @Override
    void settle(JsonCursor json, byte[] bytes, int eventFrom, int eventTo) {
        super.settle(json, bytes, eventFrom, eventTo);
        if (type == Type.NONE && eventTo > eventFrom) {
            type = typeOf(bytes, eventFrom, eventTo);
        }
        if (type == Type.ITEM_ADDED) {
            argumentsCame = false;
        } else if (type == Type.ARGUMENTS_DELTA) {
            argumentsCame |= filled;
        } else if (type == Type.ARGUMENTS_DONE) {
            markSingular();
        } else if (type == Type.ERROR) {
            markError();
            if (dataAt >= 0) {
                json.moveTo(dataAt);
                error.read(json);
            }
        }
        if (responseAt >= 0 && (isTerminal() || model() == null)) {
            json.moveTo(responseAt);
            scanResponse(json);
        }
    }

    @Override
    void scanTail(JsonCursor tail) {
        if (type == Type.NONE && LastBytes.findLastValue(tail, QUOTED_TYPE)) {
            scanType(tail);
        }
        if (isTerminal()) {
            scanTerminalTail(tail);
        }
        if (LastBytes.findLastValue(tail, QUOTED_SEQUENCE_NUMBER)) {
            numbers.take(FrameShape.SEQUENCE_NUMBER, tail.readCount());
        }
    }

    /** The output is not repeated. The client has it, and it is not kept here. */
    @Override
    void writeStop(StopWriter out, StreamStop stop) {
        long number = sequenceNumber();
        if (!responseSeen) {
            ObjectNode response = response("in_progress", stop).putNull("incomplete_details");
            out.event(event("response.created", ++number, response.putNull("usage")));
        }
        ObjectNode response = response("incomplete", stop);
        response.putObject("incomplete_details").put("reason", STOPPED);
        putUsage(response);
        out.event(event("response.incomplete", number + 1, response));
    }

    private static ObjectNode event(String name, long sequenceNumber, ObjectNode response) {
        return StopWriter.object()
                .put("type", name)
                .put("sequence_number", sequenceNumber)
                .set("response", response);
    }

    private ObjectNode response(String status, StreamStop stop) {
        ObjectNode response = StopWriter.object()
                .put("id", head.id() == null ? "resp_" + stop.id() : head.id())
                .put("object", "response")
                .put("created_at", head.created() < 0 ? stop.nowSeconds() : head.created())
                .put("status", status)
                .putNull("error")
                .put("model", model() == null ? stop.model() : model());
        response.putArray("output");
        return response;
    }

    private void putUsage(ObjectNode response) {
        Usage usage = usage();
        if (usage.inputTokens() < 0 || usage.outputTokens() < 0) {
            response.putNull("usage");
            return;
        }
        ObjectNode json = response.putObject("usage").put("input_tokens", usage.inputTokens());
        json.putObject("input_tokens_details").put("cached_tokens", Math.max(0, usage.cachedTokens()));
        json.put("output_tokens", usage.outputTokens());
        json.putObject("output_tokens_details").put("reasoning_tokens", Math.max(0, usage.reasoningTokens()));
        json.put("total_tokens", usage.inputTokens() + usage.outputTokens());
    }

    @Override
    FrameKind kind() {
        return switch (type) {
            case DELTA, ARGUMENTS_DELTA -> filled ? FrameKind.OUTPUT : FrameKind.STRUCTURAL;
            case ARGUMENTS_DONE -> filled && !argumentsCame ? FrameKind.OUTPUT : FrameKind.STRUCTURAL;
            case IMAGE -> FrameKind.OUTPUT;
            case COMPLETED, INCOMPLETE, CANCELLED -> FrameKind.TERMINAL;
            case FAILED, ERROR -> FrameKind.ERROR;
            case KEEPALIVE -> FrameKind.KEEP_ALIVE;
            case NONE, ITEM_ADDED, OTHER -> FrameKind.STRUCTURAL;
        };
    }

    @Override
    FrameKind doneKind() {
        return end() == StreamEnd.OPEN ? FrameKind.STRUCTURAL : FrameKind.TERMINAL;
    }

    @Override
    StreamEnd endAfter(FrameKind kind, boolean done) {
        if (end() == StreamEnd.OPEN) {
            return kind == FrameKind.TERMINAL ? StreamEnd.TERMINAL : StreamEnd.OPEN;
        }
        return done ? StreamEnd.DONE : end();
    }

    private void scanTerminalTail(JsonCursor tail) {
        if (LastBytes.findLastObject(tail, QUOTED_USAGE)) {
            USAGE_KEYS.read(tail, numbers);
        }
        if (finishReason() == null) {
            takeFinishReason(defaultStatus());
        }
        if ("incomplete".equals(finishReason()) && LastBytes.findLastObject(tail, QUOTED_INCOMPLETE_DETAILS)) {
            String reason = scanReason(tail, null);
            takeFinishReason(reason == null ? "incomplete" : "incomplete:" + reason);
        }
    }

    private boolean isTerminal() {
        return switch (type) {
            case COMPLETED, INCOMPLETE, CANCELLED, FAILED -> true;
            default -> false;
        };
    }

    private void scanType(JsonCursor json) {
        if (json.readString()) {
            type = typeOf(json.bytes(), json.tokenStart(), json.tokenEnd());
            foreignType = type == Type.OTHER
                    && !FieldLines.startsWith(json.bytes(), json.tokenStart(), json.tokenEnd(), RESPONSE_PREFIX);
        }
    }

    private static Type typeOf(byte[] bytes, int from, int to) {
        if (endsWith(bytes, from, to, DELTA_SUFFIX)) {
            return is(bytes, from, to, Type.ARGUMENTS_DELTA.bytes) ? Type.ARGUMENTS_DELTA : Type.DELTA;
        }
        for (Type type : NAMED) {
            if (is(bytes, from, to, type.bytes)) {
                return type;
            }
        }
        return endsWith(bytes, from, to, PARTIAL_IMAGE_SUFFIX) ? Type.IMAGE : Type.OTHER;
    }

    private static boolean is(byte[] bytes, int from, int to, byte[] name) {
        return to - from == name.length && Arrays.equals(bytes, from, to, name, 0, name.length);
    }

    private static boolean endsWith(byte[] bytes, int from, int to, byte[] suffix) {
        return to - from >= suffix.length && is(bytes, to - suffix.length, to, suffix);
    }

    private void scanResponse(JsonCursor json) {
        if (!json.enterObject()) {
            return;
        }
        boolean terminal = isTerminal();
        String status = defaultStatus();
        String detail = null;
        while (json.nextKey()) {
            if (json.tokenIs(MODEL)) {
                head.takeModel(json);
            } else if (json.tokenIs(ID)) {
                head.takeId(json);
            } else if (json.tokenIs(CREATED_AT)) {
                head.takeCreated(json);
            } else if (!terminal) {
                json.skipValue();
            } else if (json.tokenIs(STATUS)) {
                status = json.readString() ? json.token(status) : status;
            } else if (json.tokenIs(INCOMPLETE_DETAILS)) {
                detail = scanReason(json, detail);
            } else if (json.tokenIs(ERROR) && json.truthyAhead()) {
                error.read(json);
                detail = error.type();
            } else if (json.tokenIs(USAGE)) {
                USAGE_KEYS.read(json, numbers);
            } else {
                json.skipValue();
            }
        }
        if (terminal) {
            takeFinishReason(detail == null ? status : status + ':' + detail);
        }
    }

    private String defaultStatus() {
        return switch (type) {
            case INCOMPLETE -> "incomplete";
            case CANCELLED -> "cancelled";
            case FAILED -> "failed";
            default -> "completed";
        };
    }

    private static @Nullable String scanReason(JsonCursor json, @Nullable String previous) {
        String reason = previous;
        if (json.enterObject()) {
            while (json.nextKey()) {
                if (json.tokenIs(REASON)) {
                    reason = json.readString() ? json.token(null) : reason;
                } else {
                    json.skipValue();
                }
            }
        }
        return reason;
    }
}
