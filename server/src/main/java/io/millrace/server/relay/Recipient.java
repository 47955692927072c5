package io.millrace.server.relay;

import static java.util.Objects.requireNonNull;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.config.Route.Disconnect;
import io.millrace.server.downstream.ClientStream;
import io.millrace.server.downstream.FrameSink;
import io.millrace.server.format.ClientSide;
import io.millrace.server.http.HeaderRules;
import io.millrace.server.replay.AnswerId;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.millrace.server.telemetry.Summary;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Sweeper.Sweepable;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpResponse;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who gets an answer that outlives its connection: the client that asked, as long as it is there, and a log of the event
 * stream, which readers follow. Its states: with the client; detached, when the client has left and the log is still written;
 * over. Detached it has a limit: if nobody reads for too long, its listener ends it. Confined to the exchange's event loop.
 */
final class Recipient extends PassedStream implements Sweepable, LateClient.Listener {
    /** A log of which less is left is dropped by what comes while its readers read. */
    private static final int SPARE = 64 * 1024;

    private final RelayLoop loop;
    private final Dialect dialect;
    private final ClientSide side;
    private final Disconnect bounds;
    private final Resume settings;
    private final Listener listener;
    private final Consumer<String> onUnread;
    private final UnreadTime unread;
    /** The stream's id, if others may come for it before there is anything to read; else null. */
    private @Nullable String promised;

    private @Nullable StreamLog log;
    private @Nullable AnswerId answerId;
    private @Nullable LoggedSink sink;
    /** The client, if it reads the log. */
    private @Nullable LateClient late;

    private Sweeper.@Nullable Registration sweep;
    private boolean gone;

    /** The exchange whose answer this gets. */
    interface Listener extends MemoryRelief.Holder {
        /** Looks at the deadlines, in place of the client's connection. */
        void onSweep(long nowNs);

        /** Frames of output that came so far. */
        long outputFrames();

        /** Those who read have come near enough to the end of what there is for more to be read. */
        void onRoom();
    }

    /**
     * The recipient of one answer.
     *
     * @param side the format of the request
     * @param bounds of the time without a reader
     * @param onUnread ends the answer because nobody has read it for too long, as its argument says
     */
    Recipient(
            RelayLoop loop,
            ClientStream client,
            ClientSide side,
            Disconnect bounds,
            Resume settings,
            Listener listener,
            Consumer<String> onUnread) {
        super(client);
        this.loop = loop;
        this.side = side;
        dialect = side.dialect();
        this.bounds = bounds;
        this.settings = settings;
        this.listener = listener;
        this.onUnread = onUnread;
        unread = new UnreadTime(bounds);
    }

    /** Others may come for the stream, by this id, before there is anything to read: it goes on whatever the client does. */
    void promise(String id) {
        promised = id;
        loop.streams().promise(id);
    }

    /** Tells the client where the promised stream will be, and lets it go. */
    void accept(String requestId) {
        Accepted.tell(client, requireNonNull(promised, "not promised"), requestId);
        leave();
    }

    /**
     * The client is gone.
     *
     * @return whether the answer goes on without it
     */
    boolean leave() {
        if (log != null && late != null) {
            log.detach(late);
            late = null;
        }
        boolean goesOn = log == null ? promised != null : !log.isClosed() && log.seal() == null;
        if (gone || !goesOn) {
            return goesOn;
        }
        if (log != null) {
            log.waitsForReaders();
        }
        gone = true;
        if (sink != null) {
            sink.forgetClient();
        }
        unread.begin(System.nanoTime(), listener.outputFrames());
        sweep = loop.sweeper().add(this);
        loop.shared().logs().detached(1);
        loop.relief().detached().add(listener);
        if (bounds.maxTime().isZero()) {
            onSweep(unread.leftNs());
        }
        return true;
    }

    /** The client takes more again. */
    void onWritable() {
        if (log != null && late != null) {
            log.resume(late);
        }
    }

    /** The client takes less than comes: from now on it reads the log. */
    private void becomeLate() {
        StreamLog from = log;
        LoggedSink logged = sink;
        FrameSink own = logged == null ? null : logged.client();
        if (from == null || logged == null || own == null || gone || late != null || client.isWritable()) {
            return;
        }
        if (from.isClosed() || from.seal() != null) {
            return;
        }
        logged.keepFromClient();
        late = new LateClient(client, own, this);
        from.waitsForReaders();
        from.attach(late, from.tail());
        listener.onRoom();
    }

    @Override
    public void onLateClientRead() {
        if (log != null && log.leastBehind() <= settings.bytes() / 2) {
            listener.onRoom();
        }
    }

    /** What it would read next was dropped, because others read faster, or the whole log was given up. */
    @Override
    public void onLateClientLost() {
        late = null;
        boolean over = gone;
        boolean givenUp = log == null || log.isClosed();
        if (!over && givenUp) {
            listener.onMemoryShort();
            return;
        }
        client.reset();
        if (!over) {
            leave();
        }
    }

    @Override
    public void onSweep(long nowNs) {
        listener.onSweep(nowNs);
        if (sweep == null) {
            return;
        }
        if (log == null ? sink != null : log.isClosed()) {
            listener.onMemoryShort();
            return;
        }
        String tooLong = unread.look(nowNs, isRead(), listener.outputFrames());
        if (tooLong != null) {
            onUnread.accept(tooLong);
        }
    }

