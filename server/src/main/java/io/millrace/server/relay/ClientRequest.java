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
import io.millrace.server.telemetry.Correlation;
import io.millrace.server.telemetry.Tracing;
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

/** The request of one client, as far as it was read, and its form for an upstream. */
final class ClientRequest {
    private static final Set<HttpMethod> SAFE = Set.of(HttpMethod.GET, HttpMethod.HEAD, HttpMethod.OPTIONS);
    /** Content types of bodies that are not JSON and contain no model. */
    private static final Pattern MODELLESS = Pattern.compile(
            "(audio|image|video)/|application/(octet-stream|pdf|zip|jsonl|x-ndjson)", Pattern.CASE_INSENSITIVE);

    private static final ByteBuf MODEL_PART = ascii("name=\"model\"");
    private static final ByteBuf BARE_MODEL_PART = ascii("name=model\r\n");

    private final HttpMethod method;
    private final Target target;
    private final RequestBody body;
    private final boolean hasKey;
    /** What the client calls it. */
    final Correlation correlation;

    private final boolean usageWanted;
    private ClientSide client;
    private @Nullable HttpRequest head;
    private RequestFields fields = RequestFields.NONE;
    private @Nullable RequestFieldsReader reader;
    private boolean complete;
    private boolean usageAdded;
    private Dialect keyDialect = Dialect.UNKNOWN;

