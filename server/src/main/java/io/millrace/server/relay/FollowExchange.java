package io.millrace.server.relay;

import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.millrace.server.downstream.RequestListener;
import io.millrace.server.http.Head;
import io.millrace.server.http.HeaderRules;
import io.millrace.server.http.Refusal;
import io.millrace.server.replay.Seal;
import io.millrace.server.telemetry.Outcome;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A request to read a stream that another request began. Its states: reading the request; waiting for the event loop that has
 * the stream; following; over. Confined to the client's event loop.
 */
final class FollowExchange implements RequestListener, FollowLink.Reader {
    private final ClientStream downstream;
    private final FollowQuery query;
    private final String requestId;
    private final Source source;
    private final Consumer<FollowEnd> done;
    private final FollowLink link;
    private @Nullable FrameSink sink;
    /** Null if the reader wants the bytes alone. */
    private @Nullable FrameIds ids;

    private @Nullable LogHead head;
    private long from;
    private long to;
    private long untold;
    private boolean asked;
    private boolean over;

    /** The stream, wherever it is. */
    interface Source {
        /** Asks for the stream, for {@code link}; the answer is told to {@code told} on its event loop, before any bytes. */
        void follow(FollowExchange told, FollowLink link, FollowQuery query);

        /** Runs {@code task} on the event loop that has the stream. */
        void execute(Runnable task);
    }

    /**
     * A request that has just come.
     *
     * @param done runs once, when it is over
     */
    FollowExchange(
            ClientStream downstream, FollowQuery query, String requestId, Source source, Consumer<FollowEnd> done) {
        this.downstream = downstream;
        this.query = query;
        this.requestId = requestId;
        this.source = source;
        this.done = done;
        link = new FollowLink(downstream.eventLoop(), this);
    }

    @Override
    public void onRequestBody(ByteBuf content) {
        content.release();
    }

    @Override
    public void onRequestEnd() {
        if (!over) {
            asked = true;
            source.follow(this, link, query);
        }
    }

    @Override
    public void onRequestRefused(int status, String code, String message) {
        if (!over) {
            refuse(FollowAnswer.refused(Refusal.of(status, code, message)));
        }
    }

    @Override
    public void onClientGone(String reason) {
        if (!over) {
            end(head == null ? 0 : head.status(), Outcome.CLIENT_GONE, null);
            if (asked) {
                source.execute(link::leave);
            }
        }
    }

    @Override
    public void onWritable(boolean writable) {
        if (writable && !over) {
            tellTaken();
        }
    }

    /** Where buffers for its client come from. For any thread. */
    ByteBufAllocator alloc() {
        return downstream.alloc();
    }

    /** The event loop that has the stream has answered. */
    void onAnswer(FollowAnswer answer) {
        if (over) {
            return;
        }
        head = answer.head();
        from = answer.from();
        to = from;
        if (answer.refusal() != null || head == null) {
            refuse(answer);
        } else if (query.headOnly()) {
            respond(head.again(requestId), answer);
        } else if (answer.nothingLeft()) {
            respond(Head.ofResponse(HttpResponseStatus.NO_CONTENT, new DefaultHttpHeaders()), answer);
        } else {
            HttpResponse response = head.again(requestId);
            response.headers().set(HeaderRules.OFFSET, Long.toString(answer.from()));
            if (query.kind() == FollowQuery.Kind.REPLAY) {
                response.headers().set("idempotent-replayed", "true");
            }
            sink = downstream.newSink();
            if (query.ids() && head.hasFrames()) {
                ids = new FrameIds(downstream.alloc(), sink, answer.from());
            }
            downstream.beginStream(response, sink);
            sink.write();
            downstream.flush();
        }
    }

    @Override
    public void onBytes(ByteBuf bytes) {
        if (over || sink == null) {
            bytes.release();
            return;
        }
        untold += bytes.readableBytes();
        to += bytes.readableBytes();
        if (ids == null) {
            sink.take(bytes);
        } else {
            ids.read(bytes);
            bytes.release();
        }
        sink.write();
        downstream.flush();
        if (downstream.isWritable()) {
            tellTaken();
        }
    }

    @Override
    public void onEnd(@Nullable Seal seal) {
        if (over || head == null) {
            return;
        }
        if (ids != null) {
            ids.end();
        }
        end(head.status(), Outcome.RESUMED, seal == null ? "stream_gone" : null);
        if (seal == Seal.CLEAN) {
            downstream.end();
        } else if (seal != null && seal.isFailure()) {
            downstream.end(ClientStream.End.IN_ERROR, null);
        } else {
            downstream.reset();
        }
    }

    private void tellTaken() {
        long taken = untold;
        if (taken > 0) {
            untold = 0;
            source.execute(() -> link.onTaken(taken));
        }
    }

    private void refuse(FollowAnswer answer) {
        Refusal refusal = answer.refusal();
        var headers = new DefaultHttpHeaders();
        headers.set(HeaderRules.OWN_REQUEST_ID, requestId);
        if (answer.equals(FollowAnswer.UNAVAILABLE) && query.isEventSource()) {
            askAgain(headers);
            return;
        }
        if (query.kind() == FollowQuery.Kind.CHAT) {
            respond(Head.ofResponse(HttpResponseStatus.NO_CONTENT, headers), answer);
            return;
        }
        if (refusal == null) {
            end(0, Outcome.RESUMED, "stream_gone");
            downstream.reset();
            return;
        }
        end(refusal.status(), Outcome.REFUSED, refusal.code());
        refusal.addTo(headers);
        downstream.respond(refusal.status(), answer.refusalBody(), headers);
    }

    /** An EventSource connects again after the end of a stream, but not after an error. */
    private void askAgain(HttpHeaders headers) {
        headers.set(HttpHeaderNames.CONTENT_TYPE, "text/event-stream");
        end(HttpResponseStatus.OK.code(), Outcome.REFUSED, "resume_unavailable");
        downstream.writeHead(Head.ofResponse(HttpResponseStatus.OK, headers));
        downstream.writeBody(Unpooled.copiedBuffer("retry: 2000\n\n", StandardCharsets.US_ASCII));
        downstream.end();
    }

    /** Answers with a head alone, which says what there is. */
    private void respond(HttpResponse response, FollowAnswer answer) {
        HttpHeaders headers = response.headers();
        headers.set(HeaderRules.OLDEST, Long.toString(answer.oldest()));
        headers.set(HeaderRules.TAIL, Long.toString(answer.tail()));
        headers.set(HeaderRules.STATE, answer.state());
        Refusal refusal = answer.refusal();
        Outcome outcome = refusal == null ? Outcome.RESUMED : Outcome.REFUSED;
        end(response.status().code(), outcome, refusal == null ? null : refusal.code());
        downstream.writeHead(response);
        downstream.end();
    }

    private void end(int status, Outcome outcome, @Nullable String error) {
        over = true;
        if (ids != null) {
            ids.close();
        }
        done.accept(new FollowEnd(status, outcome, error, head == null ? null : head.id(), from, to));
    }
}
