package io.millrace.server.share;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.config.ResumeStore;
import io.millrace.server.replay.LogReader;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A node with one event loop, which a test runs. Its connection to Redis can be lost, slow or silent. */
final class FakeNode implements NodeShare.Owner, StoreLink {
    static final String LOST = "event: lost\n\n";
    static final byte[] KEY = {1, 2, 3};
    static final int MOST = 64 * 1024;

    /** A node that sends more commands than this in one step never stops. */
    private static final int MOST_COMMANDS = 20_000;

    final NodeShare share;
    final LoopShare loop;
    final ReplayMemory memory = new ReplayMemory(1 << 30);
    boolean stops = true;
    /** The node's process stands still: it does nothing, and hears nothing. */
    boolean stands;

    private final FakeRedis redis;
    private FakeRedis.Connection connection;
    private final Random random = new Random(1);
    private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
    private final ArrayDeque<Runnable> sent = new ArrayDeque<>();
    private final List<Timed> timed = new ArrayList<>();
    private boolean connected;
    private boolean silent;

    private record Timed(long atNs, Runnable task) {}

    FakeNode(FakeRedis redis, LongSupplier nowMs) {
        this.redis = redis;
        share = new NodeShare(ResumeStore.DEFAULT, this, () -> MILLISECONDS.toNanos(nowMs.getAsLong()));
        loop = share.add(tasks::add, tasks::add, UnpooledByteBufAllocator.DEFAULT, memory);
        connect();
    }

    void connect() {
        if (!connected) {
            connected = true;
            connection = redis.new Connection();
            silent = false;
            redis.subscribe(share.inbox(), text -> tasks.add(() -> share.onMessage(text)));
            loop.onConnected(this);
        }
    }

    /** The connection is lost; of what was sent, only {@code carriedOut} commands have reached Redis. */
    void disconnect(int carriedOut) {
        if (connected) {
            connected = false;
            for (int i = 0; i < carriedOut && !sent.isEmpty(); i++) {
                sent.remove().run();
            }
            sent.clear();
            redis.unsubscribe(share.inbox());
            loop.onLost();
        }
    }

    /** Redis takes what is sent, and answers nothing. */
    void silence() {
        silent = true;
    }

    /** Runs what waits, and a part of what was sent. */
    void run() {
        if (stands) {
            return;
        }
        int commands = 0;
        timed.stream().filter(each -> each.atNs() <= loop.nowNs()).forEach(each -> tasks.add(each.task()));
        timed.removeIf(each -> each.atNs() <= loop.nowNs());
        for (int i = 0; i < 3; i++) {
            while (!tasks.isEmpty()) {
                tasks.remove().run();
            }
            while (!silent && !sent.isEmpty()) {
                sent.remove().run();
                if (++commands > MOST_COMMANDS) {
                    throw new AssertionError("a node sends commands without end");
                }
            }
        }
        loop.tick();
    }

    @Override
    public boolean isConnected() {
        return connected;
    }

    @Override
    public void call(Answer answer, Object... words) {
        FakeRedis.Connection its = connection;
        for (int i = 0; i < words.length; i++) {
            words[i] = words[i] instanceof StoreLink.Content content ? bytes(content) : words[i];
        }
        sent.add(() -> {
            Object reply = null;
            String refusal = null;
            try {
                reply = its.execute(words);
            } catch (FakeRedis.Refused e) {
                refusal = e.getMessage();
            }
            if (connected) {
                answer.on(reply, refusal);
            }
        });
    }

    private static byte[] bytes(StoreLink.Content content) {
        ByteBuf to = Unpooled.buffer();
        content.writeTo(to);
        byte[] bytes = ByteBufUtil.getBytes(to);
        to.release();
        assertThat(bytes).hasSize(content.length());
        return bytes;
    }

    @Override
    public void later(Runnable task, long delayNs) {
        timed.add(new Timed(loop.nowNs() + delayNs, task));
    }

    @Override
    public void reset(String reason) {
        tasks.add(() -> disconnect(0));
    }

    @Override
    public boolean stop(int number, String id, byte[] key) {
        return stops && HexFormat.of().formatHex(key).equals(HexFormat.of().formatHex(KEY));
    }

    @Override
    public @Nullable ByteBuf lostEvent(String head, StreamLog log, ByteBufAllocator alloc) {
        return ByteBufUtil.writeAscii(alloc, LOST);
    }

    @Override
    public int most() {
        return MOST;
    }

    /** A stream that begins here. */
    StreamLog begin(String id) {
        var log = new StreamLog(UnpooledByteBufAllocator.DEFAULT, memory, MOST, tasks::add);
        loop.open(id, KEY, "200 head", log, MOST, Duration.ofMinutes(2));
        return log;
    }

    String newId() {
        byte[] bytes = new byte[12];
        random.nextBytes(bytes);
        return share.name() + ".0-" + HexFormat.of().formatHex(bytes);
    }

    /** A client of this node that reads a stream. */
    Reader read(String id, byte[] key, long from) {
        var reader = new Reader(from);
        loop.find(id, key, reader);
        return reader;
    }

    /** What a client gets. */
    static final class Reader implements LogReader, LoopShare.Found {
        final ByteArrayOutputStream got = new ByteArrayOutputStream();
        private final long from;
        private @Nullable StreamLog log;
        boolean wants = true;

        @Nullable
        String head;

        @Nullable
        String answer;

        Reader(long from) {
            this.from = from;
        }

        @Override
        public void found(String its, StreamLog found) {
            head = its;
            answer = "found";
            log = found;
            if (from > found.tail()) {
                answer = "ahead";
            } else {
                found.attach(this, from);
            }
        }

        @Override
        public void none() {
            answer = "none";
        }

        @Override
        public void unavailable() {
            answer = "unavailable";
        }

        @Override
        public boolean wants() {
            return wants;
        }

        @Override
        public void onBytes(ByteBuf bytes, long offset) {
            if (offset != from + got.size()) {
                throw new AssertionError("offset " + offset + " after " + (from + got.size()));
            }
            got.writeBytes(ByteBufUtil.getBytes(bytes));
            bytes.release();
        }

        @Override
        public void onSealed(Seal seal, long end) {
            answer = seal.name();
        }

        @Override
        public void onGone(long oldest) {
            answer = "gone";
        }

        void resume() {
            if (log != null) {
                log.resume(this);
            }
        }

        void leave() {
            if (log != null) {
                log.detach(this);
            }
        }

        String text() {
            return got.toString(StandardCharsets.ISO_8859_1);
        }

        boolean isOver() {
            return answer != null && !answer.equals("found");
        }
    }
}
