package io.millrace.server.share;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Two nodes, a store and a clock in one thread: whatever fails, what a reader of the other node gets is whole, or it is told. */
class SharedStreamsSimulationTest {
    private static final int STREAMS = 40;
    private static final int STEP_MS = 20;

    private long nowMs = 1_000;
    private long diedMs;
    private Runnable replica;
    private final FakeRedis redis = new FakeRedis(() -> nowMs);
    private final FakeNode writer = new FakeNode(redis, () -> nowMs);
    private final FakeNode other = new FakeNode(redis, () -> nowMs);

    /** What happens in the middle of the streams. */
    private enum Fault {
        NONE,
        FLUSHED,
        EVICTED,
        FULL,
        FAILED_OVER_TO_A_REPLICA_THAT_IS_BEHIND,
        WRITER_CUT_OFF_FOR_A_SECOND,
        READER_CUT_OFF_FOR_A_SECOND,
        SILENT_FOR_TWO_SECONDS,
        WRITER_DEAD,
        WRITER_STANDS_STILL_FOR_TEN_SECONDS,
        WRITER_CUT_OFF_FOR_TEN_SECONDS
    }

    /** A client of the other node. It asks again for the rest if it is cut, or if the stream cannot be read at the moment. */
    private final class Client {
        private final String id;
        private final StringBuilder before = new StringBuilder();
        private FakeNode.Reader reader;
        private final long sinceMs = nowMs;
        private long againMs;
        private long overMs;

        Client(String id) {
            this.id = id;
            ask();
        }

        private void ask() {
            againMs = nowMs + 500;
            reader = other.read(id, FakeNode.KEY, before.length());
        }

        void run() {
            overMs = overMs == 0 && isOver() ? nowMs : overMs;
            boolean cut = "gone".equals(reader.answer) || "ahead".equals(reader.answer);
            boolean away = "unavailable".equals(reader.answer) || "none".equals(reader.answer);
            if ((cut || away) && nowMs >= againMs) {
                before.append(reader.text());
                ask();
            }
        }

        String text() {
            return before + reader.text();
        }

        boolean isOver() {
            return reader.answer != null && reader.answer.matches("[A-Z]+");
        }
    }

    /** A stream, and who reads it. */
    private static final class Stream {
        private final String id;
        private final StreamLog log;
        private final StringBuilder written = new StringBuilder();
        private final List<Client> clients = new ArrayList<>();
        private final int frames;
        private int frame;

        Stream(String id, StreamLog log, int frames) {
            this.id = id;
            this.log = log;
            this.frames = frames;
        }

        /** Writes a frame, sometimes in two parts, and ends with the last one. */
        void write(Random random) {
            String text = "data: " + frame + " " + "x".repeat(random.nextInt(400)) + "\n\n";
            int cut = random.nextInt(4) == 0 ? random.nextInt(text.length()) : 0;
            append(text.substring(0, cut));
            append(text.substring(cut));
            if (++frame == frames) {
                log.seal(random.nextInt(8) == 0 ? Seal.FAILED : Seal.CLEAN);
            }
        }

        private void append(String text) {
            ByteBuf bytes = Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
            log.append(bytes, 0, bytes.writerIndex());
            log.flush();
            written.append(text);
        }
    }

    @ParameterizedTest
    @EnumSource(Fault.class)
    void eachReaderHasTheWholeOrAPrefixAndIsTold(Fault fault) {
        var random = new Random(fault.name().hashCode());
        var streams = new ArrayList<Stream>();
        for (int i = 0; i < STREAMS; i++) {
            String id = writer.newId();
            streams.add(new Stream(id, writer.begin(id), 100 + random.nextInt(200)));
        }
        int ms = 0;
        boolean open = true;
        for (; ms < 30_000 && (open || ms < 14_000); ms += STEP_MS) {
            for (Stream stream : streams) {
                if (!writer.stands && stream.log.seal() == null && random.nextBoolean()) {
                    stream.write(random);
                }
                if (stream.clients.size() < 3 && random.nextInt(60) == 0) {
                    stream.clients.add(new Client(stream.id));
                }
                stream.clients.forEach(Client::run);
            }
            happen(fault, ms);
            writer.run();
            other.run();
            nowMs += STEP_MS;
            open = streams.stream().anyMatch(stream -> !isRead(stream));
        }
        int whole = 0;
        for (Stream stream : streams) {
            assertThat(stream.clients).hasSize(3);
            for (Client client : stream.clients) {
                whole += check(stream, client) ? 1 : 0;
            }
        }
        boolean harmless = fault.compareTo(Fault.WRITER_DEAD) < 0;
        assertThat(whole).as("readers with the whole").isEqualTo(harmless ? 3 * STREAMS : whole);
        if (fault == Fault.WRITER_DEAD) {
            assertThat(whole).isLessThan(STREAMS);
            assertThat(streams.stream().flatMap(stream -> stream.clients.stream()))
                    .allMatch(client -> client.overMs - Math.max(client.sinceMs, diedMs) <= 10_000);
        }
        if (fault == Fault.WRITER_STANDS_STILL_FOR_TEN_SECONDS || fault == Fault.WRITER_CUT_OFF_FOR_TEN_SECONDS) {
            assertThat(writer.share.counters().fencedTotal()).isPositive();
        }
        streams.forEach(stream -> stream.log.close());
        writer.loop.close();
        other.loop.close();
        assertThat(writer.memory.held() + other.memory.held()).isZero();
    }

