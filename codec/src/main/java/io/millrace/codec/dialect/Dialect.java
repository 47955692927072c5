package io.millrace.codec.dialect;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A protocol in which language models stream their answers. */
public enum Dialect {
    /** OpenAI Chat Completions, its legacy completions, and compatible servers. */
    CHAT(HeartbeatForm.COMMENT),
    /** OpenAI Responses. */
    RESPONSES(HeartbeatForm.COMMENT),
    /** Anthropic Messages. */
    MESSAGES(HeartbeatForm.PING_EVENT),
    /** Google Gemini, {@code streamGenerateContent}. */
    GEMINI(HeartbeatForm.NONE),
    /** Any other event stream: it has no known output, end or error. */
    UNKNOWN(HeartbeatForm.COMMENT);

    private static final Set<String> CONVERSATIONS =
            Set.of("threads", "conversations", "chats", "sessions", "channels", "rooms", "completions");

    private final HeartbeatForm heartbeat;
    private final String label = name().toLowerCase(Locale.ROOT);

    Dialect(HeartbeatForm heartbeat) {
        this.heartbeat = heartbeat;
    }

    /** The name in logs and metrics, such as {@code chat}. */
    public String label() {
        return label;
    }

    /**
     * The dialect with the name that a user gives, in any case.
     *
     * @throws IllegalArgumentException if there is none; the message lists the names
     */
    public static Dialect named(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "chat" -> CHAT;
            case "responses" -> RESPONSES;
            case "messages" -> MESSAGES;
            case "gemini" -> GEMINI;
            default -> throw new IllegalArgumentException(name + " (expected: chat, responses, messages or gemini)");
        };
    }

    /**
     * The dialect that answers a request path. Only the end of the path decides, so it may have any prefix. The query
     * is ignored.
     */
    public static Dialect ofPath(CharSequence path) {
        String bare = withoutQuery(path);
        if (bare.endsWith("/chat/completions") || bare.endsWith("/completions")) {
            return CHAT;
        }
        if (bare.endsWith("/responses") || isOneBelow(bare, "/responses/")) {
            return RESPONSES;
        }
        if (bare.endsWith("/messages") && !isListOfItem(bare)) {
            return MESSAGES;
        }
        return isGenerate(bare) ? GEMINI : UNKNOWN;
    }

    /** The dialect whose JSON error a client of this path expects; {@link #CHAT} if the path does not show it. */
    public static Dialect ofErrorShape(CharSequence path) {
        Dialect dialect = ofPath(path);
        if (dialect != UNKNOWN) {
            return dialect;
        }
        String bare = withoutQuery(path);
        if (bare.contains("/v1/messages/")) {
            return MESSAGES;
        }
        boolean google = bare.contains("/v1beta/") || bare.contains("/v1beta1/") || isGoogleMethod(bare);
        return google && !bare.contains("/openai/") ? GEMINI : CHAT;
    }

    /**
     * The dialect of a side path: a request that asks for no answer, such as a count of tokens, a compaction or a
     * batch. It is {@link #UNKNOWN} if several dialects have the path.
     */
    public static Dialect ofSidePath(CharSequence path) {
        String bare = withoutQuery(path);
        if (bare.endsWith("/messages/count_tokens") || bare.contains("/messages/batches")) {
            return MESSAGES;
        }
        if (bare.endsWith("/responses/compact") || bare.endsWith("/responses/input_tokens")) {
            return RESPONSES;
        }
        return bare.endsWith(":countTokens") || bare.endsWith("%3AcountTokens") ? GEMINI : UNKNOWN;
    }

    /**
     * The path and query of a request for a stream, as the SDKs of this dialect send it to their own provider.
     *
     * @param model the model; only Gemini has it in the path
     * @throws IllegalArgumentException for {@link #UNKNOWN}
     */
    public String operation(String model) {
        return switch (this) {
            case CHAT -> "/v1/chat/completions";
            case RESPONSES -> "/v1/responses";
            case MESSAGES -> "/v1/messages";
            case GEMINI ->
                "/v1beta/models/"
                        + URLEncoder.encode(model, StandardCharsets.UTF_8).replace("+", "%20")
                        + ":streamGenerateContent?alt=sse";
            case UNKNOWN -> throw new IllegalArgumentException("dialect: unknown (expected: one with requests)");
        };
    }

    /** The name of the header field in which the SDKs of this dialect send a key. */
    public String keyHeader() {
        return switch (this) {
            case MESSAGES -> "x-api-key";
            case GEMINI -> "x-goog-api-key";
            case CHAT, RESPONSES, UNKNOWN -> "Authorization";
        };
    }

    /** The value of {@link #keyHeader} for a key. */
    public String keyValue(String key) {
        return this == MESSAGES || this == GEMINI ? key : "Bearer " + key;
    }

    /** Creates an inspector for one stream of this dialect. */
    public StreamInspector newInspector() {
        return switch (this) {
            case CHAT -> new ChatInspector();
            case RESPONSES -> new ResponsesInspector();
            case MESSAGES -> new MessagesInspector();
            case GEMINI -> new GeminiInspector();
            case UNKNOWN -> new OpaqueInspector();
        };
    }

    /**
     * A whole frame that every SDK of this dialect reads as a failure of the stream; {@code null} for {@link #UNKNOWN}.
     *
     * @param alloc allocates the frame, which the caller must release
     * @param message the reason, for people
     * @param lastSequenceNumber the last sequence number of the stream, {@code -1} if there is none; Responses
     *     continues from it
     * @param requestId the request's id, may be {@code null}; only Messages has a field for it
     */
    public @Nullable ByteBuf errorFrame(
            ByteBufAllocator alloc,
            RelayError error,
            String message,
            long lastSequenceNumber,
            @Nullable String requestId) {
        return ErrorShapes.frame(this, alloc, error, message, lastSequenceNumber, requestId);
    }

    /**
     * A JSON error body in this dialect's shape. {@link #UNKNOWN} has OpenAI's shape.
     *
     * @param status the HTTP status of the response
     * @param code a stable word for programs, may be {@code null}
     * @param message the reason, for people
     * @param param the request's field at fault, may be {@code null}
     * @param requestId the request's id, may be {@code null}; only Messages has a field for it
     */
    public byte[] errorBody(
            int status, @Nullable String code, String message, @Nullable String param, @Nullable String requestId) {
        return ErrorShapes.body(this, status, code, message, param, requestId);
    }

    /**
     * A JSON error body for status 429 in this dialect's shape. {@link #UNKNOWN} has OpenAI's shape.
     *
     * @param code a stable word for programs, such as {@code rate_limit_exceeded}; Chat and Responses have a field for
     *     it
     * @param limit the limit that was reached, as one word; it is the error's type in Chat and Responses
     * @param message the reason, for people
     * @param waitMs milliseconds after which the client may try again; Gemini has a field for it
     * @param requestId the request's id, may be {@code null}; only Messages has a field for it
     */
    public byte[] limitBody(String code, String limit, String message, long waitMs, @Nullable String requestId) {
        return ErrorShapes.limitBody(this, code, limit, message, waitMs, requestId);
    }

    /** The bytes that a relay may write into a silent stream of this dialect. */
    public HeartbeatForm heartbeat() {
        return heartbeat;
    }

    private static String withoutQuery(CharSequence path) {
        String text = path.toString();
        int query = text.indexOf('?');
        return query < 0 ? text : text.substring(0, query);
    }

    // /v1/threads/{id}/messages: the messages of a conversation, in other protocols
    private static boolean isListOfItem(String path) {
        int item = path.lastIndexOf('/', path.lastIndexOf('/') - 1);
        int collection = path.lastIndexOf('/', item - 1);
        return collection >= 0 && CONVERSATIONS.contains(path.substring(collection + 1, item));
    }

    private static boolean isOneBelow(String path, String parent) {
        int at = path.lastIndexOf(parent);
        int id = at + parent.length();
        return at >= 0 && id < path.length() && path.indexOf('/', id) < 0;
    }

    /** The colon before the method may be percent-encoded. */
    private static boolean isGenerate(String path) {
        return path.endsWith(":streamGenerateContent")
                || path.endsWith(":generateContent")
                || path.endsWith("%3AstreamGenerateContent")
                || path.endsWith("%3AgenerateContent");
    }

    // /v1/models/{model}:countTokens
    private static boolean isGoogleMethod(String path) {
        int models = path.indexOf("/models/");
        return models >= 0 && path.indexOf(':', models) > 0;
    }
}
