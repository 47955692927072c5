package io.millrace.server.upstream;

import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.http.ReadListener;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpResponse;
import java.nio.charset.StandardCharsets;

/** Records the events of a call, and releases the call at the end of the response. */
final class CallRecorder implements CallListener, StreamListener, ReadListener {
    private final UpstreamCall call;
    private final ByteBufAllocator alloc;
    private final StringBuilder said = new StringBuilder();
    private int ends;
    private boolean full;

    CallRecorder(UpstreamCall call, ByteBufAllocator alloc) {
        this.call = call;
        this.alloc = alloc;
    }

    /** All that was told: the status, "stream" for a stream, bodies and frames as they are, " whole" or " broken KIND". */
    String said() {
        return said.toString();
    }

    /** How often the end was told. */
    int ends() {
        return ends;
    }

    /** Whether nothing more is to be inflated for the moment. */
    void full(boolean now) {
        full = now;
    }

    @Override
    public void onHead(HttpResponse head) {
        said.append(head.status().code()).append(' ');
        if (head.headers().containsValue(HttpHeaderNames.CONTENT_TYPE, "text/event-stream", true)) {
            said.append("stream ");
            call.beginStream(head, new SseFrameDecoder(alloc), this, this);
        }
    }

    @Override
    public void onBody(ByteBuf content) {
        said.append(content.toString(StandardCharsets.ISO_8859_1));
        content.release();
    }

    @Override
    public void onBodyEnd() {
        said.append(" whole");
        ends++;
        call.release(0);
    }

    @Override
    public void onBroken(Breakage breakage) {
        said.append(" broken ").append(breakage.kind());
        ends++;
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        said.append(buf.toString(start, end - start, StandardCharsets.ISO_8859_1));
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        onFrame(buf, start, end);
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        said.append('\n');
    }

    @Override
    public boolean isFull() {
        return full;
    }

    @Override
    public void onReadComplete() {}

    @Override
    public void onUpstreamWritable(boolean writable) {}

    @Override
    public void onRead(ByteBuf raw) {}

    @Override
    public void onChunk(int start, int data, int end) {}

    @Override
    public void onReadEnd() {}
}