    /** What the access log is told of the stream, whose request came at {@code beganNs}; null if it is not kept. */
    Summary.@Nullable Kept summary(Supplier<String> id, long beganNs) {
        return log == null
                ? null
                : new Summary.Kept(id.get(), log.follows(), beganNs, unread.leftNs(), unread.totalNs());
    }

    private boolean isRead() {
        return log == null ? isPromiseAwaited() : log.isRead();
    }

    private boolean isPromiseAwaited() {
        return promised != null && loop.streams().isAwaited(promised);
    }

    @Override
    public FrameSink newSink() {
        return new LoggedSink(client.alloc(), gone ? null : client.newSink());
    }

    @Override
    public void beginStream(@Nullable HttpResponse response, FrameSink held) {
        LoggedSink before = sink;
        var next = (LoggedSink) held;
        sink = next;
        if (response != null) {
            open(response);
        }
        next.begin(log, answerId, before == null ? 0 : before.bodyBytes());
        if (gone || next.client() == null) {
            next.forgetClient();
        } else {
            client.beginStream(response, next.client());
        }
    }

    /** Begins the log, and tells the client of it; one body that is made of a stream has none. */
    private void open(HttpResponse response) {
        HttpHeaders headers = response.headers();
        String id = headers.get(HeaderRules.STREAM_ID);
        boolean stream = !headers.contains(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON, true);
        if (id == null || !stream) {
            return;
        }
        LogHead head = LogHead.of(id, dialect, response);
        if (side.isOwn() && loop.streams().share() != null) {
            head = head.withLostEvent(side, client.alloc());
        }
        log = loop.streams().keep(id, head, client.alloc(), settings);
        if (log != null) {
            if (gone) {
                log.waitsForReaders();
            }
            answerId = dialect == Dialect.RESPONSES
                    ? new AnswerId(client.alloc(), found -> loop.streams().answered(id, found))
                    : null;
            headers.set(
                    HeaderRules.RESUME,
                    "detach=" + bounds.maxTime().toSeconds() + ", keep="
                            + settings.keep().toSeconds());
        }
    }

    @Override
    public void flush() {
        if (!gone && late == null) {
            client.flush();
            if (log != null && !client.isWritable()) {
                // Not now: the caller is about to stop its reading, which then begins again.
                loop.eventLoop().execute(this::becomeLate);
            }
        }
        if (log != null) {
            log.flush();
        }
    }

    @Override
    public void end(End how, @Nullable Runnable written) {
        if (late != null) {
            late.whenWritten(written);
        } else if (!gone) {
            client.end(how, written);
        }
        seal(how == End.WHOLE ? Seal.CLEAN : Seal.FAILED);
    }

    @Override
    public void reset() {
        if (!gone && (late == null || log == null || log.isClosed())) {
            client.reset();
        }
        seal(Seal.BROKEN);
    }

    private void seal(Seal how) {
        gone = true;
        if (sweep != null) {
            sweep.cancel();
            sweep = null;
            unread.look(System.nanoTime(), isRead(), listener.outputFrames());
            loop.shared().logs().detached(-1);
            loop.relief().detached().remove(listener);
        }
        if (answerId != null) {
            answerId.close();
        }
        if (log != null) {
            log.seal(how);
        }
    }

    @Override
    public boolean isWritable() {
        if (log == null || (!gone && late == null)) {
            return gone || client.isWritable();
        }
        return log.readers() == 0 || log.leastBehind() < Math.max(settings.bytes() - SPARE, settings.bytes() / 2);
    }

    /** What waits for those who read the log is in the log, and counted there. */
    @Override
    public long pendingBytes() {
        return gone || late != null ? 0 : client.pendingBytes();
    }

    /** Before there is anything to read, those wait who came for the stream that was promised. */
    @Override
    public boolean awaitsMore() {
        boolean direct = !gone && late == null;
        return (direct && client.awaitsMore()) || (log == null ? isPromiseAwaited() : log.isAwaited());
    }

    @Override
    public boolean isActive() {
        return gone || client.isActive();
    }

    @Override
    public boolean inRead() {
        return !gone && client.inRead();
    }

    @Override
    public void readRequest(boolean on) {
        if (!gone) {
            client.readRequest(on);
        }
    }

    @Override
    public boolean responseStarted() {
        return gone ? log != null : client.responseStarted();
    }

    @Override
    public void respond(int status, byte[] json, HttpHeaders headers) {
        if (gone) {
            headers.set(HttpHeaderNames.CONTENT_TYPE, HttpHeaderValues.APPLICATION_JSON);
            keep(status, headers);
            writeBody(Unpooled.wrappedBuffer(json));
            seal(Seal.CLEAN);
        } else {
            client.respond(status, json, headers);
        }
    }

    @Override
    public void writeHead(HttpResponse response) {
        if (gone) {
            keep(response.status().code(), response.headers());
        } else {
            client.writeHead(response);
        }
    }

    @Override
    public void writeBody(ByteBuf content) {
        if (!gone) {
            client.writeBody(content);
            return;
        }
        if (log != null) {
            log.append(content, content.readerIndex(), content.writerIndex());
        }
        content.release();
    }

    /** Keeps an answer that is no stream for those who come for the stream that was promised. */
    private void keep(int status, HttpHeaders headers) {
        if (promised != null) {
            log = loop.streams()
                    .keep(promised, LogHead.of(promised, status, dialect, headers), client.alloc(), settings);
        }
    }
}
