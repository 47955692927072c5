package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.access.Caller;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.DialectSide;
import io.millrace.server.format.RequestRefusal;
import io.millrace.server.http.Inflation;
import io.millrace.server.http.Refusal;
import io.millrace.server.http.Target;
import io.millrace.server.route.RoutePlan;
import io.millrace.server.route.RouteTable;
import io.millrace.server.telemetry.Summary;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.CorruptedFrameException;
import io.netty.handler.codec.TooLongFrameException;
import org.jspecify.annotations.Nullable;

/**
 * Reads one request. It chooses the route by the path or by the model in the body, removes the body's coding if the
 * body must be read, keeps bytes that may have to be sent again, and passes on a body that is being sent. Confined to
 * the client's event loop.
 */
final class RequestIntake {
    /** The bytes of a longer body that must have arrived before an upstream is asked. */
    private static final int FLOWING_BYTES = 16 * 1024;

    /** The most bytes of a body that are read after an early refusal. A longer body ends its connection. */
    private static final int MOST_READ_OF_REFUSED = 64 * 1024;

    private static final int MAX_QUOTED = 64;

    /** The longest body that is kept only for a second try on a stale connection. */
    private static final int KEEP_FOR_RETRY = 1024 * 1024;

    private static final Refusal WRONG_CODING =
            Refusal.of(400, "invalid_body", "The request body does not match its Content-Encoding.");

    private final RouteTable routes;
    private final ClientStream downstream;
    private final ClientRequest request;
    private final Target target;
    private final RequestBody body;
    private final Caller caller;
    private final Receiver receiver;
    private @Nullable RoutePlan plan;
    private boolean needsWholeBody;
    private boolean ready;
    private @Nullable Inflation inflation;
    private boolean inflating;
    private @Nullable Refusal refusal;
    private long mostRead;

    /** Receives the result of the intake. */
    interface Receiver {
        /** Whether the request is answered, so that the rest of its body is dropped. */
        boolean isOver();

        /** An upstream of {@code plan} may be asked: the request is complete, or its body is arriving. Called once. */
        void onReady(RoutePlan plan);

        /** The request must not be served. */
        void onRefused(Refusal refusal);

        /** The sender that the body is passed to as it comes; null if the request is not being sent. */
        @Nullable
        RequestSender sending();

        /** Whether a body that is being sent may be needed again. */
        boolean mayNeedBody();

        /** Frees bytes for the body when the limit of all requests is reached; false if that is not possible. */
        boolean makeRoom(int bytes);
    }

    RequestIntake(RouteTable routes, ClientStream downstream, ClientRequest request, Caller caller, Receiver receiver) {
        this.routes = routes;
        this.downstream = downstream;
        this.request = request;
        this.caller = caller;
        this.receiver = receiver;
        mostRead = downstream.bodyLimit();
        target = request.target();
        body = request.body();
    }

    /** The summary while no attempt was made. */
    Summary.Attempts summary() {
        return plan == null
                ? Summary.Attempts.none(null, null)
                : Summary.Attempts.none(plan.route().name(), plan.route().upstream());
    }

    /** Whether a decision depends on the body, so that it must be complete before anything is sent. */
    boolean needsWholeBody() {
        return needsWholeBody;
    }

    /** Begins: chooses the route if the path alone decides. */
    void start() {
        String model = request.fields().model();
        if (!routes.knowsPath(target.path(), request.headers())) {
            refuseWhenRead(Refusal.of(404, "no_route", "No route takes the path " + target.path() + "."));
            return;
        }
        if (request.waitsForContinue()) {
            downstream.sendContinue();
        }
        boolean choosesByBody =
                request.client().isOwn() || (model == null && routes.needsModel(target.path(), request.headers()));
        needsWholeBody = choosesByBody || caller.isBoundToModels() || caller.countsTokens();
        boolean mustRead = choosesByBody || caller.isBoundToModels();
        if (!choosesByBody) {
            choose(routes.find(target.path(), request.headers(), model));
            mustRead |= plan != null && (request.isRewrittenBy(plan.route()) || mayBeTranslated(plan));
        }
        readBody(mustRead);
    }

    /** Refuses the request after it was read, or at once if the client waits for a 100 (Continue). */
    void refuseWhenRead(Refusal later) {
        if (request.complete() || request.waitsForContinue()) {
            receiver.onRefused(later);
        } else {
            refusal = later;
        }
    }