    /** A client that is told of a key is told so by the same answer, whatever is wrong with it. */
    @Test
    void nobodyReadsByGuessing() {
        String id = writer.newId();
        StreamLog log = writer.begin(id);
        var readers = new ArrayList<FakeNode.Reader>();
        var random = new Random(2);
        for (int i = 0; i < 10_000; i++) {
            byte[] guess = new byte[12];
            random.nextBytes(guess);
            String guessed = writer.share.name() + ".0-" + HexFormat.of().formatHex(guess);
            readers.add(other.read(i % 2 == 0 ? guessed : id, i % 2 == 0 ? FakeNode.KEY : guess, 0));
            if (i % 100 == 99) {
                run(10);
                assertThat(readers).extracting(reader -> reader.answer).containsOnly("none");
                readers.clear();
            }
        }
        FakeNode.Reader own = other.read(id, FakeNode.KEY, 0);
        run(10);
        assertThat(own.answer).isEqualTo("found");
        own.leave();
        log.close();
        other.loop.close();
    }

    /**
     * The store is asked a few times for a stream that is not there, and nothing is kept of one that the client may not
     * read. Both are answered at the same time.
     */
    @Test
    void guessesCostLittle() {
        String id = writer.newId();
        StreamLog log = writer.begin(id);
        append(log, "data: 1\n\n");
        run(20);
        var steps = new ArrayList<Integer>();
        for (String each : List.of(id, writer.newId(), "aaaaaaaa.0-1234")) {
            redis.counts.clear();
            FakeNode.Reader guess = other.read(each, new byte[] {9}, 0);
            steps.add(0);
            while (guess.answer == null && steps.get(steps.size() - 1) < 500) {
                run(1);
                steps.set(steps.size() - 1, steps.get(steps.size() - 1) + 1);
            }
            run(100);
            assertThat(guess.answer).isEqualTo("none");
            assertThat(redis.counts.get("XRANGE")).as(each).isLessThanOrEqualTo(3);
            assertThat(other.memory.held()).isZero();
        }
        assertThat(steps.get(0)).isEqualTo(steps.get(1));
        log.close();
    }

    /** More streams than the store is sent at once: those that wait are shipped when the node stops. */
    @Test
    void aNodeThatStopsShipsWhatWaits() {
        var logs = new LinkedHashMap<String, StreamLog>();
        for (int i = 0; i < 600; i++) {
            String id = writer.newId();
            StreamLog log = writer.begin(id);
            append(log, "data: 1\n\n");
            log.seal(Seal.CLEAN);
            logs.put(id, log);
        }
        writer.loop.close();
        logs.values().forEach(StreamLog::close);
        run(2);
        for (String id : logs.keySet()) {
            FakeNode.Reader reader = other.read(id, FakeNode.KEY, 0);
            run(10);
            assertThat(reader.answer).isEqualTo("CLEAN");
            assertThat(reader.text()).isEqualTo("data: 1\n\n");
        }
        other.loop.close();
    }

    @Test
    void whatIsForgottenNoLongerWaitsForTheStore() {
        String id = writer.newId();
        StreamLog log = writer.begin(id);
        run(2);
        append(log, "data: 1\n\n".repeat(5_000));
        assertThat(writer.share.counters().unshipped()).isPositive();
        writer.disconnect(0);
        log.close();
        writer.loop.drop(id);
        assertThat(writer.share.counters().unshipped()).isZero();
    }

