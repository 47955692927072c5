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
 * The streaming phase of an exchange: it takes the upstream's frames, writes the client's, and keeps the state of the
 * stream. It writes to the client's sink, and knows only frames of the upstream. Confined to its event loop.
 *
 * <p>Until it is committed, nothing is written. Head and structural frames are held in the client's sink, so that
 * another attempt can replace this one. The first output commits it, and everything is written in one flush. An end
 * without output commits it, too, and so do held bytes or frames over their limits.
 *
 * <p>If client and upstream have different dialects, the upstream's frames decide the state of the stream, and an
 * {@link Interpreter} makes the client's frames.
 */
final class StreamRelay implements StreamListener {
    /** The longest frame that is translated. The last frame of a Responses stream repeats its answer. */
    private static final int MAX_TRANSLATED_FRAME = 16 * 1024 * 1024;

    private final AttemptContext context;
    private final Dialect dialect;
    private final ErrorMasker masker;
    /** Whether frames with only usage are dropped, because this client did not ask for them. */
    private final boolean usageDropped;

    private final StreamInspector inspector;
    private final SseFrameDecoder frames;
    private final FrameSink sink;
    private final StreamOutput output;
    private final StreamFlusher flusher;
    private final StreamMemory memory;
    private final StreamStart start;
    private final StreamState state;
    private boolean committed;
    private boolean closedToFrames;
    private boolean lastFrameDropped;

    /**
     * Creates a stream that has just begun.
     *
     * @param dialect of the upstream
     * @param interpreter translates; null passes the frames on unchanged
     * @param credential the relay's, which must not be in an error frame; null if the client's own was used
     * @param start the start of the client's response
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
                downstream,
                sink,
                context.terms().client(),
                context.route().heartbeat(),
                timeline.startNs,
                context.loop().counters());
        flusher = new StreamFlusher(downstream, sink, timeline, heartbeats);
        state = new StreamState(
                inspector, output, context.terms().request().fields().choices());
        memory = new StreamMemory(context.loop().memory());
    }

    /** The state of the stream. */
    StreamState state() {
        return state;
    }

    /** The decoder for the upstream's body. */
    SseFrameDecoder frames() {
        return frames;
    }

    /** Reads the body of {@code call}, whose head is {@code response}. */
    void read(UpstreamCall call, HttpResponse response) {
        call.beginStream(response, frames, this, sink);
    }

    /** Decodes a part of the stream without its framing; {@code content} remains with the caller. */
    void decode(ByteBuf content) {
        sink.onRead(content);
        try {
            frames.decode(content, this);
        } finally {
            sink.onReadEnd();
        }
    }

    /** Whether this is the client's answer, so that failures must be reported inside the stream. */
    boolean committed() {
        committed = committed || start.committed();
        return committed;
    }

    /** Whether the client gets one body, which is complete only at the stream's end. */
    boolean collects() {
        return output.collects();
    }

    /** The body bytes written to the client. */
    long bodyBytes() {
        return committed() ? sink.bodyBytes() : 0;
    }

    /** The start of the client's response. */
    StreamStart start() {
        return start;
    }

    /** Commits this as the client's answer. Held data is written first, and nothing is held from now on. */
    void commit() {
        if (!committed()) {
            boolean badBody = collects() && (state.failed() || state.garbled());
            start.commit(badBody ? HttpResponseStatus.valueOf(output.failed() ? output.status() : 502) : null);
        }
    }

    /**
     * Asks for an end in the form of the dialect.
     *
     * @return whether {@link #endingAsSeen} gives this end now; otherwise it does after the current frame is complete
     */
    boolean stop(StreamStop stop) {
        state.onStop(stop);
        closedToFrames = !state.insideFrame();
        return closedToFrames;
    }

    /** Releases all held data. */
    void release() {
        frames.close();
        if (!committed()) {
            sink.discard();
        }
        masker.release();
        memory.count(0, 0);
    }

    /** Whether the last frame has come, so that the stream can end even if the upstream sends more. */
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
        if (ErrorMasker.isError(kind)) {
            masker.frame(buf, start, end);
        }
        boolean judgedFirst = !output.translates(); // a frame that cannot be translated is no answer
        if (judgedFirst) {
            weigh(kind, end - start);
        }
        // A client that has read a [DONE] does not read an error after it.
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

