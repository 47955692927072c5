package io.millrace.server.relay;

import io.millrace.codec.dialect.Dialect;
import io.millrace.codec.dialect.FrameKind;
import io.millrace.codec.dialect.RelayError;
import io.millrace.codec.dialect.StreamEnd;
import io.millrace.codec.dialect.StreamInspector;
import io.millrace.codec.dialect.StreamStop;
import io.millrace.codec.dialect.TailVerdict;
import io.millrace.codec.dialect.Usage;
import io.millrace.codec.sse.SseFrameDecoder;
import io.millrace.server.config.Credential;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.millrace.server.format.ClientSide;
import io.millrace.server.format.Interpreter;
import io.millrace.server.http.SecretMask;
import io.millrace.server.memory.Held;
import io.millrace.server.memory.LoopMemory;
import io.millrace.server.telemetry.Outcome;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.telemetry.Timeline;
import io.millrace.server.upstream.CallListener.Breakage;
import io.millrace.server.upstream.StreamListener;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

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
    /** At so many held frames or bytes the stream is committed, whatever they are. */
    private static final int MAX_HELD_FRAMES = 64;

    private static final int MAX_HELD_BYTES = 256 * 1024;
    /** A frame that is translated must be there as a whole: the last of a Responses stream repeats its answer. */
    private static final int MAX_TRANSLATED_FRAME = 16 * 1024 * 1024;

    private final ClientStream downstream;
    private final Dialect dialect;
    private final ClientSide client;
    private final Interpreter interpreter;
    private final Credential credential;
    private final StreamInspector inspector;
    private final SseFrameDecoder frames;
    private final Timeline timeline;
    private final Heartbeats heartbeats;
    private final int choices;
    private final String requestId;
    private final FrameSink sink;
    private final Commitment commitment;
    private final LoopMemory memory;
    private long countedFrames;
    private long countedAnswer;
    private HttpResponse head;
    private boolean committed;
    private int heldBytes;
    private long readNs;
    private long framesSeen;
    private boolean unflushed;
    private boolean outputUnstamped;
    private boolean contentSeen;
    private boolean closedToFrames;
    private boolean lastFrameDropped;
    private boolean usageDropped;
    private StreamStop stop;
    private boolean inLongFrame;
    private boolean tooLong;

    /** Learns that a stream is the client's answer. */
    @FunctionalInterface
    interface Commitment {
        /** Called once, before the head of {@code stream} is written. */
        void onCommit(StreamRelay stream);
    }

    /**
     * A stream that has just begun.
     *
     * @param dialect of the upstream
     * @param interpreter between the two; null passes the frames on as they are
     * @param credential ours, which no error that is written here may tell; null if the client's own was used
     */
    StreamRelay(
            AttemptContext context,
            Timeline timeline,
            HttpResponse head,
            Dialect dialect,
            Interpreter interpreter,
            Credential credential,
            Commitment commitment) {
        downstream = context.downstream();
        client = context.terms().client();
        requestId = context.terms().requestId();
        choices = context.terms().request().fields().choices();
        memory = context.loop().memory();
        this.timeline = timeline;
        this.head = head;
        this.dialect = dialect;
        this.interpreter = interpreter;
        this.credential = credential;
        this.commitment = commitment;
        inspector = dialect.newInspector();
        frames = new SseFrameDecoder(
                downstream.alloc(), interpreter == null ? context.frameHold() : MAX_TRANSLATED_FRAME);
        sink = downstream.newSink();
        heartbeats = new Heartbeats(downstream, sink, client, context.route().heartbeat(), timeline.startNs);
    }

    /** What the frames so far say about the stream. */
    StreamInspector inspector() {
        return inspector;
    }

    /** Cuts the upstream's body for this. */
    SseFrameDecoder frames() {
        return frames;
    }

    /** Where its frames leave. */
    FrameSink sink() {
        return sink;
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
        return committed;
    }

    /** Whether the client gets one body, for which all of the stream is waited. */
    boolean collects() {
        return interpreter != null && interpreter.collects();
    }

    /** Whether the stream's own frames say that the answer failed. */
    boolean failed() {
        return isFailure(inspector.end());
    }

    /** Whether what came cannot be made the client's, or says to it that the answer failed, whatever its own frames say. */
    boolean garbled() {
        return tooLong || translationFailed();
    }

    /** What is to be said about the stream when it is over. */
    Summary.Stream summary() {
        return new Summary.Stream(
                inspector.finishReason(), framesSeen, inspector.outputFrames(), inspector.usage(), usageExact());
    }

    /** Whether the usage known is that of the whole answer: the answer has come to its end, and both counts were told. */
    boolean usageExact() {
        Usage usage = inspector.usage();
        return saidAll() && usage.inputTokens() >= 0 && usage.outputTokens() >= 0;
    }

    /** Body bytes written to the client. */
    long bodyBytes() {
        return committed ? sink.bodyBytes() : 0;
    }

    /** The head that the client will get; null once it has one. */
    HttpResponse head() {
        return head;
    }

    /** The client has the head of this response already. */
    void dropHead() {
        head = null;
    }

    /** From now on this is the client's answer: what was held goes first, and nothing is held any more. */
    void commit() {
        if (!committed) {
            committed = true;
            if (collects() && head != null && (failed() || garbled())) {
                head.setStatus(HttpResponseStatus.valueOf(translationFailed() ? interpreter.status() : 502));
            }
            commitment.onCommit(this);
            downstream.beginStream(head, sink);
            head = null;
        }
    }

    /** Frames that carry nothing but usage are not for this client, who did not ask for them. */
    void dropUsageFrames() {
        usageDropped = true;
    }

    /**
     * Asks for an end as the dialect has it.
     *
     * @return whether {@link #endingAsSeen} gives it now; else it does once the frame that is on its way is whole
     */
    boolean stop(StreamStop stop) {
        this.stop = stop;
        closedToFrames = !inLongFrame;
        return closedToFrames;
    }

    /** Lets go of what is held. */
    void release() {
        frames.close();
        if (!committed) {
            sink.discard();
        }
        count(0, 0);
    }

    /** Whether the stream has said its last, so that it can be ended whatever the upstream still sends. */
    boolean complete() {
        return closedToFrames && !frames.awaitsLineFeed();
    }

    /** Whether the stream has its terminal or its error, but not the frame that is the last for certain. */
    boolean nearlyComplete() {
        return inspector.end().compareTo(StreamEnd.FINISHED) > 0;
    }

    /** Whether the upstream's own frames have said the last, so that nothing is missing at the client. */
    boolean saidAllBetweenFrames() {
        return nearlyComplete() && betweenFrames();
    }

    /**
     * Whether every choice that was asked for has its finish reason. That is no end: usage may follow, a {@code [DONE]}, or,
     * from servers that give a reason with every chunk, the rest of the answer.
     */
    boolean finished() {
        return inspector.end() == StreamEnd.FINISHED && !inLongFrame && inspector.choicesSeen() >= choices;
    }

    @Override
    public boolean isFull() {
        return committed && !downstream.isWritable();
    }

    @Override
    public void onFrame(ByteBuf buf, int start, int end) {
        if (closedToFrames) {
            lastFrameDropped = true;
            return;
        }
        FrameKind kind = inspector.inspect(buf, start, end);
        onKind(kind);
        if (kind == FrameKind.STRUCTURAL && usageDropped && inspector.isUsageOnly()) {
            return;
        }
        framesSeen++;
        if (credential != null && (kind == FrameKind.ERROR || kind == FrameKind.HIDDEN_ERROR)) {
            mask(buf, start, end);
        }
        if (interpreter != null) {
            // What cannot be translated is no answer yet.
            relay(kind, buf, start, end);
        }
        if (!committed && !translationFailed() && !collects()) {
            weigh(kind, end - start);
        }
        if (interpreter == null) {
            relay(kind, buf, start, end);
        }
        closeIfLast();
    }

    @Override
    public void onPiece(ByteBuf buf, int start, int end, boolean first, boolean last) {
        if (closedToFrames) {
            lastFrameDropped = true;
            return;
        }
        if (interpreter != null) {
            tooLong = true;
            closedToFrames = true;
            return;
        }
        FrameKind kind = inspector.inspectPiece(buf, start, end, first, last);
        if (first) {
            onKind(kind);
            framesSeen++;
        }
        if (!committed) {
            weigh(kind, end - start);
        }
        if (credential != null && (kind == FrameKind.ERROR || kind == FrameKind.HIDDEN_ERROR)) {
            mask(buf, start, end);
        }
        sink.append(buf, start, end);
        inLongFrame = !last;
        if (last) {
            closeIfLast();
            closedToFrames |= stop != null;
        }
    }

    @Override
    public void onLateLineFeed(ByteBuf buf, int index) {
        if (!lastFrameDropped && interpreter == null) {
            sink.append(buf, index, index + 1);
        }
    }

    /** Writes and flushes what one read of the upstream brought. */
    void onReadComplete() {
        timeline.lastByteNs = readNs != 0 ? readNs : System.nanoTime();
        readNs = 0;
        if (committed) {
            flush();
        }
        count(frames.heldBytes() + sink.pendingBytes(), interpreter == null ? 0 : interpreter.held());
    }

    /** Bytes that are held of frames, and of the answer that is made of them. */
    long held(Held.Pool pool) {
        return pool == Held.Pool.HEAP ? countedAnswer : countedFrames;
    }

    private void count(long ofFrames, long ofAnswer) {
        if (ofFrames != countedFrames) {
            memory.add(Held.FRAMES, ofFrames - countedFrames);
            countedFrames = ofFrames;
        }
        if (ofAnswer != countedAnswer) {
            memory.add(Held.ANSWERS, ofAnswer - countedAnswer);
            countedAnswer = ofAnswer;
        }
    }

    /** Writes what is pending and flushes it. */
    void flush() {
        writePending();
        if (unflushed) {
            unflushed = false;
            downstream.flush();
            heartbeats.onWrite(System.nanoTime());
        }
    }

    /** How the stream ends when its own frames have said the last, or as much of it as will come. */
    Ending endingAsSeen() {
        StreamEnding.Obstacle obstacle = obstacle();
        if (obstacle == StreamEnding.Obstacle.STOPPED) {
            writeStop();
        }
        return StreamEnding.asSeen(obstacle, inspector, interpreter != null);
    }

    private StreamEnding.Obstacle obstacle() {
        if (inLongFrame) {
            return StreamEnding.Obstacle.INSIDE_FRAME;
        }
        if (tooLong) {
            return StreamEnding.Obstacle.TOO_LONG;
        }
        if (translationFailed()) {
            return StreamEnding.Obstacle.UNTRANSLATABLE;
        }
        return stop == null ? StreamEnding.Obstacle.NONE : StreamEnding.Obstacle.STOPPED;
    }

    /** How the stream ends at a clean end of its body. Forwards an unfinished frame if that completes it. */
    Ending endingAtBodyEnd() {
        if (!inLongFrame) {
            relayTail();
        } else if (inspector.inspectLastPiece()) {
            inLongFrame = false;
        }
        return dialect == Dialect.UNKNOWN ? Ending.asRelayed(Outcome.COMPLETED) : endingAsSeen();
    }

    /** How the stream ends when the upstream's connection breaks inside its body. */
    Ending endingAtBreak(Breakage breakage) {
        boolean ended = translationFailed() || inspector.end().compareTo(StreamEnd.FINISHED) > 0;
        return ended ? endingAsSeen() : StreamEnding.broken(breakage);
    }

    /** Whether the answer is with the client, so that one who leaves now has not left early. */
    boolean saidAll() {
        StreamEnd end = inspector.end();
        boolean said = end == StreamEnd.FINISHED || end == StreamEnd.TERMINAL || end == StreamEnd.DONE;
        return said && !translationFailed();
    }

    /** Whether the client has got a part of a frame and not yet the rest, so that only a reset is an honest end. */
    boolean halfFrameSent() {
        return committed && inLongFrame;
    }

    /** Whether a frame of ours can be written now, which is only between two frames. */
    boolean betweenFrames() {
        return !inLongFrame && !frames.awaitsLineFeed();
    }

    /**
     * Writes the end of a stream that is to end as {@code ending} says, where that is not an error of ours and the upstream's
     * own is not the client's. Once it is written it stays.
     *
     * @return how the stream ends indeed: only its end may show that the answer is not whole
     */
    Ending writeEnd(Ending ending) {
        if (interpreter == null || ending.error() != null) {
            return ending;
        }
        if (!interpreter.isOver()) {
            write(stop == null || inspector.end() != StreamEnd.OPEN ? interpreter::finish : interpreter::stop);
        }
        return translationFailed() ? Ending.asRelayed(Outcome.UPSTREAM_ERROR) : ending;
    }

    /**
     * Writes the client's error frame.
     *
     * @return false if none could be written: the dialect is not known, or half a frame is with the client already
     */
    boolean writeError(RelayError error, String message) {
        if (inLongFrame) {
            return false;
        }
        String told = credential == null ? message : new SecretMask(credential).apply(message);
        String full = told + " after " + inspector.outputFrames() + " output frames, " + bodyBytes() + " bytes";
        if (interpreter != null) {
            write(out -> interpreter.fail(error, full, out));
            return true;
        }
        ByteBuf frame = client.errorFrame(downstream.alloc(), error, full, inspector.sequenceNumber(), requestId);
        if (frame == null) {
            return false;
        }
        try {
            sink.append(frame, frame.readerIndex(), frame.writerIndex());
        } finally {
            frame.release();
        }
        return true;
    }

    /** Writes what is pending, without a flush. */
    void writePending() {
        if (sink.hasPending()) {
            unflushed = true;
            sink.write(takeWriteNotice());
        }
    }

    /** What is to run when the kernel has the next write, because it holds the first output; else null. */
    Runnable takeWriteNotice() {
        if (!outputUnstamped) {
            return null;
        }
        outputUnstamped = false;
        return () -> timeline.firstOutputWrittenNs = System.nanoTime();
    }

    /** Writes a heartbeat if the stream has been silent for its interval and the dialect has a safe form. */
    void onSweep(long nowNs) {
        if (!committed) {
            return;
        }
        if (interpreter != null && !nearlyComplete()) {
            write(out -> interpreter.onSilence(nowNs, out));
            flush();
        }
        if (betweenFrames() && !nearlyComplete()) {
            heartbeats.beat(nowNs, contentSeen);
        }
    }

    /** Nothing of the upstream's follows, so that a line feed which its last frame may still wait for is ours to write. */
    private void writeStop() {
        if (interpreter != null) {
            return;
        }
        if (frames.awaitsLineFeed()) {
            appendText("\n");
        }
        ByteBuf ending = inspector.stopFrames(downstream.alloc(), stop);
        try {
            if (ending.isReadable()) {
                sink.append(ending, ending.readerIndex(), ending.writerIndex());
            }
        } finally {
            ending.release();
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
            if (credential != null && verdict == TailVerdict.HIDDEN_ERROR) {
                mask(tail, tail.readerIndex(), tail.writerIndex());
            }
            if (interpreter != null) {
                translateTail(verdict, tail);
                return;
            }
            if (verdict != TailVerdict.DROP) {
                sink.append(tail, tail.readerIndex(), tail.writerIndex());
            }
            if (verdict == TailVerdict.HIDDEN_ERROR) {
                appendText(dialect == Dialect.GEMINI ? "\r\n\r\n" : "\n\n");
            }
        } finally {
            tail.release();
        }
    }

    /** Some upstreams say in an error which key they did not like. The frame's length stays. */
    private void mask(ByteBuf buf, int start, int end) {
        new SecretMask(credential).apply(buf.slice(start, end - start));
    }

    /** A frame that lacks nothing but its blank line. */
    private void translateTail(TailVerdict verdict, ByteBuf tail) {
        if (verdict == TailVerdict.TERMINAL) {
            ByteBuf whole = downstream.alloc().buffer(tail.readableBytes() + 2);
            try {
                whole.writeBytes(tail, tail.readerIndex(), tail.readableBytes()).writeShort('\n' << 8 | '\n');
                relay(FrameKind.TERMINAL, whole, 0, whole.writerIndex());
            } finally {
                whole.release();
            }
        }
    }

    private void onKind(FrameKind kind) {
        if (readNs == 0) {
            readNs = System.nanoTime();
            if (timeline.firstFrameNs == 0) {
                timeline.firstFrameNs = readNs;
            }
        }
        if (kind == FrameKind.OUTPUT) {
            outputUnstamped |= timeline.firstOutputNs == 0;
            timeline.onOutput(readNs);
        }
        contentSeen |= interpreter == null && kind != FrameKind.KEEP_ALIVE;
    }

    /** Whether a frame that is not yet the client's makes the stream its answer. An error is the attempt's to judge. */
    private void weigh(FrameKind kind, int length) {
        StreamEnd end = inspector.end();
        if (isFailure(end)) {
            return;
        }
        heldBytes += length;
        boolean says = kind == FrameKind.OUTPUT || kind == FrameKind.TERMINAL || end != StreamEnd.OPEN;
        if (says || dialect == Dialect.UNKNOWN || framesSeen >= MAX_HELD_FRAMES || heldBytes >= MAX_HELD_BYTES) {
            commit();
        }
    }

    private boolean translationFailed() {
        return interpreter != null && interpreter.failed();
    }

    private static boolean isFailure(StreamEnd end) {
        return end == StreamEnd.ERROR || end == StreamEnd.HIDDEN_ERROR;
    }

    /** What follows the end of a translated stream has no meaning for the client, and its usage came before. */
    private void closeIfLast() {
        StreamEnd end = inspector.end();
        closedToFrames = end == StreamEnd.DONE
                || end == StreamEnd.HIDDEN_ERROR
                || (interpreter != null && (end == StreamEnd.TERMINAL || interpreter.isOver()));
    }

    /** A client that sees a {@code [DONE]} looks for no error behind it. */
    private void relay(FrameKind kind, ByteBuf buf, int start, int end) {
        if (kind == FrameKind.HIDDEN_ERROR && inspector.endedUnanswered()) {
            return;
        }
        if (interpreter == null) {
            sink.append(buf, start, end);
        } else {
            write(out -> interpreter.frame(buf, start, end, out));
        }
    }

    /** Appends what {@code writer} writes. */
    private void write(Consumer<ByteBuf> writer) {
        ByteBuf out = downstream.alloc().buffer();
        try {
            writer.accept(out);
            if (credential != null && interpreter.failed()) {
                new SecretMask(credential).apply(out);
            }
            if (out.isReadable()) {
                contentSeen = true;
                sink.append(out, out.readerIndex(), out.writerIndex());
            }
        } finally {
            out.release();
        }
    }

    private void appendText(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        ByteBuf buf = downstream.alloc().buffer(bytes.length).writeBytes(bytes);
        try {
            sink.append(buf, 0, bytes.length);
        } finally {
            buf.release();
        }
    }
}
