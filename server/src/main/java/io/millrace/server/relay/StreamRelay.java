package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.codec.dialect.TailVerdict;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.config.Credential;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.millrace.server.format.Interpreter;
import io.millrace.server.http.SecretMask;
import io.millrace.server.memory.Held;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Timeline;
import io.millrace.server.upstream.CallListener.Breakage;
import io.millrace.server.upstream.StreamListener;
import io.millrace.server.upstream.UpstreamCall;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import org.jspecify.annotations.Nullable;

/**
 * The streaming phase of an exchange: frames in, frames out, and what is true about the stream in between. It writes
 * to the client's sink, and knows of the upstream no more than its frames. Confined to its event loop.
 *
 * <p>Until it is committed nothing is written: head and structural frames are held in the client's sink, so that another
 * attempt can take this one's place. The first output commits it, and all leaves in one flush; so does an end without
 * output, and what is more than the bounds of what is held.
 *
 * <p>Where client and upstream speak otherwise, the upstream's frames say what is true about the stream, and an
 * {@link Interpreter} what the client gets of each.
 */
final class StreamRelay implements StreamListener {
    /** A frame that is translated must be there as a whole: the last of a Responses stream repeats its answer. */
    private static final int MAX_TRANSLATED_FRAME = 16 * 1024 * 1024;

    private final AttemptContext context;
    private final Dialect dialect;
    private final ErrorMasker masker;
    /** Whether frames that carry nothing but usage are not for this client, who did not ask for them. */
    private final boolean usageDropped;

    private final StreamInspector inspector;
    private final SseFrameDecoder frames;
    private final FrameSink sink;
    private final StreamOutput output;
    private final StreamFlusher flusher;
    private final StreamMemory memory;
    private final StreamStart start;
    private final StreamState state;
    private boolean closedToFrames;
    private boolean lastFrameDropped;

    /**
     * A stream that has just begun.
     *
     * @param dialect of the upstream
     * @param interpreter between the two; null passes the frames on as they are
     * @param credential ours, which no error that is written here may tell; null if the client's own was used
     * @param start where the client's response begins
     */
    StreamRelay(
            AttemptContext context,
            Timeline timeline,
            Dialect dialect,
            @Nullable Interpreter interpreter,
            @Nullable Credential credential,
            StreamStart start) {
        this.context = context;
        this.dialect = dialect;
        this.start = start;
        SecretMask mask = credential == null ? null : new SecretMask(credential);
        usageDropped = context.terms().request().usageAdded();
        inspector = dialect.newInspector();
        ClientStream downstream = context.downstream();
        frames = new SseFrameDecoder(
                downstream.alloc(), interpreter == null ? context.frameHold() : MAX_TRANSLATED_FRAME);
        sink = start.sink();
        output = interpreter == null
                ? new PassedFrames(sink, downstream.alloc(), context.terms(), dialect)
                : new InterpretedFrames(sink, downstream.alloc(), interpreter, mask);
        masker = new ErrorMasker(mask, output);
        var heartbeats = new Heartbeats(
                downstream, sink, context.terms().client(), context.route().heartbeat(), timeline.startNs);
        flusher = new StreamFlusher(downstream, sink, timeline, heartbeats);
        state = new StreamState(
                inspector, output, context.terms().request().fields().choices());
        memory = new StreamMemory(context.loop().memory());
    }

    /** What is true of the stream so far. */
    StreamState state() {
        return state;
    }

    /** Cuts the upstream's body for this. */
    SseFrameDecoder frames() {
        return frames;
    }

    /** Reads the body of {@code call}, whose head is {@code response}. */
    void read(UpstreamCall call, HttpResponse response) {
        call.beginStream(response, frames, this, sink);
    }

    /** Cuts a part of the stream that came without its upstream's framing; {@code content} remains with the caller. */
    void decode(ByteBuf content) {
        sink.onRead(content);
        try {
            frames.decode(content, this);
        } finally {
            sink.onReadEnd();
        }
    }

    /** Whether this is the client's answer, so that failures must be told inside the stream. */
    boolean committed() {
        return start.committed();
    }

