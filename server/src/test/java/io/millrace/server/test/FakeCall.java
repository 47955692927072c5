package io.millrace.server.test;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.ReadListener;
import io.millrace.server.upstream.CallListener;
import io.millrace.server.upstream.CallListener.Breakage;
import io.millrace.server.upstream.StreamListener;
import io.millrace.server.upstream.UpstreamCall;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpResponse;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import java.nio.charset.StandardCharsets;

/**
 * A call without a connection. The test can read what is sent, and acts as the upstream: {@link #head}, then
 * {@link #read} any number of times, then {@link #end} or {@link #breakOff}.
 */
public final class FakeCall implements UpstreamCall {
    private final boolean used;
    private final StringBuilder body = new StringBuilder();
    private HttpRequest request;
    private CallListener listener;
    private SseFrameDecoder frames;
    private StreamListener frameListener;
    private ReadListener readListener;
    private boolean headTold;
    private boolean complete;
    private boolean handedOver = true;
    private boolean writable = true;
    private boolean active = true;
    private boolean reading = true;
    private boolean ended;
    private Fate fate = Fate.RUNNING;

    /** The state of a call. */
    public enum Fate {
        /** Not over. */
        RUNNING,
        /** Released. */
        RELEASED,
        /** Cancelled. */
        ABORTED,
        /** It broke. */
        BROKEN
    }

    FakeCall(boolean used) {
        this.used = used;
    }

    /** The request's head; null while it has not been sent. */
    public HttpRequest request() {
        return request;
    }

    /** What came of the request's body. */
    public String body() {
        return body.toString();
    }

    /** Whether the request was sent to its end. */
    public boolean complete() {
        return complete;
    }

    /** Whether the response is wanted at the moment. */
    public boolean reading() {
        return reading;
    }

    /** What became of it. */
    public Fate fate() {
        return fate;
    }

    /** Tells the response's head, with {@code fields} as names and values in turn. */
    public void head(int status, String... fields) {
        var head = new DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(status));
        for (int i = 0; i < fields.length; i += 2) {
            head.headers().add(fields[i], fields[i + 1]);
        }
        headTold = true;
        listener.onHead(head);
    }

    /** Tells one read of the response's body. */
    public void read(String text) {
        ByteBuf raw = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
        if (frames == null) {
            listener.onBody(raw);
        } else {
            readListener.onRead(raw);
            frames.decode(raw, frameListener);
            readListener.onReadEnd();
            raw.release();
        }
        if (fate == Fate.RUNNING) {
            listener.onReadComplete();
        }
    }

    /** Tells the end of the response's body. */
    public void end() {
        ended = true;
        listener.onBodyEnd();
    }

    /** The connection ends too early. */
    public void breakOff(Breakage.Kind kind) {
        active = false;
        fate = Fate.BROKEN;
        listener.onBroken(new Breakage(kind, kind.name()));
        close();
    }

    /** The upstream closes the connection, which nobody is told. */
    public void closeSilently() {
        active = false;
    }

    /** The upstream takes more of the request, or no more at the moment. */
    public void writable(boolean now) {
        writable = now;
        listener.onUpstreamWritable(now);
    }

    /** The kernel has all of the request, or has not yet. */
    public void handedOver(boolean now) {
        handedOver = now;
    }

    @Override
    public void sendWhole(HttpRequest head, ByteBuf whole, CallListener to) {
        send(head, to);
        body.append(whole.toString(StandardCharsets.UTF_8));
        complete = true;
    }

    @Override
    public void send(HttpRequest head, CallListener to) {
        request = head;
        listener = to;
    }

    @Override
    public void sendBody(ByteBuf content) {
        body.append(content.toString(StandardCharsets.UTF_8));
        content.release();
    }

    @Override
    public void endRequest() {
        complete = true;
    }

    @Override
    public void flush() {}

    @Override
    public boolean isWritable() {
        return writable;
    }

    @Override
    public boolean isActive() {
        return active;
    }

    @Override
    public boolean requestHandedOver() {
        return complete && handedOver;
    }

    @Override
    public boolean mayBeStale() {
        return used && !headTold;
    }

    @Override
    public void beginStream(HttpResponse head, SseFrameDecoder decoder, StreamListener to, ReadListener reads) {
        frames = decoder;
        frameListener = to;
        readListener = reads;
    }

    @Override
    public boolean isStreaming() {
        return frames != null;
    }

    @Override
    public void handOver(CallListener next, StreamListener nextFrames, ReadListener reads) {
        listener = next;
        frameListener = nextFrames;
        readListener = reads;
        reading = true;
    }

    @Override
    public void reading(boolean on) {
        reading = on;
    }

    @Override
    public void release(long graceMs) {
        over(request == null || ended || (frames != null && graceMs > 0) ? Fate.RELEASED : Fate.ABORTED);
    }

    @Override
    public void abort() {
        over(Fate.ABORTED);
    }

    private void over(Fate how) {
        if (fate == Fate.RUNNING) {
            fate = how;
            close();
        }
    }

    private void close() {
        if (frames != null) {
            frames.close();
            frames = null;
        }
    }
}
