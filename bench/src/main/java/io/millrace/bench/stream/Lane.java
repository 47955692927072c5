package io.millrace.bench.stream;

import static java.util.Objects.requireNonNull;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Promise;
import java.net.ConnectException;
import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The part of a load that lives on one event loop: its connections and its share of the streams. Lanes share only the
 * count of requests.
 */
@SuppressWarnings("NullAway.Init") // set at the start
final class Lane {
    private static final int MAX_CONNECTING = 512;
    private static final long SWEEP_MS = 100;
    private static final long LAG_PROBE_NS = TimeUnit.MILLISECONDS.toNanos(5);

    private static final String NO_DESCRIPTOR = "no descriptor left";

    private final Descriptors descriptors;
    private final StreamPlan plan;
    private final EventLoop loop;
    private final StreamObserver observer;
    private final Requests requests;
    private final Bootstrap bootstrap;
    private final Promise<Void> done;
    private final Feed feed;
    private final long measuredFromNs;
    private final ArrayDeque<Wire> idle = new ArrayDeque<>();
    private final Set<Wire> busy = new LinkedHashSet<>();
    private final ArrayDeque<StreamSample> waiting = new ArrayDeque<>();
    private final ArrayDeque<StreamSample> unconnected = new ArrayDeque<>();
    /** Sessions between two turns. */
    private final Set<Conversation> thinking = new LinkedHashSet<>();

    /** Null over HTTP/1.1. */
    private final @Nullable Http2Connections http2;

    private Future<?> sweeper;
    private Future<?> lagProbe;
    private long probeDueNs;
    private long drainEndNs = Long.MAX_VALUE;
    private Outcome atEnd = Outcome.UNFINISHED;
    private int connecting;
    private int stale;
    private boolean closing;

