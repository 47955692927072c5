package io.millrace.server.warmup;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import java.io.IOException;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Relays streams that nobody waits for, right after the start, so that the JVM has compiled the path of a token when the
 * first clients come. It steps back while the real relay has something to do, and ends by itself.
 */
public final class WarmUp implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);
    /** Enabled, so that lines are made, and without an appender. */
    private static final Logger ACCESS_LOG = LoggerFactory.getLogger("millrace.warm-up.access");

    /** The first request after a start, if one comes at once, is not to wait for this. */
    private static final long DELAY_NS = TimeUnit.MILLISECONDS.toNanos(300);

    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(20);
    private static final long STEP_BACK_NS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final int CLIENTS = 4;
    private static final int PACED_EVERY = 16;
    private static final int BURST_EVERY = 200;
    private static final int LEAVE_EVERY = 100;
    private static final int RECONNECT_EVERY = 30;

    private final RelayConfig config;
    private final BooleanSupplier busy;
    private final BooleanSupplier warm;
    private final AtomicInteger turn = new AtomicInteger();
    private final AtomicInteger relayed = new AtomicInteger();
    private final Thread thread = new Thread(this::run, "millrace-warm-up");
    private volatile boolean over;
    private volatile boolean failed;

    private WarmUp(RelayConfig config, BooleanSupplier busy, BooleanSupplier warm) {
        this.config = config;
        this.busy = busy;
        this.warm = warm;
        thread.setDaemon(true);
    }

    /**
     * Starts in the background.
     *
     * @param config the real relay's: its transport and its access log's format are practised
     * @param busy whether the real relay has something to do
     */
    public static WarmUp start(RelayConfig config, BooleanSupplier busy) {
        return start(config, busy, new CompilerRest());
    }

    /**
     * Starts in the background.
     *
     * @param warm asked every now and then whether that is enough
     */
    static WarmUp start(RelayConfig config, BooleanSupplier busy, BooleanSupplier warm) {
        var warmUp = new WarmUp(config, busy, warm);
        warmUp.thread.start();
        return warmUp;
    }

    /** How many streams were relayed. */
    int relayed() {
        return relayed.get();
    }

    /** Whether it ended because a stream failed. */
    boolean failed() {
        return failed;
    }

    /** Waits until it is over. */
    void join() throws InterruptedException {
        thread.join();
    }

    /** Ends it if it is still under way. */
    @Override
    public void close() {
        over = true;
        LockSupport.unpark(thread);
    }

    private void run() {
        long startNs = System.nanoTime();
        LockSupport.parkNanos(DELAY_NS);
        try {
            relay(startNs, Recordings.make());
            LOG.debug(
                    "warmed up by {} streams in {} ms",
                    relayed,
                    TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNs));
        } catch (IOException | RuntimeException e) {
            fail(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void relay(long startNs, Recordings recordings) throws IOException, InterruptedException {
        try (var upstream = new RecordedUpstream(recordings);
                var relay = RelayServer.start(
                        RelayConfig.relayTo(upstream.uri())
                                .withTransport(config.transport())
                                .withAccessLog(config.accessLog())
                                .withEventLoops(1),
                        ACCESS_LOG)) {
            int port = relay.addresses().get(0).getPort();
            var clients = new ArrayList<Thread>();
            for (int i = 0; i < CLIENTS; i++) {
                var client = new Thread(() -> stream(port, recordings), "millrace-warm-up-client");
                client.setDaemon(true);
                client.start();
                clients.add(client);
            }
            while (!over && System.nanoTime() - startNs < LIMIT_NS) {
                LockSupport.parkNanos(CompilerRest.PERIOD_NS);
                over |= warm.getAsBoolean();
            }
            over = true;
            for (Thread client : clients) {
                client.join();
            }
        }
    }

    private void stream(int port, Recordings recordings) {
        try (var client = new StreamClient(port)) {
            while (!over) {
                if (busy.getAsBoolean()) {
                    LockSupport.parkNanos(STEP_BACK_NS);
                } else {
                    stream(client, recordings, turn.getAndIncrement());
                    relayed.incrementAndGet();
                }
            }
        } catch (IOException e) {
            fail(e);
        }
    }

    private void fail(Exception e) {
        if (!failed) {
            LOG.warn("the warm-up ended early: {}", e.toString());
        }
        failed = true;
        over = true;
    }

    private static void stream(StreamClient client, Recordings recordings, int number) throws IOException {
        Kind kind = number % BURST_EVERY == 0 ? Kind.BURST : number % PACED_EVERY == 0 ? Kind.PACED : Kind.SHORT;
        byte[] request = recordings.request(kind, number / BURST_EVERY);
        if (number % LEAVE_EVERY == 1) {
            client.leave(request);
        } else {
            client.read(request);
        }
        if (number % RECONNECT_EVERY == 0) {
            client.close();
        }
    }
}
