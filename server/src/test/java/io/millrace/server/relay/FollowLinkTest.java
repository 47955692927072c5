package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Readers on other event loops than the log's. A seed says which event loop runs its next task. */
class FollowLinkTest {
    private static final long STALL_NS = TimeUnit.SECONDS.toNanos(5);

    private final ReplayMemory memory = new ReplayMemory(1 << 30);

    /** The tasks of one event loop. */
    private static final class Loop extends ArrayDeque<Runnable> {
        private static final long serialVersionUID = 1;
    }

    /** A client that takes what it is given now or later. */
    private static final class Client implements FollowLink.Reader {
        private final Loop logs;
        private final FollowLink link;
        private final int from;
        private final ByteArrayOutputStream got = new ByteArrayOutputStream();
        private long untold;
        private int ends;
        private boolean left;
        private @Nullable Seal seal;

        Client(Loop loop, Loop logs, int from) {
            this.logs = logs;
            this.from = from;
            link = new FollowLink(loop::add, this);
        }

        @Override
        public void onBytes(ByteBuf bytes) {
            assertThat(ends).isZero();
            untold += bytes.readableBytes();
            byte[] copy = new byte[bytes.readableBytes()];
            bytes.readBytes(copy).release();
            if (!left) {
                got.writeBytes(copy);
            }
        }

        @Override
        public void onEnd(@Nullable Seal how) {
            ends++;
            seal = how;
        }

        void take() {
            long taken = untold;
            if (taken > 0) {
                untold = 0;
                logs.add(() -> link.onTaken(taken));
            }
        }

        void leave() {
            left = true;
            logs.add(link::leave);
        }
    }

    /** Each has a contiguous part, once, and one end; what is on its way when a reader leaves is released. */
    @Test
    void bringsEachReaderAContiguousPartAndOneEnd() {
        for (int seed = 0; seed < 300; seed++) {
            var random = new Random(seed);
            byte[] body = new byte[1 + random.nextInt(300_000)];
            random.nextBytes(body);
            boolean small = random.nextBoolean();
            List<Loop> loops = List.of(new Loop(), new Loop(), new Loop());
            Loop logs = loops.get(0);
            var log = new StreamLog(PooledByteBufAllocator.DEFAULT, memory, small ? 64 * 1024 : 1 << 30, logs::add);
            List<Client> clients = new ArrayList<>();
            ByteBuf source = Unpooled.wrappedBuffer(body);
            for (int at = 0; at < body.length; ) {
                int end = Math.min(body.length, at + 1 + random.nextInt(8_000));
                log.append(source, at, end);
                log.flush();
                at = end;
                if (random.nextInt(8) == 0) {
                    int from = (int) log.oldest() + random.nextInt((int) log.held() + 1);
                    var client = new Client(loops.get(random.nextInt(3)), logs, from);
                    clients.add(client);
                    client.link.begin(log, from);
                }
                step(loops, clients, random);
            }
            log.seal(Seal.CLEAN);
            do {
                clients.forEach(Client::take);
            } while (runAll(loops));
            for (Client client : clients) {
                int to = client.from + client.got.size();
                assertThat(client.got.toByteArray())
                        .as("seed %d", seed)
                        .isEqualTo(Arrays.copyOfRange(body, client.from, to));
                assertThat(client.ends).isEqualTo(client.left ? client.ends : 1).isLessThanOrEqualTo(1);
                assertThat(client.seal == Seal.CLEAN && !client.left).isEqualTo(!client.left && to == body.length);
                assertThat(small || client.left || client.seal == Seal.CLEAN).isTrue();
            }
            assertThat(log.readers()).isZero();
            log.close();
            assertThat(memory.held()).isZero();
            assertThat(memory.readers()).isZero();
        }
    }

    @Test
    void aReaderThatTakesNothingFor5SecondsGivesItsPlace() {
        var loop = new Loop();
        var log = new StreamLog(PooledByteBufAllocator.DEFAULT, memory, 1 << 20, loop::add);
        var quick = new Client(loop, loop, 0);
        var stuck = new Client(loop, loop, 0);
        quick.link.begin(log, 0);
        stuck.link.begin(log, 0);
        assertThat(log.cutStalled(System.nanoTime() + STALL_NS))
                .as("nothing to take")
                .isFalse();
        log.append(Unpooled.wrappedBuffer(new byte[10]), 0, 10);
        log.flush();
        runAll(List.of(loop));
        quick.take();
        runAll(List.of(loop));
        assertThat(log.cutStalled(System.nanoTime())).as("just now").isFalse();
        assertThat(log.cutStalled(System.nanoTime() + STALL_NS)).isTrue();
        assertThat(log.cutStalled(System.nanoTime() + STALL_NS)).as("once").isFalse();
        runAll(List.of(loop));
        assertThat(stuck.ends).isEqualTo(1);
        assertThat(stuck.seal).isNull();
        assertThat(quick.ends).isZero();
        assertThat(log.readers()).isEqualTo(1);
        log.close();
    }

    private static void step(List<Loop> loops, List<Client> clients, Random random) {
        for (int i = random.nextInt(6); i > 0; i--) {
            Runnable task = loops.get(random.nextInt(3)).poll();
            if (task != null) {
                task.run();
            }
        }
        for (Client client : clients) {
            if (random.nextInt(3) == 0) {
                client.take();
            }
            if (random.nextInt(60) == 0 && !client.left) {
                client.leave();
            }
        }
    }

    private static boolean runAll(List<Loop> loops) {
        boolean ran = false;
        for (boolean more = true; more; ) {
            more = false;
            for (Loop loop : loops) {
                for (Runnable task = loop.poll(); task != null; task = loop.poll()) {
                    task.run();
                    more = true;
                }
            }
            ran |= more;
        }
        return ran;
    }
}