    /** Refuses the request after a little of it was read. */
    void refuseSoon(Refusal later) {
        mostRead = Math.min(mostRead, MOST_READ_OF_REFUSED);
        refuseWhenRead(later);
    }

    /** Takes a part of the body; ownership is transferred. */
    void onBody(ByteBuf content) {
        try {
            if (inflation == null) {
                take(content);
            } else {
                inflate(inflation, content);
            }
        } finally {
            content.release();
        }
    }

    /** The request is complete. */
    void onEnd() {
        if (inflation != null && (body.received() == 0 || !inflation.isWhole())) {
            receiver.onRefused(WRONG_CODING);
            return;
        }
        request.end();
        close();
        downstream.readRequest(true);
        if (refusal == null && request.client().isOwn()) {
            readOwn();
        }
        if (refusal != null) {
            receiver.onRefused(refusal);
        } else if (plan == null) {
            chooseByModel();
        } else if (!ready) {
            begin(plan);
        }
    }

    /** Finds the body's fields while it comes, and removes its coding if it must be read. */
    private void readBody(boolean mustRead) {
        ClientSide client = request.client();
        String coding = request.coding();
        if (coding == null) {
            if (!client.isOwn() && (needsWholeBody || client.dialect() != Dialect.UNKNOWN)) {
                request.readFields();
            }
            return;
        }
        if (!mustRead || receiver.isOver() || refusal != null) {
            return;
        }
        inflation = Inflation.of(coding);
        if (inflation == null) {
            String message = "The request must be read here, and its Content-Encoding " + printable(coding)
                    + " cannot be taken off (gzip and deflate can). Send it without.";
            refuseWhenRead(Refusal.of(415, "unsupported_media_type", message));
            return;
        }
        request.uncoded();
        if (!client.isOwn()) {
            request.readFields();
        }
    }

    private boolean mayBeTranslated(RoutePlan by) {
        ClientSide client = request.client();
        return by.mayTranslate(client.dialect()) && client.translates(request.method(), target.path());
    }

    private static String printable(String text) {
        String plain = text.replaceAll("[^\\x20-\\x7e]", "?");
        return plain.length() <= MAX_QUOTED ? plain : plain.substring(0, MAX_QUOTED);
    }

    private void inflate(Inflation coding, ByteBuf content) {
        coding.add(content, content.readableBytes());
        inflating = true;
        try {
            while (!receiver.isOver() && refusal == null && coding.hasMore()) {
                coding.step(this::take);
            }
        } catch (TooLongFrameException e) {
            receiver.onRefused(
                    Refusal.of(413, "request_too_large", "The request body grows too much when it is inflated."));
        } catch (CorruptedFrameException e) {
            receiver.onRefused(WRONG_CODING);
        } finally {
            inflating = false;
        }
        if (receiver.isOver() || refusal != null) {
            close();
        }
    }

    /** Takes no more of the body. */
    void close() {
        if (inflation != null && !inflating) {
            inflation.close();
            inflation = null;
        }
    }

    /** Takes a part of the body without its coding; it remains with the caller. */
    private void take(ByteBuf content) {
        int length = content.readableBytes();
        boolean tooLong = body.received() + length > mostRead;
        if (receiver.isOver() || refusal != null) {
            body.passed(length);
            if (tooLong && refusal != null && !receiver.isOver()) {
                receiver.onRefused(refusal);
            }
            return;
        }
        if (tooLong) {
            String message = "The request body is over " + downstream.bodyLimit() + " bytes.";
            receiver.onRefused(Refusal.of(413, "request_too_large", message));
            return;
        }
        request.look(content);
        RequestSender sending = receiver.sending();
        boolean dispensable = sending != null && !needsWholeBody;
        if (dispensable && body.isKept() && body.received() > KEEP_FOR_RETRY && !receiver.mayNeedBody()) {
            body.drop();
        }
        if (sending != null) {
            sending.sendBody(body.isKept() ? content.retainedDuplicate() : content.retain());
        }
        if (!keep(content, dispensable)) {
            receiver.onRefused(noRoom(length));
        } else if (sending != null) {
            sending.pauseIfFull();
        } else if (!ready && plan != null && !needsWholeBody && body.received() >= FLOWING_BYTES) {
            begin(plan);
        }
    }