    /**
     * @param measuredFromNs when the measured part begins
     * @param http2Connections how many connections of HTTP/2 carry all streams; 0 for HTTP/1.1
     */
    Lane(
            StreamPlan plan,
            Feed feed,
            long measuredFromNs,
            int http2Connections,
            EventLoop loop,
            Class<? extends Channel> channelType,
            Descriptors descriptors,
            StreamObserver observer) {
        this.descriptors = descriptors;
        this.plan = plan;
        this.feed = feed;
        this.measuredFromNs = measuredFromNs;
        this.loop = loop;
        this.observer = observer;
        requests = new Requests(plan.template(), plan.prompts());
        done = loop.newPromise();
        http2 = http2Connections == 0 ? null : new Http2Connections(this, http2Connections);
        bootstrap = new Bootstrap()
                .group(loop)
                .channel(channelType)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(
                        ChannelOption.CONNECT_TIMEOUT_MILLIS,
                        plan.clients().limits().connectMs())
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        init(channel);
                    }
                });
    }

    /** Begins. Must be called on the event loop. */
    void start() {
        observer.onStart(measuredFromNs);
        sweeper = loop.scheduleAtFixedRate(this::sweep, SWEEP_MS, SWEEP_MS, TimeUnit.MILLISECONDS);
        probeDueNs = System.nanoTime() + LAG_PROBE_NS;
        lagProbe = loop.schedule(this::probeLag, LAG_PROBE_NS, TimeUnit.NANOSECONDS);
        feed.start(this, loop);
    }

    /** Completes when no further stream will begin and all have ended. */
    Promise<Void> done() {
        return done;
    }

    /** Streams in progress or waiting. */
    int active() {
        return busy.size()
                + connecting
                + waiting.size()
                + unconnected.size()
                + thinking.size()
                + (http2 == null ? 0 : http2.waiting());
    }

    /** Open connections. */
    int connections() {
        return http2 == null ? busy.size() + idle.size() : http2.size();
    }

    /** Connections that are not ready yet. */
    int connecting() {
        return connecting;
    }

    /** Streams in progress that have brought output. */
    int streaming() {
        return (int) busy.stream().filter(Wire::isStreaming).count();
    }

    /** Whether a request is sent again if the server has closed the idle connection meanwhile. */
    boolean asksAgain() {
        return plan.clients().asksAgain();
    }

    /** How many requests were sent again because the server had closed the idle connection. */
    int stale() {
        return stale;
    }

    StreamObserver observer() {
        return observer;
    }

    /** A stream, or the first turn of a session, is due now. */
    void dispatch(long index, long scheduledNs, boolean measured) {
        var sessions = plan.sessions();
        var conversation = sessions == null ? null : new Conversation(plan.template(), sessions.of(index), index);
        dispatch(new StreamSample(
                index, scheduledNs, measured, plan.clients().behaviours().of(index), conversation));
    }

    private void dispatch(StreamSample stream) {
        observer.onDispatch(stream.scheduledNs(), System.nanoTime(), stream.counts());
        if (feed.maxInProgress() > 0 && inProgress() >= feed.maxInProgress()) {
            waiting.add(stream);
        } else {
            begin(stream);
        }
    }

    /** No further stream is due. Streams in progress may go on until {@code deadlineNs}. */
    void drainUntil(long deadlineNs) {
        // Sessions that were asked for by number run to their end. Each of their streams has its limits.
        boolean unbounded = plan.sessions() != null && plan.shape().durationNs() == Long.MAX_VALUE;
        drainEndNs = unbounded ? Long.MAX_VALUE : deadlineNs;
        settle();
    }

    /** Ends all streams now. */
    void abort() {
        feed.stop();
        atEnd = Outcome.INTERRUPTED;
        drainEndNs = System.nanoTime();
        sweep();
    }

    void onEnd(Wire wire, StreamSample sample, StreamDetails details, boolean reusable) {
        busy.remove(wire);
        if (http2 != null) {
            http2.release(wire.channel());
        }
        if (reusable && !closing) {
            idle.add(wire);
        } else if (reusable) {
            wire.close();
        }
        report(sample, details);
    }

    /**
     * The server closed the connection before the request arrived. There is no answer, so the request is sent again.
     */
    void onStale(Wire wire, StreamSample stream) {
        busy.remove(wire);
        stale++;
        connect(stream);
    }

    private void report(StreamSample sample, StreamDetails details) {
        observer.onEnd(sample, details);
        var conversation = sample.conversation;
        if (conversation == null) {
            feed.onEnd(sample);
        } else if (conversation.goesOn(sample) && drainEndNs - System.nanoTime() > 0) {
            think(conversation, sample);
        } else {
            endSession(sample);
        }
        if (!waiting.isEmpty() && inProgress() < feed.maxInProgress()) {
            begin(waiting.poll());
        }
        settle();
    }

    /** Waits until the next turn is due, or until the load ends: then the turn does not begin. */
    private void think(Conversation conversation, StreamSample ended) {
        long dueNs = conversation.next(ended, System.nanoTime());
        long offsetNs = dueNs - measuredFromNs;
        boolean late = offsetNs >= plan.shape().durationNs();
        long waitNs = (late ? measuredFromNs + plan.shape().durationNs() : dueNs) - System.nanoTime();
        Runnable wake = () -> {
            thinking.remove(conversation);
            if (late) {
                endSession(ended);
                settle();
            } else {
                dispatch(new StreamSample(conversation.index(), dueNs, offsetNs >= 0, Behaviour.PLAIN, conversation));
            }
        };
        thinking.add(conversation);
        conversation.wakeBy(loop.schedule(wake, waitNs, TimeUnit.NANOSECONDS));
    }

    private void endSession(StreamSample last) {
        var conversation = requireNonNull(last.conversation);
        observer.onSessionEnd(last.measured(), conversation.isWhole(last));
        feed.onEnd(last);
    }

    private int inProgress() {
        return busy.size() + connecting + unconnected.size() + (http2 == null ? 0 : http2.waiting());
    }

    private void begin(StreamSample stream) {
        if (http2 != null) {
            http2.begin(stream);
            return;
        }
        if (stream.behaviour().isPlain()) {
            Wire wire;
            while ((wire = idle.pollLast()) != null) {
                if (wire.isOpen()) {
                    send(wire, stream);
                    return;
                }
            }
        }
        connect(stream);
    }

    void send(Wire wire, StreamSample stream) {
        busy.add(wire);
        wire.send(stream, stream.conversation == null ? requests.of(stream.index()) : stream.conversation.request());
    }

    void connect(StreamSample stream) {
        if (connecting >= MAX_CONNECTING) {
            unconnected.add(stream);
            return;
        }
        connecting++;
        stream.connectBeganNs = System.nanoTime();
        if (!descriptors.take()) {
            // Not at once: each end lets the next stream begin, so the stack would grow.
            loop.execute(() -> onNoConnection(stream, Outcome.CONNECT, new ConnectException(NO_DESCRIPTOR)));
            return;
        }
        bootstrap.connect(plan.address()).addListener((ChannelFuture connect) -> {
            // If the channel itself cannot be created, Netty reports it on another thread.
            if (loop.inEventLoop()) {
                onConnect(connect, stream);
            } else {
                loop.execute(() -> onConnect(connect, stream));
            }
        });
    }

    private void onConnect(ChannelFuture connect, StreamSample stream) {
        if (!connect.isSuccess()) {
            descriptors.giveBack();
            onNoConnection(stream, Outcome.CONNECT, connect.cause());
            return;
        }
        connect.channel().closeFuture().addListener(closed -> descriptors.giveBack());
        var tls = connect.channel().pipeline().get(SslHandler.class);
        if (tls == null) {
            onConnected(connect.channel(), stream);
            return;
        }
        tls.handshakeFuture().addListener(handshake -> {
            if (handshake.isSuccess()) {
                onConnected(connect.channel(), stream);
            } else {
                connect.channel().close();
                onNoConnection(stream, Outcome.TLS, handshake.cause());
            }
        });
    }

    private void onConnected(Channel channel, StreamSample stream) {
        if (http2 != null) {
            onConnected(channel, stream, http2);
            return;
        }
        connecting--;
        var wire = channel.pipeline().get(Wire.class);
        if (wire == null || !channel.isActive()) {
            connecting++;
            onNoConnection(stream, Outcome.CONNECT, new ConnectException("closed at once"));
            return;
        }
        stream.connectNs = System.nanoTime() - stream.connectBeganNs;
        send(wire, stream);
        connectNext();
    }

    private void onConnected(Channel channel, StreamSample stream, Http2Connections http2) {
        var tls = channel.pipeline().get(SslHandler.class);
        if (tls != null && !ApplicationProtocolNames.HTTP_2.equals(tls.applicationProtocol())) {
            channel.close();
            onNoConnection(stream, Outcome.TLS, new ConnectException("the server did not choose HTTP/2"));
            return;
        }
        var limit = loop.schedule(() -> channel.close(), plan.clients().limits().connectMs(), TimeUnit.MILLISECONDS);
        http2.ready(channel).addListener(settings -> {
            limit.cancel(false);
            if (!settings.isSuccess()) {
                channel.close();
                onNoConnection(stream, Outcome.CONNECT, settings.cause());
                return;
            }
            connecting--;
            stream.connectNs = System.nanoTime() - stream.connectBeganNs;
            http2.begin(stream);
            http2.proceed();
            connectNext();
        });
    }

    private void onNoConnection(StreamSample stream, Outcome outcome, Throwable cause) {
        connecting--;
        endUnsent(stream, outcome, detail(outcome, cause));
        connectNext();
    }

    void endUnsent(StreamSample stream, Outcome outcome, String detail) {
        stream.outcome = outcome;
        stream.detail = detail;
        stream.endNs = System.nanoTime();
        report(stream, StreamDetails.NONE);
    }

    private static String detail(Outcome outcome, Throwable cause) {
        if (cause instanceof ConnectTimeoutException) {
            return "timeout";
        }
        Throwable root = cause;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        String message = String.valueOf(root.getMessage());
        if (outcome == Outcome.TLS) {
            return message;
        }
        String lower = message.toLowerCase(Locale.ROOT);
        return lower.contains("refused")
                ? "refused"
                : lower.contains("unreachable")
                        ? "unreachable"
                        : lower.contains("too many open files") ? NO_DESCRIPTOR : lower;
    }

    private void connectNext() {
        while (connecting < MAX_CONNECTING && !unconnected.isEmpty()) {
            connect(unconnected.poll());
        }
        if (http2 != null) {
            http2.proceed();
        }
        settle();
    }

    private void init(Channel channel) {
        ReadClock clock = null;
        if (plan.tls() != null || http2 != null) {
            clock = new ReadClock();
            channel.pipeline().addLast(clock);
        }
        if (plan.tls() != null) {
            var endpoint = plan.template().endpoint();
            SslHandler tls = plan.tls().newHandler(channel.alloc(), endpoint.host(), endpoint.port());
            tls.setHandshakeTimeoutMillis(plan.clients().limits().connectMs());
            channel.pipeline().addLast(tls);
        }
        if (http2 != null) {
            Http2Connections.init(channel);
            return;
        }
        channel.pipeline().addLast(new Wire(this, channel, clock, plan.newReader(observer), ResponseReader::new));
    }

    /** The end of a stream of an HTTP/2 connection. */
    Wire newWire(Channel stream, Channel connection) {
        var clock = connection.pipeline().get(ReadClock.class);
        var request = plan.template().http2Headers();
        return new Wire(this, stream, clock, plan.newReader(observer), body -> new Http2Framing(request, body));
    }

    private void sweep() {
        long nowNs = System.nanoTime();
        boolean over = nowNs - drainEndNs >= 0;
        boolean patient = plan.clients().limits().equals(StreamLimits.NONE);
        var swept = patient && !over ? List.<Wire>of() : List.copyOf(busy);
        for (var wire : swept) {
            if (!wire.isBusy()) {
                continue;
            }
            if (over) {
                wire.abandon(atEnd);
            } else {
                wire.sweep(nowNs, plan.clients().limits());
            }
        }
        if (over) {
            drop(waiting);
            drop(unconnected);
            dropHttp2();
            thinking.forEach(Conversation::cancel);
            thinking.clear();
        }
        idle.removeIf(wire -> !wire.isOpen());
        settle();
    }

    private void drop(ArrayDeque<StreamSample> dues) {
        StreamSample stream;
        while ((stream = dues.poll()) != null) {
            endUnsent(stream, atEnd, "not begun");
        }
    }

    private void dropHttp2() {
        StreamSample stream;
        while (http2 != null && (stream = http2.poll()) != null) {
            endUnsent(stream, atEnd, "not begun");
        }
    }

    private void probeLag() {
        long nowNs = System.nanoTime();
        if (probeDueNs - measuredFromNs >= 0) {
            observer.onLoopLag(Math.max(0, nowNs - probeDueNs));
        }
        probeDueNs = nowNs + LAG_PROBE_NS;
        if (!closing) {
            lagProbe = loop.schedule(this::probeLag, LAG_PROBE_NS, TimeUnit.NANOSECONDS);
        }
    }

    private void settle() {
        if (!closing && feed.isDry() && active() == 0) {
            closing = true;
            sweeper.cancel(false);
            lagProbe.cancel(false);
            idle.forEach(Wire::close);
            idle.clear();
            if (http2 != null) {
                http2.close();
            }
            requests.close();
            done.setSuccess(null);
        }
    }
}
