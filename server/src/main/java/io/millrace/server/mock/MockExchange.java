package io.millrace.server.mock;

import io.millrace.server.mock.BodyWriter.Chunking;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * One response in progress: its pauses, its faults and its end. Lives on the event loop of its connection. It makes
 * frames while the socket accepts them, and has at most one timer.
 */
final class MockExchange implements Runnable {
    private enum Step {
        HEAD,
        FRAMES,
        SILENT,
        ENDING,
        ENDED
    }

    /** What a fault does to the connection after a number of output frames. */
    private enum Cut {
        NONE,
        RESET,
        END,
        BAD_CHUNK,
        STALL
    }

    private static final String COMMENT = ": keep-alive\n\n";
    private static final String JUNK_HEAD = "\u0000\u0007<<<this is not HTTP>>>\r\n\r\n";
    private static final String JUNK_CHUNK = "zz-not-a-size\r\ngarbage\r\n";
    private static final String JUNK_EXTRA = "unsolicited bytes\r\n";

    private final ChannelHandlerContext ctx;
    private final MockSpec spec;
    private final Reply reply;
    private final MockCounters counters;
    private final Runnable onKept;
    private final Chunking chunking;
    private final boolean keepAlive;
    private final Script script;
    private final long length;
    private final BodyWriter body;
    private final Rhythm rhythm;
    private final long commentEveryNs;
    private final Cutting cutting;
    private final int pauseAfter;
    private final Progress progress = new Progress();
    private @Nullable Future<?> timer;

    private record Cutting(Cut kind, int after) {}

    private static final class Progress {
        private Step step = Step.HEAD;
        private Runnable lastAct = () -> {};
        private long dueNs;
        private boolean counted;
        private boolean digestDue;
        private int outputs;
        private boolean closing;
    }

    /**
     * @param keepAlive whether the client keeps the connection open
     * @param number the number of the request; it is the seed unless the spec has one
     * @param onKept called when the response is complete and the connection waits for the next request
     */
    MockExchange(
            ChannelHandlerContext ctx,
            MockSpec spec,
            Reply reply,
            boolean keepAlive,
            long number,
            MockCounters counters,
            Runnable onKept) {
        this.ctx = ctx;
        this.spec = spec;
        this.reply = reply;
        this.counters = counters;
        this.onKept = onKept;
        chunking = chunking(spec, reply);
        this.keepAlive = keepAlive && chunking != Chunking.NONE;
        script = reply.script().get();
        boolean measured = chunking == Chunking.LENGTH || chunking == Chunking.WHOLE;
        progress.digestDue = spec.flag(SpecKey.DIGEST) && reply.stream();
        length = measured ? BodyWriter.measure(ctx.alloc(), spec, reply.script().get(), progress.digestDue) : 0;
        int cutAt = Math.min(never(SpecKey.RESET_AT_BYTE), never(SpecKey.END_AT_BYTE));
        body = new BodyWriter(ctx, spec, chunking, length, cutAt == MockSpec.NEVER ? Long.MAX_VALUE : cutAt);
        rhythm = new Rhythm(spec, spec.random(number));
        commentEveryNs = spec.nanos(SpecKey.COMMENT_EVERY_MS);
        int cutAfter = Math.min(
                Math.min(never(SpecKey.RESET_AFTER), never(SpecKey.END_AFTER)),
                Math.min(never(SpecKey.GARBAGE_CHUNK_AFTER), never(SpecKey.STALL_AFTER)));
        cutting = new Cutting(firstCut(cutAfter), cutAfter);
        pauseAfter = never(SpecKey.PAUSE_AFTER);
    }

    private static Chunking chunking(MockSpec spec, Reply reply) {
        if (spec.text(SpecKey.VERSION, "1.1").equals("1.0")) {
            return Chunking.NONE;
        }
        if (spec.flag(SpecKey.LENGTH) || reply.bodiless()) {
            return Chunking.LENGTH;
        }
        return spec.value(SpecKey.CHUNK, reply.stream() ? Chunking.FRAME : Chunking.LENGTH, Chunking.class);
    }

    private int never(SpecKey key) {
        return spec.count(key, MockSpec.NEVER);
    }