    /** So that a node drops nothing that it cannot read back. */
    @Test
    void withoutAConnectionTheStoreHasNothing() {
        String id = writer.newId();
        StreamLog log = writer.begin(id);
        append(log, "data: 1\n\n");
        run(20);
        assertThat(writer.loop.stored(id)).isEqualTo(log.tail());
        writer.disconnect(0);
        assertThat(writer.loop.stored(id)).isZero();
        writer.connect();
        run(20);
        assertThat(writer.loop.stored(id)).isEqualTo(log.tail());
        log.close();
    }

    /** The node has dropped the bytes, and cannot write them again. */
    @Test
    void aStreamThatTheStoreHasLostIsNotAnEndWithoutBytes() {
        String id = writer.newId();
        StreamLog log = writer.begin(id);
        append(log, "data: 1\n\n");
        log.seal(Seal.CLEAN);
        run(20);
        assertThat(writer.loop.stored(id)).isEqualTo(log.tail());
        log.close();
        redis.flushAll();
        run(75);
        for (FakeNode node : List.of(writer, other)) {
            FakeNode.Reader reader = node.read(id, FakeNode.KEY, 0);
            run(20);
            assertThat(reader.answer).isEqualTo("none");
        }
        writer.loop.close();
        other.loop.close();
    }

    /** A store that needs memory may drop a lease as soon as it is written. */
    @Test
    void aNodeThatAnswersIsNotDeadWithoutItsLease() {
        String id = writer.newId();
        StreamLog log = writer.begin(id);
        append(log, "data: 1\n\n");
        run(20);
        FakeNode.Reader reader = other.read(id, FakeNode.KEY, 0);
        run(20);
        redis.before = command -> {
            if (command.equals("EXISTS")) {
                redis.execute("DEL", writer.loop.keys().node(writer.share.name()));
            }
        };
        run(500);
        assertThat(reader.answer).isEqualTo("found");
        assertThat(other.share.counters().lostTotal()).isZero();
        writer.stands = true;
        run(500);
        assertThat(reader.answer).isEqualTo("LOST");
        log.close();
        writer.loop.close();
        other.loop.close();
    }

    /** Even if the store has lost its lease, when it reads back what it has dropped. */
    @Test
    void aNodeDoesNotTakeItselfForDead() {
        String id = writer.newId();
        StreamLog log = writer.begin(id);
        append(log, "data: 1\n\n");
        run(20);
        redis.before = command -> {
            if (command.equals("EXISTS")) {
                redis.execute("DEL", writer.loop.keys().node(writer.share.name()));
            }
        };
        FakeNode.Reader reader = writer.read(id, FakeNode.KEY, 0);
        run(200);
        assertThat(reader.answer).isEqualTo("found");
        assertThat(writer.share.counters().lostTotal()).isZero();
        reader.leave();
        log.close();
        writer.loop.close();
    }

    private static void append(StreamLog log, String text) {
        ByteBuf bytes = Unpooled.copiedBuffer(text, StandardCharsets.ISO_8859_1);
        log.append(bytes, 0, bytes.writerIndex());
        log.flush();
    }

    /** Whatever has become of the entries between: a stream that is not as long as its end says is not taken for whole. */
    @Test
    void anEndThatDoesNotFitItsBytesIsALoss() {
        String id = writer.newId();
        StreamLog log = writer.begin(id);
        ByteBuf bytes = Unpooled.copiedBuffer("data: 1\n\n", StandardCharsets.ISO_8859_1);
        log.append(bytes, 0, bytes.writerIndex());
        log.flush();
        run(20);
        String key = writer.share.settings().redis().prefix() + "s:" + id;
        String end = "18446744073709551615-18446744073709551615";
        assertThat(redis.execute("XADD", key, end, "e", "clean", "t", "18")).isNotNull();
        FakeNode.Reader reader = other.read(id, FakeNode.KEY, 0);
        run(10);
        assertThat(reader.answer).isEqualTo("LOST");
        assertThat(reader.text()).isEqualTo("data: 1\n\n" + FakeNode.LOST);
        log.close();
        other.loop.close();
    }