    /** Writes and flushes the data of one read of the upstream. */
    void onReadComplete() {
        long nowNs = flusher.onReadComplete();
        if (committed()) {
            flush(nowNs);
        }
        memory.count(frames.heldBytes() + sink.pendingBytes(), output.held());
    }

    /** The held bytes of frames and of the translated answer. */
    long held(Held.Pool pool) {
        return memory.held(pool);
    }

    /** Writes and flushes pending data. */
    void flush(long nowNs) {
        flusher.flush(nowNs);
    }

    /** The end of the stream after its last frame, or after the last data that will come. */
    Ending endingAsSeen() {
        StreamEnding.Obstacle obstacle = state.obstacle();
        StreamStop stop = state.stop();
        if (stop != null && obstacle == StreamEnding.Obstacle.STOPPED) {
            output.stop(inspector, stop, frames.awaitsLineFeed());
        }
        return StreamEnding.asSeen(obstacle, inspector, output.translates());
    }

    /** The end of the stream at a clean end of its body. Forwards an unfinished frame if that completes it. */
    Ending endingAtBodyEnd() {
        if (!state.insideFrame()) {
            relayTail();
        } else if (inspector.inspectLastPiece()) {
            masker.endOfPieces(FrameKind.ERROR);
            state.onPiece(false);
        }
        return dialect == Dialect.UNKNOWN ? Ending.asRelayed(Outcome.COMPLETED) : endingAsSeen();
    }

    /** The end of the stream when the upstream's connection breaks inside its body. */
    Ending endingAtBreak(Breakage breakage) {
        boolean ended = output.failed() || state.nearlyComplete();
        return ended ? endingAsSeen() : StreamEnding.broken(breakage);
    }

    /** Whether the client has a part of a frame without the rest. Then only a reset can end the response. */
    boolean halfFrameSent() {
        return committed() && state.insideFrame();
    }

    /** Whether the upstream's own frames have ended the answer, and the client has all of them. */
    boolean saidAllBetweenFrames() {
        return state.nearlyComplete() && betweenFrames();
    }

    /** Whether a frame of the relay can be written now. That is possible only between two frames. */
    boolean betweenFrames() {
        return !state.insideFrame() && !frames.awaitsLineFeed();
    }

    /**
     * Writes the end of a stream for {@code ending}, unless that has an error of the relay, or the upstream's own end
     * is not passed on. After the end was written, it cannot change.
     *
     * @return the real end of the stream: a translation may find only at its end that the answer is incomplete
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
     * @return false if none could be written: the dialect is not known, or the client has a part of a frame
     */
    boolean writeError(RelayError error, String message) {
        if (state.insideFrame()) {
            return false;
        }
        String full = masker.apply(message) + " after " + inspector.outputFrames() + " output frames, " + bodyBytes()
                + " bytes";
        return output.error(error, full, inspector);
    }

    /** The action for when the kernel has the next write, if that has the first output; otherwise null. */
    @Nullable
    Runnable takeWriteNotice() {
        return flusher.takeWriteNotice();
    }

    /** Writes a heartbeat if the stream was silent for its interval and the dialect has a safe form. */
    void onSweep(long nowNs) {
        if (!committed() || state.nearlyComplete()) {
            return;
        }
        if (output.translates()) {
            output.onSilence(nowNs);
            flush(nowNs);
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
                masker.frame(tail, tail.readerIndex(), tail.writerIndex());
            }
            output.tail(tail, verdict);
        } finally {
            tail.release();
        }
    }

    /** Commits the stream if the frame requires it. The attempt judges an error. */
    private void weigh(FrameKind kind, int length) {
        if (committed() || state.failed()) {
            return;
        }
        boolean says = kind == FrameKind.OUTPUT || kind == FrameKind.TERMINAL || inspector.end() != StreamEnd.OPEN;
        if (start.isFullWith(length, state.frames()) || says || dialect == Dialect.UNKNOWN) {
            commit();
        }
    }

    /** Ends a translated stream at its last frame. Later frames have no meaning for the client. */
    private void closeIfLast() {
        StreamEnd end = inspector.end();
        closedToFrames = end == StreamEnd.DONE
                || end == StreamEnd.HIDDEN_ERROR
                || (output.translates() && (end == StreamEnd.TERMINAL || output.isOver()));
    }
}