    private Cut firstCut(int cutAfter) {
        if (cutAfter == MockSpec.NEVER) {
            return Cut.NONE;
        }
        if (never(SpecKey.RESET_AFTER) == cutAfter) {
            return Cut.RESET;
        }
        if (never(SpecKey.END_AFTER) == cutAfter) {
            return Cut.END;
        }
        return never(SpecKey.GARBAGE_CHUNK_AFTER) == cutAfter ? Cut.BAD_CHUNK : Cut.STALL;
    }

    /** Begins the response. */
    void start() {
        counters.active.increment();
        if (spec.flag(SpecKey.STALL_HEAD)) {
            progress.step = Step.SILENT;
        } else if (spec.flag(SpecKey.CLOSE_ON_ACCEPT)) {
            end(counters.cut, this::closeFlushed);
        } else {
            pause(spec.nanos(SpecKey.HEAD_MS) + (reply.stream() ? 0 : rhythm.firstNs(reply.promptTokens())));
        }
        pump();
    }

    /** Continues after the socket or a pause has stopped it. */
    void pump() {
        while (timer == null
                && progress.step != Step.ENDED
                && ctx.channel().isWritable()
                && body.drain()
                && advance()) {
            // Loop until one of them returns false.
        }
        body.handOver();
        ctx.flush();
    }

    /** The connection is closed, by the client or because the server closes. */
    void onClosed(boolean byPeer) {
        if (progress.step == Step.ENDED) {
            return;
        }
        count(byPeer ? counters.aborted : counters.cut);
        dispose();
    }

    /** Whether this response itself closes the connection. */
    boolean isClosing() {
        return progress.closing;
    }

    /** Called by the timer: a comment is due, or the pause is over. */
    @Override
    public void run() {
        timer = null;
        long now = System.nanoTime();
        if (progress.step == Step.SILENT || now - progress.dueNs < 0) {
            write(COMMENT);
            body.handOver();
            ctx.flush();
            arm(now);
        } else {
            pump();
        }
    }

    private boolean advance() {
        return switch (progress.step) {
            case HEAD -> sendHead();
            case FRAMES -> sendFrame();
            case ENDING -> {
                dispose();
                progress.lastAct.run();
                yield false;
            }
            case SILENT, ENDED -> false;
        };
    }

    private boolean sendHead() {
        if (spec.flag(SpecKey.GARBAGE_HEAD)) {
            ctx.write(utf8(JUNK_HEAD), ctx.voidPromise());
            return end(counters.cut, this::closeFlushed);
        }
        ctx.write(utf8(head()), ctx.voidPromise());
        progress.step = Step.FRAMES;
        if (spec.flag(SpecKey.STALL_AFTER_HEAD)) {
            return fallSilent();
        }
        if (reply.bodiless()) {
            return end(counters.completed, this::release);
        }
        if (reply.stream()) {
            pause(rhythm.firstNs(reply.promptTokens()));
        }
        return body.isCut() ? cutAtByte() : true;
    }

    private boolean sendFrame() {
        if (isCutDue()) {
            return switch (cutting.kind()) {
                case RESET -> end(counters.cut, this::resetFlushed);
                case BAD_CHUNK -> {
                    body.writeRaw(utf8(JUNK_CHUNK));
                    yield end(counters.cut, this::closeFlushed);
                }
                case STALL -> fallSilent();
                case END, NONE -> end(counters.cut, this::closeFlushed);
            };
        }
        if (progress.digestDue && (script.nextKind() == null || script.nextKind() == Script.Kind.TERMINAL)) {
            progress.digestDue = false;
            write(body.digestComment());
            return true;
        }
        var frame = body.newFrame();
        var kind = script.next(frame);
        if (kind == null) {
            frame.release();
            return finish();
        }
        counters.frames.increment();
        body.write(frame);
        if (body.isCut()) {
            return cutAtByte();
        }
        if (kind == Script.Kind.OUTPUT && script.nextKind() == Script.Kind.OUTPUT && !isCutDue()) {
            pause(rhythm.nextNs(counters.active)
                    + (++progress.outputs == pauseAfter ? spec.nanos(SpecKey.PAUSE_MS) : 0));
        }
        return true;
    }

    private boolean isCutDue() {
        return cutting.kind() != Cut.NONE && script.reached(cutting.after());
    }

