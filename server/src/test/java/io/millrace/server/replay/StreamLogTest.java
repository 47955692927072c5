package io.millrace.server.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamLogTest {
    private static final long ALL = 1L << 30;

    private final ReplayMemory memory = new ReplayMemory(ALL);
    private final ArrayDeque<Runnable> turns = new ArrayDeque<>();

    /** Collects its bytes, and checks that each part comes at the expected offset. */
    private static class Reader implements LogReader {
        private final long from;
        private final ByteArrayOutputStream got = new ByteArrayOutputStream();
        private boolean wants = true;
        private int ends;
        private @Nullable Seal seal;
        private long gone = -1;

        Reader(long from) {
            this.from = from;
        }

        @Override
        public boolean wants() {
            return wants;
        }

        @Override
        public void onBytes(ByteBuf bytes, long offset) {
            assertThat(offset).isEqualTo(from + got.size());
            byte[] copy = new byte[bytes.readableBytes()];
            bytes.readBytes(copy).release();
            got.writeBytes(copy);
        }

        @Override
        public void onSealed(Seal how, long end) {
            assertThat(end).isEqualTo(from + got.size());
            ends++;
            seal = how;
        }

        @Override
        public void onGone(long oldest) {
            ends++;
            gone = oldest;
        }
    }

    private StreamLog log(long most) {
        return new StreamLog(PooledByteBufAllocator.DEFAULT, memory, most, turns::add);
    }

    private void runTurns() {
        for (Runnable turn = turns.poll(); turn != null; turn = turns.poll()) {
            turn.run();
        }
    }

    /** A crowd of readers that are behind would else keep the event loop from all other streams. */
    @Test
    void readerThatIsBehindWaitsForItsTurn() {
        StreamLog log = log(ALL);
        log.append(Unpooled.wrappedBuffer(new byte[100]), 0, 100);
        var reader = new Reader(0);
        reader.wants = false;
        log.attach(reader, 0);
        reader.wants = true;
        log.resume(reader);
        log.resume(reader);
        assertThat(reader.got.size()).isZero();
        assertThat(turns).hasSize(1);
        runTurns();
        assertThat(reader.got.size()).isEqualTo(100);
        log.resume(reader);
        assertThat(turns).as("has all").isEmpty();
        log.close();
    }

    /** Readers begin anywhere and take bytes at random. Each gets a contiguous part, once, and one end. */
    @ParameterizedTest
    @ValueSource(longs = {64 * 1024, ALL})
    void givesEachReaderAContiguousPartAndOneEnd(long most) {
        for (int seed = 0; seed < 200; seed++) {
            var random = new Random(seed);
            byte[] body = new byte[random.nextInt(400_000)];
            random.nextBytes(body);
            ByteBuf buf = Unpooled.wrappedBuffer(body);
            StreamLog log = log(most);
            List<Reader> readers = new ArrayList<>();
            for (int at = 0; at < body.length; ) {
                int end = Math.min(body.length, at + 1 + random.nextInt(3000));
                log.append(buf, at, end);
                at = end;
                if (random.nextInt(20) == 0) {
                    var reader = new Reader(log.oldest() + random.nextInt((int) (log.tail() - log.oldest()) + 1));
                    readers.add(reader);
                    log.attach(reader, reader.from);
                }
                readers.forEach(reader -> reader.wants = random.nextInt(3) > 0);
                log.flush();
                if (random.nextBoolean() && !turns.isEmpty()) {
                    turns.poll().run();
                }
            }
            log.seal(Seal.CLEAN);
            readers.forEach(reader -> {
                reader.wants = true;
                log.resume(reader);
            });
            runTurns();
            for (Reader reader : readers) {
                int from = (int) reader.from;
                assertThat(reader.ends).as("seed %d", seed).isEqualTo(1);
                assertThat(reader.got.toByteArray())
                        .isEqualTo(Arrays.copyOfRange(body, from, from + reader.got.size()));
                assertThat(reader.seal == Seal.CLEAN)
                        .isEqualTo(from + reader.got.size() == body.length && reader.gone < 0);
            }
            assertThat(most == ALL && readers.stream().anyMatch(reader -> reader.gone >= 0))
                    .isFalse();
            assertThat(log.readers()).isZero();
            log.close();
            assertThat(memory.held()).isZero();
        }
    }

    /** Segments are dropped as a whole, so a reader inside the oldest one keeps that whole segment. */
    @Test
    void dropsNothingBeforeAReaderForWhichItsWriterWaits() {
        for (int from = 0; from < 40_000; from += 1_111) {
            byte[] body = new byte[from + 70_000];
            new Random(from).nextBytes(body);
            StreamLog log = log(64 * 1024);
            log.append(Unpooled.wrappedBuffer(body), 0, from);
            log.waitsForReaders();
            var reader = new Reader(from);
            reader.wants = false;
            log.attach(reader, from);
            for (int at = from; at < body.length; at += 1_000) {
                log.append(Unpooled.wrappedBuffer(body), at, Math.min(body.length, at + 1_000));
            }
            reader.wants = true;
            log.seal(Seal.CLEAN);
            runTurns();
            assertThat(reader.seal).as("from %d", from).isEqualTo(Seal.CLEAN);
            assertThat(reader.got.toByteArray()).isEqualTo(Arrays.copyOfRange(body, from, body.length));
            log.close();
        }
    }

    @Test
    void keepsWhatAReaderHasWhenItIsDropped() {
        StreamLog log = log(ALL);
        log.append(Unpooled.wrappedBuffer(new byte[] {1, 2, 3}), 0, 3);
        List<ByteBuf> kept = new ArrayList<>();
        log.attach(
                new Reader(0) {
                    @Override
                    public void onBytes(ByteBuf bytes, long offset) {
                        kept.add(bytes);
                    }
                },
                0);
        log.close();
        assertThat(kept).hasSize(1);
        assertThat(kept.get(0).getByte(2)).isEqualTo((byte) 3);
        kept.get(0).release();
    }

    @Test
    void isGivenUpWhereMemoryIsShort() {
        var small = new ReplayMemory(4 * 1024);
        var log = new StreamLog(PooledByteBufAllocator.DEFAULT, small, ALL, turns::add);
        var reader = new Reader(0);
        log.attach(reader, 0);
        log.append(Unpooled.wrappedBuffer(new byte[5000]), 0, 5000);
        assertThat(log.isClosed()).isTrue();
        assertThat(reader.ends).isEqualTo(1);
        assertThat(reader.gone).isNotNegative();
        assertThat(small.held()).isZero();
    }

    @Test
    void hasNoPlaceBehindItsTail() {
        StreamLog log = log(ALL);
        assertThatThrownBy(() -> log.attach(new Reader(1), 1)).isInstanceOf(IllegalArgumentException.class);
        log.close();
    }
}
