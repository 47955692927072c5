package io.millrace.bench.stream;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.concurrent.Promise;
import java.net.ConnectException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * The part of a load that lives on one event loop: its connections, and those streams that are its turn. Nothing is shared
 * with other lanes but the count of requests.
 */
final class Lane {
    private static final int MAX_CONNECTING = 512;
    private static final long SWEEP_MS = 100;
    private static final long LAG_PROBE_NS = TimeUnit.MILLISECONDS.toNanos(5);

    private static final StreamDetails NO_DETAILS = new StreamDetails();

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
    private final ArrayDeque<Due> waiting = new ArrayDeque<>();
    private final ArrayDeque<Due> unconnected = new ArrayDeque<>();
    private Future<?> sweeper;
    private Future<?> lagProbe;
    private long probeDueNs;
    private long drainEndNs = Long.MAX_VALUE;
    private int connecting;
    private int stale;
    private boolean closing;

    /** @param measuredFromNs when the measured part begins */
    Lane(
            StreamPlan plan,
            Feed feed,
            long measuredFromNs,
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
        bootstrap = new Bootstrap()
                .group(loop)
                .channel(channelType)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, plan.limits().connectMs())
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        init(channel);
                    }
                });
    }

    /** Begins; to be called on the event loop. */
    void start() {
        sweeper = loop.scheduleAtFixedRate(this::sweep, SWEEP_MS, SWEEP_MS, TimeUnit.MILLISECONDS);
        probeDueNs = System.nanoTime() + LAG_PROBE_NS;
        lagProbe = loop.schedule(this::probeLag, LAG_PROBE_NS, TimeUnit.NANOSECONDS);
        feed.start(this, loop);
    }

    /** Is done when no stream will begin any more and all have ended. */
    Promise<Void> done() {
        return done;
    }

    /** Streams in progress or waiting. */
    int active() {
        return busy.size() + connecting + waiting.size() + unconnected.size();
    }

    /** Requests that had to be sent again because the server had closed the idle connection meanwhile. */
    int stale() {
        return stale;
    }

    StreamObserver observer() {
        return observer;
    }

    /** A stream is due now. */
    void dispatch(long index, long scheduledNs, boolean measured) {
        var due = new Due(index, scheduledNs, measured, plan.behaviours().of(index));
        observer.onDispatch(scheduledNs, System.nanoTime(), due.counts());
        if (feed.maxInProgress() > 0 && inProgress() >= feed.maxInProgress()) {
            waiting.add(due);
        } else {
            begin(due);
        }
    }

    /** Nothing more comes; streams may go on until {@code deadlineNs}. */
    void drainUntil(long deadlineNs) {
        drainEndNs = deadlineNs;
        settle();
    }

    /** Ends everything now. */
    void abort() {
        feed.stop();
        drainUntil(System.nanoTime());
        sweep();
    }

    void onEnd(Wire wire, StreamSample sample, StreamDetails details, boolean reusable) {
        busy.remove(wire);
        if (reusable && !closing) {
            idle.add(wire);
        } else if (reusable) {
            wire.close();
        }
        report(sample, details);
    }

    /** The server had closed the connection before the request came: that is no answer, so it is asked again. */
    void onStale(Wire wire, Due due) {
        busy.remove(wire);
        stale++;
        connect(due);
    }

    private void report(StreamSample sample) {
        report(sample, NO_DETAILS);
    }

    private void report(StreamSample sample, StreamDetails details) {
        observer.onEnd(sample, details);
        feed.onEnd(sample);
        if (!waiting.isEmpty() && inProgress() < feed.maxInProgress()) {
            begin(waiting.poll());
        }
        settle();
    }

    private int inProgress() {
        return busy.size() + connecting + unconnected.size();
    }

    private void begin(Due due) {
        due.begunNs = System.nanoTime();
        if (due.behaviour.isPlain()) {
            Wire wire;
            while ((wire = idle.pollLast()) != null) {
                if (wire.isOpen()) {
                    send(wire, due);
                    return;
                }
            }
        }
        connect(due);
    }

    private void send(Wire wire, Due due) {
        busy.add(wire);
        wire.send(due, requests.of(due.index));
    }

    private void connect(Due due) {
        if (connecting >= MAX_CONNECTING) {
            unconnected.add(due);
            return;
        }
        connecting++;
        due.connectBeganNs = System.nanoTime();
        if (!descriptors.take()) {
            // Not at once: what ends lets the next begin, and that would go ever deeper.
            loop.execute(() -> onNoConnection(due, Outcome.CONNECT, new ConnectException(NO_DESCRIPTOR)));
            return;
        }
        bootstrap.connect(plan.address()).addListener((ChannelFuture connect) -> {
            // Of a channel that could not even be made Netty tells on a thread of its own.
            if (loop.inEventLoop()) {
                onConnect(connect, due);
            } else {
                loop.execute(() -> onConnect(connect, due));
            }
        });
    }

    private void onConnect(ChannelFuture connect, Due due) {
        if (!connect.isSuccess()) {
            descriptors.giveBack();
            onNoConnection(due, Outcome.CONNECT, connect.cause());
            return;
        }
        connect.channel().closeFuture().addListener(closed -> descriptors.giveBack());
        var tls = connect.channel().pipeline().get(SslHandler.class);
        if (tls == null) {
            onConnected(connect.channel(), due);
            return;
        }
        tls.handshakeFuture().addListener(handshake -> {
            if (handshake.isSuccess()) {
                onConnected(connect.channel(), due);
            } else {
                connect.channel().close();
                onNoConnection(due, Outcome.TLS, handshake.cause());
            }
        });
    }

    private void onConnected(Channel channel, Due due) {
        connecting--;
        var wire = channel.pipeline().get(Wire.class);
        if (wire == null || !channel.isActive()) {
            connecting++;
            onNoConnection(due, Outcome.CONNECT, new ConnectException("closed at once"));
            return;
        }
        due.connectNs = System.nanoTime() - due.connectBeganNs;
        send(wire, due);
        connectNext();
    }

    private void onNoConnection(Due due, Outcome outcome, Throwable cause) {
        connecting--;
        long nowNs = System.nanoTime();
        report(Failures.unconnected(due, outcome, detail(outcome, cause), nowNs));
        connectNext();
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
        settle();
    }

    private void init(Channel channel) {
        var clock = new ReadClock();
        channel.pipeline().addLast(clock);
        if (plan.tls() != null) {
            var endpoint = plan.template().endpoint();
            SslHandler tls = plan.tls().newHandler(channel.alloc(), endpoint.host(), endpoint.port());
            tls.setHandshakeTimeoutMillis(plan.limits().connectMs());
            channel.pipeline().addLast(tls);
        }
        var dialect = plan.template().endpoint().dialect();
        channel.pipeline()
                .addLast(new Wire(
                        this,
                        channel,
                        clock,
                        new OutputReader(dialect, observer, plan.limits().stallNs())));
    }

    private void sweep() {
        long nowNs = System.nanoTime();
        boolean over = nowNs - drainEndNs >= 0;
        for (var wire : new ArrayList<>(busy)) {
            if (!wire.isBusy()) {
                continue;
            }
            if (over) {
                wire.abandon();
            } else {
                wire.sweep(nowNs, plan.limits());
            }
        }
        if (over) {
            drop(waiting, nowNs);
            drop(unconnected, nowNs);
        }
        idle.removeIf(wire -> !wire.isOpen());
        settle();
    }

    private void drop(ArrayDeque<Due> dues, long nowNs) {
        Due due;
        while ((due = dues.poll()) != null) {
            report(Failures.unconnected(due, Outcome.UNFINISHED, "not begun", nowNs));
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
            requests.close();
            done.setSuccess(null);
        }
    }
}