    private boolean cutAtByte() {
        boolean reset = never(SpecKey.RESET_AT_BYTE) <= never(SpecKey.END_AT_BYTE);
        return end(counters.cut, reset ? this::resetFlushed : this::closeFlushed);
    }

    private boolean finish() {
        if (spec.flag(SpecKey.LINGER)) {
            count(counters.completed);
            return fallSilent();
        }
        body.finish();
        return body.isCut() ? cutAtByte() : end(counters.completed, this::release);
    }

    private boolean fallSilent() {
        progress.step = Step.SILENT;
        arm(System.nanoTime());
        return false;
    }

    private void pause(long ns) {
        if (ns > 0) {
            long now = System.nanoTime();
            progress.dueNs = now + ns;
            arm(now);
        }
    }

    private void arm(long now) {
        boolean comments = commentEveryNs > 0 && progress.step != Step.HEAD;
        if (progress.step == Step.SILENT) {
            timer = comments ? schedule(commentEveryNs) : null;
        } else {
            timer = schedule(comments ? Math.min(commentEveryNs, progress.dueNs - now) : progress.dueNs - now);
        }
    }

    private Future<?> schedule(long ns) {
        return ctx.executor().schedule(this, ns, TimeUnit.NANOSECONDS);
    }

    private boolean end(LongAdder how, Runnable act) {
        progress.step = Step.ENDING;
        progress.lastAct = act;
        count(how);
        return true;
    }

    private void count(LongAdder how) {
        if (!progress.counted) {
            progress.counted = true;
            counters.active.decrement();
            how.increment();
        }
    }

    private void dispose() {
        progress.step = Step.ENDED;
        counters.bytes.add(body.wireBytes());
        body.close();
        if (timer != null) {
            timer.cancel(false);
            timer = null;
        }
    }

    /** Ends the response. The next one may begin. */
    private void release() {
        if (spec.flag(SpecKey.EXTRA_BYTES)) {
            ctx.flush();
            ctx.write(utf8(JUNK_EXTRA), ctx.voidPromise());
        }
        if (keepAlive) {
            ctx.flush();
            onKept.run();
        } else {
            closeFlushed();
        }
    }

    private void closeFlushed() {
        progress.closing = true;
        ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
    }

    private void resetFlushed() {
        progress.closing = true;
        ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(done -> {
            ctx.channel().config().setOption(ChannelOption.SO_LINGER, 0);
            ctx.close();
        });
    }

    private void write(String frame) {
        counters.frames.increment();
        var buf = body.newFrame();
        ByteBufUtil.writeUtf8(buf, frame);
        body.write(buf);
    }

    private String head() {
        var head = new StringBuilder(256);
        if (spec.flag(SpecKey.H100)) {
            head.append("HTTP/1.1 103 Early Hints\r\nLink: </hint>; rel=preload\r\n\r\n");
        }
        head.append("HTTP/").append(spec.text(SpecKey.VERSION, "1.1")).append(' ');
        head.append(HttpResponseStatus.valueOf(reply.status())).append("\r\n");
        line(head, "Content-Type", spec.text(SpecKey.CONTENT_TYPE, reply.contentType()));
        if (reply.stream()) {
            line(head, "Cache-Control", "no-cache");
            if (spec.flag(SpecKey.DIGEST)) {
                line(head, "X-Mock-Digest", "crc32c");
            }
        }
        String coding = BodyEncoder.coding(spec);
        if (coding != null) {
            line(head, "Content-Encoding", coding);
        }
        reply.headers().forEach(header -> head.append(header).append("\r\n"));
        switch (chunking) {
            case FRAME, SEGMENT, WHOLE -> line(head, "Transfer-Encoding", "chunked");
            case LENGTH -> {
                if (!reply.hasNoContent()) {
                    line(head, "Content-Length", Long.toString(length));
                }
            }
            case NONE -> {}
        }
        line(head, "Connection", keepAlive ? "keep-alive" : "close");
        return head.append("\r\n").toString();
    }

    private static void line(StringBuilder head, String name, String value) {
        head.append(name).append(": ").append(value).append("\r\n");
    }

    private ByteBuf utf8(String text) {
        return ByteBufUtil.writeUtf8(ctx.alloc(), text);
    }
}
