package io.millrace.server.relay;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.Route;
import io.millrace.server.config.Upstream;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** One client's request as far as it has been read, and what becomes of it for an upstream. */
final class ClientRequest {
    /** Only this much of a body that no decision needs is searched for the model, for the log. */
    private static final int SEARCH_FOR_LOG = 64 * 1024;

    private static final int MAX_LOGGED_MODEL = 128;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpMethod method;
    private final Target target;
    private final RequestBody body;
    private HttpRequest head;
    private RequestFields fields = RequestFields.NONE;
    private boolean complete;
    private boolean spliced;
    private boolean usageAdded;

    ClientRequest(HttpRequest head, RequestBody body) {
        this.head = head;
        method = head.method();
        this.body = body;
        target = Target.of(head.uri());
        String model = target.modelInPath();
        if (model != null) {
            fields = RequestFields.ofPath(model, target.path().endsWith(":streamGenerateContent"));
        }
    }

    HttpMethod method() {
        return method;
    }

    HttpHeaders headers() {
        return head.headers();
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
        return HttpUtil.is100ContinueExpected(head);
    }

    /** Nothing will be sent upstream any more: a stream may last for minutes, and its request's head is a kilobyte. */
    void forgetHead() {
        head = null;
    }

    /** The last byte has been read. {@code decides} says that a decision hangs on the body's fields. */
    void end(boolean decides, Dialect dialect) {
        complete = true;
        if (!body.isKept() || fields.model() != null || !body.bytes().isReadable()) {
            return;
        }
        ByteBuf bytes = body.bytes();
        if (decides || (dialect != Dialect.UNKNOWN && bytes.readableBytes() <= SEARCH_FOR_LOG)) {
            fields = RequestFields.of(bytes);
        }
    }

    /** Whether {@code route} changes the body, which must then be here as a whole before a byte of it is sent. */
    boolean isRewrittenBy(Route route) {
        return route.rewriteModel() != null && target.modelInPath() == null;
    }

    /** Whether {@code route} may have this request ask for usage that its client did not ask for. */
    boolean mayBeMadeToTellUsage(Route route, Dialect dialect) {
        return route.includeUsage() && dialect == Dialect.CHAT && method.equals(HttpMethod.POST);
    }

    /** Whether the client asked for a frame that tells the usage. */
    boolean usageAsked() {
        return fields.usage() != null && fields.usage().asked();
    }

    /** Whether the request was made to ask for usage, so that what comes for it is not the client's. */
    boolean usageAdded() {
        return usageAdded;
    }

    /** The head to send to an upstream; the body is rewritten in place where the route says so. */
    HttpRequest forUpstream(Route route, Upstream upstream, Dialect dialect) {
        if (mayBeMadeToTellUsage(route, dialect)) {
            spliceUsage();
        }
        Target asked = target;
        if (isRewrittenBy(route)) {
            spliceModel(route.rewriteModel());
        } else if (route.rewriteModel() != null) {
            asked = target.withModel(route.rewriteModel());
        }
        long knownLength = complete && body.isKept() ? body.bytes().readableBytes() : -1;
        return Heads.request(head, asked, upstream, knownLength, mayStream(dialect));
    }

    /** The model asked for, cut to a length that a log can bear: a client chooses the name. */
    String loggedModel() {
        String model = fields.model();
        return model == null || model.length() <= MAX_LOGGED_MODEL ? model : model.substring(0, MAX_LOGGED_MODEL);
    }

    private boolean mayStream(Dialect dialect) {
        return (dialect != Dialect.UNKNOWN && method().equals(HttpMethod.POST)) || acceptsEventStream();
    }

    private boolean acceptsEventStream() {
        for (String value : headers().getAll(HttpHeaderNames.ACCEPT)) {
            if (value.toLowerCase(Locale.ROOT).contains("text/event-stream")) {
                return true;
            }
        }
        return false;
    }

    private void spliceUsage() {
        RequestFields.Usage usage = fields.usage();
        boolean possible = body.isKept() && fields.stream() && usage != null && usage.start() >= 0;
        if (usageAdded || !possible || usage.asked()) {
            return;
        }
        usageAdded = true;
        byte[] text = usage.text().getBytes(StandardCharsets.US_ASCII);
        body.splice(usage.start(), usage.end(), Unpooled.wrappedBuffer(text));
        fields = fields.shifted(usage.end(), text.length - (usage.end() - usage.start()));
    }

    private void spliceModel(String model) {
        if (spliced || fields.modelStart() < 0) {
            return;
        }
        spliced = true;
        try {
            ByteBuf quoted = Unpooled.wrappedBuffer(JSON.writeValueAsBytes(model));
            body.splice(fields.modelStart(), fields.modelEnd(), quoted);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
