package io.millrace.server.relay;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.translate.TranslatedRequest;
import io.millrace.server.access.ClientKey;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.DialectSide;
import io.millrace.server.format.Interpreter;
import io.millrace.server.format.RequestRefusal;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.Target;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** One client's request as far as it has been read, and what becomes of it for an upstream. */
final class ClientRequest {
    private static final Set<HttpMethod> SAFE = Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);
    /** Content that is no JSON and has no model in it, whatever its bytes are. */
    private static final Pattern MODELLESS = Pattern.compile(
            "(audio|image|video)/|application/(octet-stream|pdf|zip|jsonl|x-ndjson)", Pattern.CASE_INSENSITIVE);

    private static final ByteBuf MODEL_PART = ascii("name=\"model\"");
    private static final ByteBuf BARE_MODEL_PART = ascii("name=model\r\n");

    private final HttpMethod method;
    private final Target target;
    private final RequestBody body;
    private final boolean hasKey;
    private final boolean usageWanted;
    private ClientSide client;
    private @Nullable HttpRequest head;
    private RequestFields fields = RequestFields.NONE;
    private @Nullable RequestFieldsReader reader;
    private boolean complete;
    private boolean usageAdded;
    private Dialect keyDialect = Dialect.UNKNOWN;

    /**
     * A request of which the head is here.
     *
     * @param client what it is taken to speak
     * @param usageWanted whether the relay must know the usage, whatever the route says
     */
    ClientRequest(HttpRequest head, RequestBody body, ClientSide client, boolean usageWanted) {
        this.usageWanted = usageWanted;
        this.head = head;
        this.client = client;
        method = head.method();
        this.body = body;
        target = Target.of(head.uri());
        hasKey = ClientKey.isIn(head.headers(), target);
        String model = target.modelInPath();
        if (model != null) {
            fields = RequestFields.ofPath(model, target.path().endsWith("streamGenerateContent"));
        }
    }

    HttpMethod method() {
        return method;
    }

    HttpHeaders headers() {
        return head().headers();
    }

    private HttpRequest head() {
        return requireNonNull(head, "the head was forgotten");
    }

    /** What the client speaks. */
    ClientSide client() {
        return client;
    }

    /** The client speaks {@code other}, whatever its path says. */
    void speaks(ClientSide other) {
        client = other;
    }

    /** {@code refusal} as the body of an answer, in the form that the client knows, or its path does. */
    byte[] errorBody(Refusal refusal, String requestId) {
        boolean unknown = client.dialect() == Dialect.UNKNOWN && !client.isOwn();
        ClientSide shape = unknown ? DialectSide.of(Dialect.ofErrorShape(target.path())) : client;
        if (refusal.limit() != null && !client.isOwn()) {
            return shape.dialect()
                    .limitBody(refusal.code(), refusal.limit(), refusal.message(), refusal.waitMs(), requestId);
        }
        return shape.errorBody(refusal.status(), refusal.code(), refusal.message(), refusal.field(), requestId);
    }

    Target target() {
        return target;
    }

    RequestBody body() {
        return body;
    }

    /** What the path or the body says; the body's once it is complete. */
    RequestFields fields() {
        return fields;
    }

    /** Whether the last byte has been read. */
    boolean complete() {
        return complete;
    }

    /** Whether the client sends its body only when it is told to. */
    boolean waitsForContinue() {
        return HttpUtil.is100ContinueExpected(head());
    }

    /** Drops the head, as nothing is sent upstream any more. It takes about a kilobyte, and a stream may last for minutes. */
    void forgetHead() {
        head = null;
    }

    /** The coding that the body has, or null. */
    @Nullable
    String coding() {
        List<String> codings = headers().getAll(HttpHeaderNames.CONTENT_ENCODING);
        String coding = String.join(", ", codings).trim();
        return coding.isEmpty() || coding.equalsIgnoreCase("identity") ? null : coding;
    }

    /** The coding is taken off the body while it is read. */
    void uncoded() {
        headers().remove(HttpHeaderNames.CONTENT_ENCODING);
    }

    /** Has the fields of the body found while it comes, unless the path says it all. */
    void readFields() {
        if (fields.model() == null && reader == null) {
            reader = new RequestFieldsReader();
        }
    }

    /** Looks at a further part of the body, which remains with the caller. */
    void look(ByteBuf part) {
        if (reader != null) {
            reader.read(part);
        }
    }

    /** The last byte has been read. */
    void end() {
        complete = true;
        if (reader != null && body.received() > 0) {
            fields = reader.end();
        }
        reader = null;
    }

    /** Why nothing in the body can be read or changed where it must be, as an answer to the client; null if it can. */
    @Nullable
    Refusal unreadable() {
        if (fields.invalid() == null) {
            return null;
        }
        if (fields.invalid().equals(RequestFieldsReader.NOT_UTF_8)) {
            return Refusal.of(
                    415,
                    "unsupported_media_type",
                    "The request body is not UTF-8, the only encoding of JSON that can be read here.");
        }
        if (isMultipart()) {
            return Refusal.of(
                    415,
                    "unsupported_media_type",
                    "The request body is multipart, and the model in it cannot be read here.");
        }
        return Refusal.of(400, "invalid_json", "The model must be read here, but " + fields.invalid() + ".");
    }

    /**
     * Why {@code route}, which renames the model, cannot have that done: as an answer to the client; null if it can, or if
     * there is none to rename.
     */
    @Nullable
    Refusal unnameable(Route route) {
        if (fields.invalid() == null || !isRewrittenBy(route)) {
            return null;
        }
        String type = headers().get(HttpHeaderNames.CONTENT_TYPE, "");
        boolean other = MODELLESS.matcher(type).lookingAt();
        return other || (isMultipart() && !namesModel()) ? null : unreadable();
    }

    private boolean isMultipart() {
        String type = headers().get(HttpHeaderNames.CONTENT_TYPE, "");
        return type.toLowerCase(Locale.ROOT).startsWith("multipart/");
    }

    /** Whether a part of a multipart body has the model's name. */
    private boolean namesModel() {
        ByteBuf bytes = body.bytes();
        return ByteBufUtil.indexOf(MODEL_PART, bytes) >= 0 || ByteBufUtil.indexOf(BARE_MODEL_PART, bytes) >= 0;
    }

    /**
     * Whether it changes nothing to ask twice: the method is safe (RFC 9110 section 9.2.1), or a model is asked for an
     * answer, at its dialect's own path. Anything else, such as an upload, a job or a tool's call, might then be done twice.
     */
    boolean isRepeatable() {
        boolean asksForAnswer = client.isOwn()
                || (method.equals(HttpMethod.POST)
                        && client.dialect() != Dialect.UNKNOWN
                        && Dialect.ofPath(target.path()) != Dialect.UNKNOWN);
        return asksForAnswer || SAFE.contains(method);
    }

    /** Whether the client sent a key of its own. */
    boolean hasKey() {
        return hasKey;
    }

    /** Has the client's own format read the request, which is here as a whole. */
    void readOwn() throws RequestRefusal {
        client.read(head(), body.bytes());
        fields = RequestFields.ofPath(client.model(), client.stream());
    }

    /** Makes what stands between the client and an upstream that speaks otherwise. The request is here as a whole. */
    Supplier<Interpreter> interpreter(ClientSide.Asked asked) {
        ByteBuf bytes = body.bytes();
        ClientSide asking = client;
        return () -> asking.interpreter(target.path() + target.query(), bytes, asked);
    }

    /**
     * Says what the servers speak that a key of the client's own is meant for: those of the route's first target. No
     * translation gives it to others, which may be another company's.
     */
    void keyIsFor(Dialect dialect) {
        keyDialect = dialect;
    }

    /** The head of a request that was translated. */
    HttpRequest translated(Upstream upstream, Dialect dialect, TranslatedRequest translated) {
        return Heads.translated(
                head(), target, keyDialect, upstream, dialect, translated.path(), translated.body().length);
    }

    /** Whether a target of {@code route} changes the body, which must then be here as a whole before it is sent. */
    boolean isRewrittenBy(Route route) {
        for (int i = 0; i < route.targets().size(); i++) {
            if (isRewrittenFor(route.targets().get(i))) {
                return true;
            }
        }
        return false;
    }

    /** Whether {@code route} may have this request ask for usage that its client did not ask for. */
    boolean mayBeMadeToTellUsage(Route route) {
        return (route.includeUsage() || usageWanted)
                && client.dialect() == Dialect.CHAT
                && method.equals(HttpMethod.POST);
    }

    /** Whether the client asked for a frame that tells the usage. */
    boolean usageAsked() {
        return fields.usage() != null && fields.usage().asked();
    }

    /** Whether the request was made to ask for usage, so that what comes for it is not the client's. */
    boolean usageAdded() {
        return usageAdded;
    }

    /** The head for {@code upstream}; {@code length} is that of a body that is here as a whole, else -1. */
    HttpRequest forUpstream(Route.Target place, Upstream upstream, Dialect dialect, long length) {
        String renamed = place.rewriteModel();
        boolean inPath = target.modelInPath() != null;
        Target asked = renamed != null && inPath ? target.withModel(renamed) : target;
        boolean mayStream =
                (dialect != Dialect.UNKNOWN && method.equals(HttpMethod.POST)) || Heads.acceptsEventStream(headers());
        return Heads.request(head(), asked, upstream, length, mayStream);
    }

    /** The complete body as {@code place} gets it, released by the caller. */
    ByteBuf bodyFor(Route route, Route.Target place) {
        boolean mayAdd = body.isKept() && fields.stream() && mayBeMadeToTellUsage(route);
        RequestFields.Usage added = mayAdd ? fields.missingUsage() : null;
        usageAdded = added != null;
        String renamed = isRewrittenFor(place) && fields.modelStart() >= 0 ? place.rewriteModel() : null;
        ByteBuf bytes = body.bytes().retainedSlice();
        // From behind, so that the places of what comes before stay as they are.
        if (added != null && added.start() >= fields.modelEnd()) {
            bytes = added.applyTo(bytes);
        }
        if (renamed != null) {
            bytes = fields.withModel(bytes, renamed);
        }
        if (added != null && added.start() < fields.modelEnd()) {
            bytes = added.applyTo(bytes);
        }
        return bytes;
    }

    private static ByteBuf ascii(String text) {
        return Unpooled.unreleasableBuffer(Unpooled.copiedBuffer(text, StandardCharsets.US_ASCII));
    }

    private boolean isRewrittenFor(Route.Target place) {
        return place.rewriteModel() != null && target.modelInPath() == null;
    }
}
