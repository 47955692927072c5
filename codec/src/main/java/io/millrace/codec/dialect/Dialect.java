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
    /** OpenAI Chat Completions, its legacy completions, and their many compatibles. */
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

    Dialect(HeartbeatForm heartbeat) {
        this.heartbeat = heartbeat;
    }

    /**
     * The dialect of a name that a user gives, in any case.
     *
     * @throws IllegalArgumentException if there is none; the message says which names there are
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
     * The dialect that answers a request path. Only the end of the path decides, so it may have any prefix. The query is
     * ignored.
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

    /** The dialect whose JSON error a client of this path expects; {@link #CHAT} if the path does not tell. */
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
     * The only dialect whose providers serve such a path, of a request that asks for no answer: a count of tokens, a compaction,
     * a batch. {@link #UNKNOWN} if other dialects have the path too.
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
     * @param model only Gemini has it in the path
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

    /** A new inspector for one stream of this dialect. */
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
     * A whole frame that tells every SDK of this dialect that the stream failed, or {@code null} for {@link #UNKNOWN}.
     *
     * @param alloc where the frame comes from; it is the caller's to release
     * @param message what happened, for people
     * @param lastSequenceNumber the sequence number seen last, {@code -1} if none; Responses carries on from it
     * @param requestId the request's id, may be {@code null}; only Messages names it
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
     * A JSON error body in this dialect's shape; {@link #UNKNOWN} has OpenAI's.
     *
     * @param status the HTTP status that it goes with
     * @param code a stable word for programs, may be {@code null}
     * @param message what is wrong, for people
     * @param param the request's field at fault, may be {@code null}
     * @param requestId the request's id, may be {@code null}; only Messages names it
     */
    public byte[] errorBody(
            int status, @Nullable String code, String message, @Nullable String param, @Nullable String requestId) {
        return ErrorShapes.body(this, status, code, message, param, requestId);
    }

    /**
     * A JSON error body of status 429 in this dialect's shape; {@link #UNKNOWN} has OpenAI's.
     *
     * @param code a stable word for programs, such as {@code rate_limit_exceeded}; Chat and Responses name it
     * @param limit what there was too much of, as one word; the type of an error in Chat and Responses
     * @param message what is wrong, for people
     * @param waitMs milliseconds after which it may be tried again; Gemini names it
     * @param requestId the request's id, may be {@code null}; only Messages names it
     */
    public byte[] limitBody(String code, String limit, String message, long waitMs, @Nullable String requestId) {
        return ErrorShapes.limitBody(this, code, limit, message, waitMs, requestId);
    }

    /** What a relay may write into a silent stream of this dialect. */
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

    /** The colon before the method may come percent-encoded. */
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
