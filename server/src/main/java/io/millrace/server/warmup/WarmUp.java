package io.millrace.server.warmup;

import io.millrace.server.RelayServer;
import io.millrace.server.config.RelayConfig;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Relays recorded streams directly after the start, so that the JVM has compiled the path of a token when the first
 * clients come. It pauses while the real relay has work, and ends by itself.
 */
public final class WarmUp implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);
    /** A logger that is enabled, so that lines are made, and that has no appender. */
    private static final Logger ACCESS_LOG = LoggerFactory.getLogger("millrace.warm-up.access");

    /** The delay before the warm-up. A first request directly after the start does not have to wait for it. */
    private static final long DELAY_NS = TimeUnit.MILLISECONDS.toNanos(300);

    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(20);
    /** How long each relay of the warm-up runs. */
    private static final long RELAY_NS = TimeUnit.MILLISECONDS.toNanos(1_500);

    private static final long STEP_BACK_NS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final int CLIENTS = 4;
    /** After this many streams, a client repeats the rare cases. */
    private static final int ROUND = 250;

    private static final int CROWD_EVERY = 10 * ROUND;
    private static final int CROWD = 64;

    private final RelayConfig config;
    private final BooleanSupplier busy;
    private final BooleanSupplier warm;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger relayed = new AtomicInteger();
    private final Set<String> practised = ConcurrentHashMap.newKeySet();
    private final Thread thread = new Thread(this::run, "millrace-warm-up");
    private volatile boolean over;
    private volatile boolean closed;
    private volatile boolean failed;

    private WarmUp(RelayConfig config, BooleanSupplier busy, BooleanSupplier warm) {
        this.config = config;
        this.busy = busy;
        this.warm = warm;
        thread.setDaemon(true);
    }

    /**
     * Starts the warm-up in the background.
     *
     * @param config the real relay's; the warm-up uses its transport, the protocols of its listeners and the format of
     *     its access log
     * @param busy whether the real relay has work
     */
    public static WarmUp start(RelayConfig config, BooleanSupplier busy) {
        return start(config, busy, new CompilerRest());
    }

    /**
     * Starts the warm-up in the background.
     *
     * @param warm asked now and then; the warm-up ends when it returns true
     */
    static WarmUp start(RelayConfig config, BooleanSupplier busy, BooleanSupplier warm) {
        var warmUp = new WarmUp(config, busy, warm);
        warmUp.thread.start();
        return warmUp;
    }

    /** The number of relayed streams. */
    int relayed() {
        return relayed.get();
    }

    /** The ways by which streams were relayed. */
    Set<String> practised() {
        return practised;
    }

    /** Whether it ended because a stream failed. */
    boolean failed() {
        return failed;
    }

    /** Waits for the end. */
    void join() throws InterruptedException {
        thread.join();
    }

    /** Ends the warm-up if it is still running. */
    @Override
    public void close() {
        closed = true;
        over = true;
        LockSupport.unpark(thread);
    }

    private void run() {
        long startNs = System.nanoTime();
        LockSupport.parkNanos(DELAY_NS);
        try {
            relay(Recordings.make(), startNs + LIMIT_NS);
            if (!closed && !busy.getAsBoolean()) {
                HeapReturn.run();
            }
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

    private void relay(Recordings recordings, long limitNs) throws IOException, InterruptedException {
        try (var upstream = new RecordedUpstream(recordings);
                var practice = Practice.of(config.listeners())) {
            while (!over) {
                relay(recordings, practice, upstream.uri(), limitNs);
            }
        }
    }

    /** Runs the streams through a new relay. So the path of a relay's first clients is also compiled. */
    private void relay(Recordings recordings, Practice practice, URI upstream, long limitNs)
            throws InterruptedException {
        try (var relay = RelayServer.start(
                RelayConfig.relayTo(upstream)
                        .with(c -> c.transport = config.transport())
                        .with(c -> c.accessLog = config.accessLog())
                        .with(c -> c.listeners = practice.listeners())
                        .with(c -> c.eventLoops = 1),
                ACCESS_LOG)) {
            List<Way> ways = practice.ways(relay.addresses());
            long endNs = System.nanoTime() + RELAY_NS;
            var clients = new ArrayList<Thread>();
            for (int i = 0; i < CLIENTS; i++) {
                var client = new Thread(() -> stream(recordings, ways, endNs), "millrace-warm-up-client");
                client.setDaemon(true);
                client.start();
                clients.add(client);
            }
            while (!over && System.nanoTime() < endNs) {
                LockSupport.parkNanos(CompilerRest.PERIOD_NS);
                over |= warm.getAsBoolean() || System.nanoTime() > limitNs;
            }
            for (Thread client : clients) {
                client.join();
            }
        }
    }

    private void stream(Recordings recordings, List<Way> ways, long endNs) {
        List<StreamClient> clients = ways.stream().map(Way::newClient).toList();
        try {
            while (!over && System.nanoTime() < endNs) {
                if (busy.getAsBoolean()) {
                    LockSupport.parkNanos(STEP_BACK_NS);
                } else {
                    stream(recordings, ways, clients);
                    relayed.incrementAndGet();
                }
            }
        } catch (IOException e) {
            fail(e);
        } finally {
            close(clients);
        }
    }

    /** Each way has its turn for a round. */
    private void stream(Recordings recordings, List<Way> ways, List<StreamClient> clients) throws IOException {
        int number = next.getAndIncrement();
        int round = number / ROUND;
        int way = round % ways.size();
        stream(recordings, clients.get(way), number, round / ways.size());
        practised.add(ways.get(way).label());
        if (number % CROWD_EVERY == ROUND) {
            crowd(recordings, ways.get(number / CROWD_EVERY % ways.size()), number);
        }
    }

    private void fail(Exception e) {
        if (!failed) {
            LOG.warn("the warm-up ended early: {}", e.toString());
        }
        failed = true;
        over = true;
    }

    private static void stream(Recordings recordings, StreamClient client, int number, int round) throws IOException {
        int turn = number % ROUND;
        switch (turn) {
            case 0 -> client.read(recordings.request(Kind.BURST, round));
            case 1 -> client.readSlowly(recordings.request(Kind.BURST, round));
            case 2 -> client.leave(recordings.request(Kind.BURST, round));
            case 3, 4 -> client.leave(recordings.request(Kind.PACED, round + turn));
            case 5, 6 -> client.leaveAtOnce(recordings.request(Kind.LATE, round + turn));
            case 7 -> client.close();
            case 50, 100, 150, 200 -> client.read(recordings.request(Kind.PACED, round + turn / 50));
            default -> client.read(recordings.request(Kind.SHORT, number));
        }
    }

    /** Many clients connect and ask before the first one reads its answer. */
    private static void crowd(Recordings recordings, Way way, int round) throws IOException {
        var clients = new ArrayList<StreamClient>();
        try {
            for (int i = 0; i < CROWD; i++) {
                clients.add(way.newClient());
                clients.get(i).ask(recordings.request(i % 2 == 0 ? Kind.PACED : Kind.SHORT, round + i));
            }
            for (StreamClient client : clients) {
                client.readAnswer(0);
            }
        } finally {
            close(clients);
        }
    }

    private static void close(List<StreamClient> clients) {
        for (StreamClient client : clients) {
            try {
                client.close();
            } catch (IOException e) {
                LOG.debug("a connection of the warm-up did not close: {}", e.toString());
            }
        }
    }
}