    /** A long answer: neither the store nor a node keeps more than it may. A reader that is further behind is told. */
    @Test
    void aSlowReaderOfALongStream() {
        StreamLog log = writer.begin(writer.newId());
        String id = writer.newId();
        StreamLog its = writer.begin(id);
        FakeNode.Reader reader = other.read(id, FakeNode.KEY, 0);
        run(5);
        reader.wants = false;
        var written = new StringBuilder();
        for (int i = 0; i < 40; i++) {
            String frame = "data: " + i + "x".repeat(4_000) + "\n\n";
            ByteBuf bytes = Unpooled.copiedBuffer(frame, StandardCharsets.ISO_8859_1);
            its.append(bytes, 0, bytes.writerIndex());
            its.flush();
            written.append(frame);
            run(2);
            assertThat(other.memory.held()).isLessThan(2 * FakeNode.MOST);
            if (i == 10) {
                reader.wants = true;
                reader.resume();
                reader.wants = false;
            }
        }
        its.seal(Seal.CLEAN);
        run(20);
        reader.wants = true;
        reader.resume();
        run(200);
        assertThat(reader.answer).isEqualTo("gone");
        assertThat(written.toString()).startsWith(reader.text());
        FakeNode.Reader late = other.read(id, FakeNode.KEY, written.length() - 1_000);
        FakeNode.Reader early = other.read(id, FakeNode.KEY, written.length() - 30_000);
        run(10);
        assertThat(late.text()).isEqualTo(written.substring(written.length() - 1_000));
        assertThat(early.text()).isEqualTo(written.substring(written.length() - 30_000));
        assertThat(writer.memory.held()).isLessThan(3 * FakeNode.MOST);
        log.close();
        its.close();
        other.loop.close();
        assertThat(writer.memory.held() + other.memory.held()).isZero();
    }

    private void run(int steps) {
        for (int i = 0; i < steps; i++) {
            writer.run();
            other.run();
            nowMs += STEP_MS;
        }
    }

    private static boolean isRead(Stream stream) {
        return stream.clients.size() == 3 && stream.clients.stream().allMatch(Client::isOver);
    }

    /** Whether the client has the whole stream; if not, it must know. */
    private static boolean check(Stream stream, Client client) {
        String written = stream.written.toString();
        String text = client.text();
        switch (String.valueOf(client.reader.answer)) {
            case "CLEAN", "FAILED" -> {
                assertThat(text).isEqualTo(written);
                assertThat(client.reader.answer).isEqualTo(String.valueOf(stream.log.seal()));
                return true;
            }
            case "LOST" -> {
                assertThat(text).endsWith(FakeNode.LOST);
                assertThat(written).startsWith(text.substring(0, text.length() - FakeNode.LOST.length()));
            }
            case "BROKEN" -> assertThat(written).startsWith(text);
            default -> throw new AssertionError(stream.id + ": " + client.reader.answer);
        }
        return false;
    }

    private void happen(Fault fault, int ms) {
        switch (fault) {
            case NONE -> {}
            case FLUSHED -> {
                if (ms == 2_000) {
                    redis.flushAll();
                }
            }
            case EVICTED -> {
                if (ms == 2_000 || ms == 2_500) {
                    redis.evictStreams();
                }
            }
            case FAILED_OVER_TO_A_REPLICA_THAT_IS_BEHIND -> {
                if (ms == 2_000) {
                    replica = redis.replica();
                } else if (ms == 2_600) {
                    writer.disconnect(0);
                    other.disconnect(0);
                    replica.run();
                } else if (ms == 3_000) {
                    writer.connect();
                    other.connect();
                }
            }
            case FULL -> redis.full = ms >= 1_000 && ms < 3_000 ? "OOM command not allowed" : null;
            case WRITER_CUT_OFF_FOR_A_SECOND -> cutOff(writer, ms, 1_000);
            case READER_CUT_OFF_FOR_A_SECOND -> cutOff(other, ms, 1_000);
            case SILENT_FOR_TWO_SECONDS -> {
                if (ms >= 1_000 && ms < 3_000) {
                    writer.silence();
                    other.silence();
                } else if (ms >= 3_000) {
                    writer.connect();
                    other.connect();
                }
            }
            case WRITER_DEAD -> {
                if (ms == 2_000) {
                    writer.stands = true;
                    diedMs = nowMs;
                    redis.unsubscribe(writer.share.inbox());
                }
            }
            case WRITER_STANDS_STILL_FOR_TEN_SECONDS -> writer.stands = ms >= 2_000 && ms < 12_000;
            case WRITER_CUT_OFF_FOR_TEN_SECONDS -> cutOff(writer, ms, 10_000);
        }
    }

    private static void cutOff(FakeNode node, int ms, int forMs) {
        if (ms == 2_000) {
            node.disconnect(7);
        } else if (ms == 2_000 + forMs) {
            node.connect();
        }
    }
}
