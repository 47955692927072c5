package io.millrace.bench.load;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Promise;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A load in progress: keeps the planned number of streams open until {@link #stop}. A connection that ends is replaced; after a
 * stream was lost, a moment later. Frames and streams are counted between {@link #beginWindow} and {@link #endWindow},
 * lost streams always. Methods may be called from any thread but the event loop's.
 */
public final class LoadRun {
    private static final String BODY =
            "{\"model\":\"mock\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}";
    private static final int MAX_CONNECTING = 256;
    private static final long TICK_MS = 5;
    private static final long AFTER_LOSS_MS = 200;
    private static final int CONNECT_LIMIT_MS = 10_000;
    private static final long CALL_LIMIT_SECONDS = 60;

    private final LoadPlan plan;
    private final EventLoop loop;
    private final Bootstrap bootstrap;
    private final ByteBuf request;
    private final Recorder recorder = new Recorder();
    private final Set<StreamConnection> connections = new LinkedHashSet<>();
    private final Promise<Void> allClosed;
    private final long beginNs = System.nanoTime();
    private final Future<?> ramp;
    private int connecting;
    private int resting;
    private boolean stopping;

    LoadRun(LoadPlan plan, boolean recording, EventLoop loop, Class<? extends Channel> channelType) {
        if (recording) {
            recorder.beginWindow();
        }
        this.plan = plan;
        this.loop = loop;
        request = Unpooled.directBuffer().writeBytes(bytesOfRequest(plan));
        allClosed = loop.newPromise();
        bootstrap = new Bootstrap()
                .group(loop)
                .channel(channelType)
                .option(ChannelOption.TCP_NODELAY, true)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_LIMIT_MS)
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(new StreamConnection(LoadRun.this, recorder));
                    }
                });
        ramp = loop.scheduleAtFixedRate(this::connectDue, 0, TICK_MS, TimeUnit.MILLISECONDS);
    }

    /** Where it is. */
    public LoadProgress progress() {
        return call(() -> new LoadProgress(
                connections.size(),
                (int) connections.stream().filter(StreamConnection::streaming).count(),
                recorder.frames(),
                recorder.completed(),
                recorder.lost()));
    }

    /** From here on frames and streams are counted. */
    public void beginWindow() {
        call(() -> {
            recorder.beginWindow();
            return null;
        });
    }

    /** From here on they are not. */
    public void endWindow() {
        call(() -> {
            recorder.endWindow();
            return null;
        });
    }

    /** Closes every connection, waits until they are gone, and tells what came of it all. To be called once. */
    public LoadReport stop() {
        long unfinished = call(this::closeAll);
        if (!allClosed.awaitUninterruptibly(CALL_LIMIT_SECONDS, TimeUnit.SECONDS)) {
            throw new IllegalStateException("load: connections do not close");
        }
        return call(() -> recorder.report(unfinished));
    }

    /** A whole request; released by the write. */
    ByteBuf request() {
        return request.retainedDuplicate();
    }

    int outputFrames() {
        return plan.outputFrames();
    }

    /** Whether another stream may begin. */
    boolean goesOn() {
        return !stopping;
    }

    void onOpen(StreamConnection connection) {
        connections.add(connection);
        connecting--;
        if (stopping) {
            connection.close();
        }
    }

    void onClosed(StreamConnection connection) {
        connections.remove(connection);
        settle();
    }

    /** Does not hammer at a target that loses streams. */
    void onLost() {
        resting++;
        loop.schedule(() -> resting--, AFTER_LOSS_MS, TimeUnit.MILLISECONDS);
    }

    private long closeAll() {
        stopping = true;
        ramp.cancel(false);
        long unfinished =
                connections.stream().filter(StreamConnection::inProgress).count();
        List.copyOf(connections).forEach(StreamConnection::close);
        settle();
        return unfinished;
    }

    private void settle() {
        if (!stopping) {
            connectDue();
        } else if (connections.isEmpty() && connecting == 0 && !allClosed.isDone()) {
            request.release();
            allClosed.setSuccess(null);
        }
    }

    private void connectDue() {
        int due = due();
        while (connecting < MAX_CONNECTING && connections.size() + connecting + resting < due) {
            connecting++;
            bootstrap.connect(plan.target()).addListener((ChannelFuture connect) -> {
                if (!connect.isSuccess()) {
                    connecting--;
                    recorder.onLost("connect: " + connect.cause().getMessage());
                    onLost();
                    settle();
                }
            });
        }
    }

    private int due() {
        long rampNs = plan.ramp().toNanos();
        long elapsedNs = System.nanoTime() - beginNs;
        return elapsedNs >= rampNs ? plan.streams() : (int) Math.ceil(plan.streams() * ((double) elapsedNs / rampNs));
    }

    private <T> T call(Callable<T> task) {
        try {
            return loop.submit(task).get(CALL_LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("load: interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException("load: " + e, e);
        }
    }

    private static byte[] bytesOfRequest(LoadPlan plan) {
        String head =
                "POST " + plan.path() + " HTTP/1.1\r\nHost: " + plan.target().getHostString() + ':'
                        + plan.target().getPort()
                        + "\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\nx-mock: "
                        + plan.spec() + "\r\nContent-Length: " + BODY.length() + "\r\n\r\n";
        return (head + BODY).getBytes(StandardCharsets.US_ASCII);
    }
}