    /** Whether the client gets one body, for which all of the stream is waited. */
    boolean collects() {
        return output.collects();
    }

    /** Body bytes written to the client. */
    long bodyBytes() {
        return committed() ? sink.bodyBytes() : 0;
    }

    /** Where the client's response begins. */
    StreamStart start() {
        return start;
    }

    /** From now on this is the client's answer: what was held goes first, and nothing is held any more. */
    void commit() {
        if (!committed()) {
            boolean badBody = collects() && (state.failed() || state.garbled());
            start.commit(badBody ? HttpResponseStatus.valueOf(output.failed() ? output.status() : 502) : null);
        }
    }

    /**
     * Asks for an end as the dialect has it.
     *
     * @return whether {@link #endingAsSeen} gives it now; else it does once the frame that is on its way is whole
     */
    boolean stop(StreamStop stop) {
        state.onStop(stop);
        closedToFrames = !state.insideFrame();
        return closedToFrames;
    }

    /** Lets go of what is held. */
    void release() {
        frames.close();
        if (!committed()) {
            sink.discard();
        }
        masker.release();
        memory.count(0, 0);
    }

    /** Whether the last frame has come, so that the stream can end whatever the upstream still sends. */
    boolean complete() {
        return closedToFrames && !frames.awaitsLineFeed();
    }

    @Override
    public boolean isFull() {
        return committed() && !context.downstream().isWritable();
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        if (closedToFrames) {
            lastFrameDropped = true;
            return;
        }
        FrameKind kind = inspector.inspect(buf, start, end);
        flusher.onFrame(kind);
        if (kind == FrameKind.STRUCTURAL && usageDropped && inspector.isUsageOnly()) {
            return;
        }
        state.onFrame();
        masker.frame(kind, buf, start, end);
        boolean judgedFirst = !output.translates(); // what cannot be translated is no answer yet
        if (judgedFirst) {
            weigh(kind, end - start);
        }
        // A client that has read a [DONE] does not read an error that follows it.
        if (kind != FrameKind.HIDDEN_ERROR || !inspector.endedUnanswered()) {
            output.frame(kind, buf, start, end);
        }
        if (!judgedFirst && !output.failed() && !collects()) {
            weigh(kind, end - start);
        }
        closeIfLast();
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        if (closedToFrames) {
            lastFrameDropped = true;
            return;
        }
        if (output.translates()) {
            state.onTooLong();
            closedToFrames = true;
            return;
        }
        FrameKind kind = inspector.inspectPiece(buf, start, end, first, last);
        if (first) {
            flusher.onFrame(kind);
            state.onFrame();
        }
        weigh(kind, end - start);
        masker.piece(kind, buf, start, end);
        if (last) {
            masker.endOfPieces(kind);
        }
        state.onPiece(!last);
        if (last) {
            closeIfLast();
            closedToFrames |= state.stop() != null;
        }
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        if (!lastFrameDropped) {
            output.lateLineFeed(buf, index);
        }
    }

    /** Writes and flushes what one read of the upstream brought. */
    void onReadComplete() {
        flusher.onReadComplete();
        if (committed()) {
            flush();
        }
        memory.count(frames.heldBytes() + sink.pendingBytes(), output.held());
    }

    /** Bytes that are held of frames, and of the answer that is made of them. */
    long held(Held.Pool pool) {
        return memory.held(pool);
    }

    /** Writes what is pending and flushes it. */
    void flush() {
        flusher.flush();
    }

    /** How the stream ends when its own frames have said the last, or as much of it as will come. */
    Ending endingAsSeen() {
        StreamEnding.Obstacle obstacle = state.obstacle();
        StreamStop stop = state.stop();
        if (stop != null && obstacle == StreamEnding.Obstacle.STOPPED) {
            output.stop(inspector, stop, frames.awaitsLineFeed());
        }
        return StreamEnding.asSeen(obstacle, inspector, output.translates());
    }