    /**
     * Creates a request from its head.
     *
     * @param client the format of the client, by the path
     * @param usageWanted whether the relay needs the usage, independent of the route
     */
    ClientRequest(HttpRequest head, RequestBody body, ClientSide client, boolean usageWanted, Tracing tracing) {
        this.usageWanted = usageWanted;
        this.head = head;
        this.client = client;
        method = head.method();
        this.body = body;
        target = Target.of(head.uri());
        correlation = tracing.correlate(head.headers());
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

    /** The format of the client. */
    ClientSide client() {
        return client;
    }

    /** Sets the format of the client, in place of the one by the path. */
    void speaks(ClientSide other) {
        client = other;
    }

    /** The body of the response for {@code refusal}, in the form of the client's format, or of its path. */
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

    /** The fields from the path or the body. The body's fields are known when it is complete. */
    RequestFields fields() {
        return fields;
    }

    /** Whether the last byte was read. */
    boolean complete() {
        return complete;
    }

    /** Whether the client waits for a 100 (Continue) before it sends its body. */
    boolean waitsForContinue() {
        return HttpUtil.is100ContinueExpected(head());
    }

    /**
     * Releases the head when nothing more is sent upstream. It takes about a kilobyte, and a stream may last for
     * minutes.
     */
    void forgetHead() {
        head = null;
    }

    /** The content coding of the body, or null. */
    @Nullable
    String coding() {
        List<String> codings = headers().getAll(HttpHeaderNames.CONTENT_ENCODING);
        String coding = String.join(", ", codings).trim();
        return coding.isEmpty() || coding.equalsIgnoreCase("identity") ? null : coding;
    }

    /** Notes that the coding is removed from the body while it is read. */
    void uncoded() {
        headers().remove(HttpHeaderNames.CONTENT_ENCODING);
    }

    /** Finds the fields of the body while it comes, unless the path has all of them. */
    void readFields() {
        if (fields.model() == null && reader == null) {
            reader = new RequestFieldsReader();
        }
    }

    /** Reads a further part of the body, which remains with the caller. */
    void look(ByteBuf part) {
        if (reader != null) {
            reader.read(part);
        }
    }

    /** The last byte was read. */
    void end() {
        complete = true;
        if (reader != null && body.received() > 0) {
            fields = reader.end();
        }
        reader = null;
    }

    /** The refusal if something in the body must be read or changed and cannot be; null if all is well. */
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
     * The refusal if {@code route} renames the model and the body does not allow that; null if all is well, or the
     * route does not rename.
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

    /** Whether a part of a multipart body has the name of a model. */
    private boolean namesModel() {
        ByteBuf bytes = body.bytes();
        return ByteBufUtil.indexOf(MODEL_PART, bytes) >= 0 || ByteBufUtil.indexOf(BARE_MODEL_PART, bytes) >= 0;
    }

    /**
     * Whether the request has the same effect if it is sent twice: its method is safe (RFC 9110 section 9.2.1), or it
     * asks a model for an answer at a path of its dialect. Anything else, such as an upload, a job or a call of a tool,
     * might be done twice.
     */
    boolean isRepeatable() {
        boolean asksForAnswer = client.isOwn()
                || (method.equals(HttpMethod.POST)
                        && client.dialect() != Dialect.UNKNOWN
                        && Dialect.ofPath(target.path()) != Dialect.UNKNOWN);
        return asksForAnswer || SAFE.contains(method);
    }

    /** Whether the client has sent its own key. */
    boolean hasKey() {
        return hasKey;
    }

    /** Reads the complete request in the client's own format. */
    void readOwn() throws RequestRefusal {
        client.read(head(), body.bytes());
        fields = RequestFields.ofPath(client.model(), client.stream());
    }

    /** Translates between the client and an upstream of another dialect. The request is complete. */
    Supplier<Interpreter> interpreter(ClientSide.Asked asked) {
        ByteBuf bytes = body.bytes();
        ClientSide asking = client;
        return () -> asking.interpreter(target.path() + target.query(), bytes, asked);
    }

    /**
     * Sets the dialect of the servers for which the client's own key is meant: those of the route's first target. A
     * translation does not send the key to other servers, which may belong to another company.
     */
    void keyIsFor(Dialect dialect) {
        keyDialect = dialect;
    }

    /** The head of a request that was translated. */
    HttpRequest translated(Upstream upstream, Dialect dialect, TranslatedRequest translated) {
        return Heads.translated(
                head(), target, keyDialect, upstream, dialect, translated.path(), translated.body().length);
    }

    /** Whether a target of {@code route} changes the body. It must then be complete before it is sent. */
    boolean isRewrittenBy(Route route) {
        for (int i = 0; i < route.targets().size(); i++) {
            if (isRewrittenFor(route.targets().get(i))) {
                return true;
            }
        }
        return false;
    }

    /** Whether {@code route} may add a request for usage that the client did not ask for. */
    boolean mayBeMadeToTellUsage(Route route) {
        return (route.includeUsage() || usageWanted)
                && client.dialect() == Dialect.CHAT
                && method.equals(HttpMethod.POST);
    }

    /** Whether the client asked for a frame with the usage. */
    boolean usageAsked() {
        return fields.usage() != null && fields.usage().asked();
    }

    /** Whether a request for usage was added. Its frame is then not for the client. */
    boolean usageAdded() {
        return usageAdded;
    }

    /** The head for {@code upstream}. {@code length} is the length of a complete body, otherwise -1. */
    HttpRequest forUpstream(Route.Target place, Upstream upstream, Dialect dialect, long length) {
        String renamed = place.rewriteModel();
        boolean inPath = target.modelInPath() != null;
        Target asked = renamed != null && inPath ? target.withModel(renamed) : target;
        boolean mayStream =
                (dialect != Dialect.UNKNOWN && method.equals(HttpMethod.POST)) || Heads.acceptsEventStream(headers());
        return Heads.request(head(), asked, upstream, length, mayStream);
    }

    /** The complete body for {@code place}, which the caller releases. */
    ByteBuf bodyFor(Route route, Route.Target place) {
        boolean mayAdd = body.isKept() && fields.stream() && mayBeMadeToTellUsage(route);
        RequestFields.Usage added = mayAdd ? fields.missingUsage() : null;
        usageAdded = added != null;
        String renamed = isRewrittenFor(place) && fields.modelStart() >= 0 ? place.rewriteModel() : null;
        ByteBuf bytes = body.bytes().retainedSlice();
        // From the end, so that the positions before each change stay valid.
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