    /**
     * Keeps a part, as long as all parts are kept. When the limit of all requests is reached, a body that is already
     * being sent is dropped. For another body, the body of another request is dropped or cut.
     */
    private boolean keep(ByteBuf content, boolean dispensable) {
        int length = content.readableBytes();
        if (body.isKept() && add(content)) {
            return true;
        }
        if (body.isKept() && !dispensable) {
            return !body.isOverShare(length) && receiver.makeRoom(length) && add(content);
        }
        body.drop();
        body.passed(length);
        return true;
    }

    private boolean add(ByteBuf content) {
        boolean added = body.add(content.retain());
        if (!added) {
            content.release();
        }
        return added;
    }

    private Refusal noRoom(int length) {
        if (body.isOverShare(length)) {
            String most = "The request body is over what the relay keeps of one, " + body.share() + " bytes.";
            return Refusal.of(413, "request_too_large", most);
        }
        String message = "The relay holds too many request bodies. Try again.";
        return Refusal.overloaded(message);
    }

    /** Reads the request in the client's own format. */
    private void readOwn() {
        try {
            request.readOwn();
        } catch (RequestRefusal e) {
            refusal = e.refusal();
        }
    }

    /**
     * Chooses the route by the model. A body that is not JSON, such as an upload, has no model. A route that needs no
     * model may take it.
     */
    private void chooseByModel() {
        RoutePlan chosen =
                routes.find(target.path(), request.headers(), request.fields().model());
        Refusal unreadable = request.unreadable();
        if (unreadable != null && (chosen == null || chosen.route().match().needsModel())) {
            receiver.onRefused(unreadable);
        } else {
            choose(chosen);
        }
    }

    private void choose(@Nullable RoutePlan chosen) {
        if (chosen == null) {
            refuseModel();
            return;
        }
        if (chosen.route().dialect() != null && !request.client().isOwn()) {
            request.speaks(DialectSide.of(chosen.route().dialect()));
        }
        String ambiguity = chosen.guardsPaths() ? target.ambiguity() : null;
        if (ambiguity != null) {
            refuseWhenRead(ambiguous(ambiguity));
            return;
        }
        if (!chosen.speaks(Dialect.ofSidePath(target.path()))) {
            // No upstream of the route has this path, so the prompt is not sent.
            String message = "No upstream of the route has " + target.path() + ": it is not translated.";
            refuseWhenRead(Refusal.of(404, "not_found", message));
            return;
        }
        Refusal denied = caller.deniedRoute(chosen.route().name());
        if (denied != null) {
            refuseWhenRead(denied);
            return;
        }
        plan = chosen;
        needsWholeBody |= request.isRewrittenBy(chosen.route())
                || request.mayBeMadeToTellUsage(chosen.route())
                || chosen.picksByBody()
                || mayBeTranslated(chosen)
                || Keeping.isAsked(request.headers(), chosen.route());
        if (request.complete()) {
            begin(chosen);
        }
    }

    private void refuseModel() {
        String message = request.fields().model() == null
                ? "The field model is missing, and the route of this path is chosen by it."
                : "The model " + request.fields().loggedModel() + " is not served here.";
        refusal = new Refusal(404, "model_not_found", message, "model", null);
        if (request.complete()) {
            receiver.onRefused(refusal);
        }
    }

    /** Lets upstreams be asked, if the client may use the model. */
    private void begin(RoutePlan chosen) {
        Refusal denied = request.complete() ? request.unnameable(chosen.route()) : null;
        if (denied == null && caller.isBoundToModels()) {
            denied = deniedModel();
        }
        if (denied != null) {
            receiver.onRefused(denied);
        } else {
            ready = true;
            receiver.onReady(chosen);
        }
    }

    private @Nullable Refusal deniedModel() {
        String ambiguity = target.ambiguity();
        return ambiguity != null
                ? ambiguous(ambiguity)
                : caller.deniedModel(request.method(), target, request.fields().model());
    }

    private static Refusal ambiguous(String ambiguity) {
        String message = "The path has " + ambiguity + ", which servers read differently.";
        return Refusal.of(400, "ambiguous_path", message);
    }
}