    /** How the stream ends at a clean end of its body. Forwards an unfinished frame if that completes it. */
    Ending endingAtBodyEnd() {
        if (!state.insideFrame()) {
            relayTail();
        } else if (inspector.inspectLastPiece()) {
            masker.endOfPieces(FrameKind.ERROR);
            state.onPiece(false);
        }
        return dialect == Dialect.UNKNOWN ? Ending.asRelayed(Outcome.COMPLETED) : endingAsSeen();
    }

    /** How the stream ends when the upstream's connection breaks inside its body. */
    Ending endingAtBreak(Breakage breakage) {
        boolean ended = output.failed() || state.nearlyComplete();
        return ended ? endingAsSeen() : StreamEnding.broken(breakage);
    }

    /** Whether the client has got a part of a frame and not yet the rest, so that only a reset can end the response. */
    boolean halfFrameSent() {
        return committed() && state.insideFrame();
    }

    /** Whether the upstream's own frames have said the last, so that nothing is missing at the client. */
    boolean saidAllBetweenFrames() {
        return state.nearlyComplete() && betweenFrames();
    }

    /** Whether a frame of ours can be written now, which is only between two frames. */
    boolean betweenFrames() {
        return !state.insideFrame() && !frames.awaitsLineFeed();
    }

    /**
     * Writes the end of a stream that is to end as {@code ending} says, where that is not an error of ours and the upstream's
     * own is not the client's. Once the end is written, it cannot change.
     *
     * @return how the stream really ends: the translation may find only at its end that the answer is not whole
     */
    Ending writeEnd(Ending ending) {
        if (ending.error() != null) {
            return ending;
        }
        output.end(state.stop() != null && inspector.end() == StreamEnd.OPEN);
        return output.failed() ? Ending.asRelayed(Outcome.UPSTREAM_ERROR) : ending;
    }

    /**
     * Writes the client's error frame.
     *
     * @return false if none could be written: the dialect is not known, or half a frame is with the client already
     */
    boolean writeError(RelayError error, String message) {
        if (state.insideFrame()) {
            return false;
        }
        String full = masker.apply(message) + " after " + inspector.outputFrames() + " output frames, " + bodyBytes()
                + " bytes";
        return output.error(error, full, inspector);
    }

    /** What is to run when the kernel has the next write, because it holds the first output; else null. */
    @Nullable
    Runnable takeWriteNotice() {
        return flusher.takeWriteNotice();
    }

    /** Writes a heartbeat if the stream has been silent for its interval and the dialect has a safe form. */
    void onSweep(long nowNs) {
        if (!committed() || state.nearlyComplete()) {
            return;
        }
        if (output.translates()) {
            output.onSilence(nowNs);
            flush();
        }
        if (betweenFrames()) {
            flusher.beat(nowNs, output.contentSeen());
        }
    }

    private void relayTail() {
        ByteBuf tail = frames.takeTail();
        if (tail == null) {
            return;
        }
        try {
            if (closedToFrames) {
                return;
            }
            TailVerdict verdict = inspector.inspectTail(tail, tail.readerIndex(), tail.writerIndex());
            if (verdict == TailVerdict.TERMINAL) {
                commit();
            }
            if (verdict == TailVerdict.HIDDEN_ERROR) {
                masker.frame(FrameKind.HIDDEN_ERROR, tail, tail.readerIndex(), tail.writerIndex());
            }
            output.tail(tail, verdict);
        } finally {
            tail.release();
        }
    }

    /** Whether a frame that is not yet the client's makes the stream its answer. An error is the attempt's to judge. */
    private void weigh(FrameKind kind, int length) {
        if (committed() || state.failed()) {
            return;
        }
        boolean says = kind == FrameKind.OUTPUT || kind == FrameKind.TERMINAL || inspector.end() != StreamEnd.OPEN;
        if (start.isFullWith(length, state.frames()) || says || dialect == Dialect.UNKNOWN) {
            commit();
        }
    }

    /** What follows the end of a translated stream has no meaning for the client, and its usage came before. */
    private void closeIfLast() {
        StreamEnd end = inspector.end();
        closedToFrames = end == StreamEnd.DONE
                || end == StreamEnd.HIDDEN_ERROR
                || (output.translates() && (end == StreamEnd.TERMINAL || output.isOver()));
    }
}
