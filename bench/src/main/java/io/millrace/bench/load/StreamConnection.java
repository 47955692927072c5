package io.millrace.bench.load;

import io.millrace.codec.sse.SseFrameDecoder;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;

/** One connection and its streams, one after another. */
final class StreamConnection extends ChannelInboundHandlerAdapter {
    private final LoadRun run;
    private final Recorder recorder;
    private final StreamCheck check;
    private final ResponseReader response = new ResponseReader(this::onBody);
    private ChannelHandlerContext ctx;
    private SseFrameDecoder frames;
    private long sentNs;
    private long nowNs;
    private long bodyBytes;
    private boolean inProgress;

    StreamConnection(LoadRun run, Recorder recorder) {
        this.run = run;
        this.recorder = recorder;
        check = new StreamCheck(recorder);
    }

    /** Whether a stream is in progress. */
    boolean inProgress() {
        return inProgress;
    }

    /** Whether a stream is in progress and has brought an output frame. */
    boolean streaming() {
        return inProgress && check.outputs() > 0;
    }

    /** Closes the connection; what is in progress on it is nobody's fault. */
    void close() {
        inProgress = false;
        ctx.close();
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        this.ctx = ctx;
    }

    @Override
    public void channelActive(ChannelHandlerContext ctx) {
        run.onOpen(this);
        if (run.goesOn()) {
            send();
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        var in = (ByteBuf) message;
        nowNs = System.nanoTime();
        check.readAt(nowNs);
        try {
            read(in);
        } catch (DecoderException e) {
            lose("not HTTP: " + e.getMessage());
        } finally {
            in.release();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        if (inProgress && response.endsAtClose()) {
            end();
        } else if (inProgress) {
            lose(response.status() == 0 ? "closed before the head" : "cut: closed inside the body");
        }
        closeFrames();
        run.onClosed(this);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        lose("connection: " + cause.getMessage());
    }

    private void send() {
        closeFrames();
        frames = new SseFrameDecoder(ctx.alloc());
        check.reset();
        response.reset();
        bodyBytes = 0;
        inProgress = true;
        sentNs = System.nanoTime();
        ctx.writeAndFlush(run.request(), ctx.voidPromise());
    }

    private void read(ByteBuf in) {
        if (!inProgress) {
            return; // closing
        }
        response.read(in);
        if (response.status() != 0 && response.status() != 200) {
            lose("status " + response.status());
        } else if (response.ended()) {
            if (in.isReadable()) {
                lose("bytes after the response");
            } else {
                end();
            }
        }
    }

    private void onBody(ByteBuf bytes) {
        if (bodyBytes == 0) {
            recorder.onFirstByte(sentNs, nowNs);
        }
        bodyBytes += bytes.readableBytes();
        frames.decode(bytes, check);
    }

    private void end() {
        String fault = check.faultAtEnd(run.outputFrames(), frames.midFrame());
        if (fault != null) {
            lose(fault);
            return;
        }
        inProgress = false;
        recorder.onCompleted(bodyBytes);
        if (run.goesOn() && response.keepAlive() && !response.endsAtClose()) {
            send();
        } else {
            ctx.close();
        }
    }

    private void lose(String what) {
        if (inProgress) {
            inProgress = false;
            recorder.onLost(what);
            run.onLost();
        }
        ctx.close();
    }

    private void closeFrames() {
        if (frames != null) {
            frames.close();
            frames = null;
        }
    }
}
