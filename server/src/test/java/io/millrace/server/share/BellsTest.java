package io.millrace.server.share;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a node tells another one that follows its streams, and when. The time passes only where a test says so. */
class BellsTest {
    private static final int STREAMS = 20;
    private static final String FRAME = "data: ä\u00ff\n\n";

    private long nowMs = 1_000;
    private final FakeRedis redis = new FakeRedis(() -> nowMs);
    private final FakeNode writer = new FakeNode(redis, () -> nowMs);
    private final FakeNode other = new FakeNode(redis, () -> nowMs);
    private final List<StreamLog> logs = new ArrayList<>();
    private final List<FakeNode.Reader> readers = new ArrayList<>();

    @BeforeEach
    void everyStreamIsFollowed() {
        var ids = new ArrayList<String>();
        for (int i = 0; i < STREAMS; i++) {
            ids.add(writer.newId());
            logs.add(writer.begin(ids.get(i)));
            append(logs.get(i));
        }
        pass(20);
        ids.forEach(id -> readers.add(other.read(id, FakeNode.KEY, 0)));
        pass(20);
        assertThat(readers).allMatch(reader -> reader.text().equals(FRAME));
        redis.counts.clear();
    }

    @AfterEach
    void nothingIsLeft() {
        logs.forEach(StreamLog::close);
        writer.loop.close();
        other.loop.close();
        assertThat(writer.memory.held() + other.memory.held()).isZero();
    }

    /** The store has each frame at once. The other node gets all frames of a millisecond by one message, and asks for none. */
    @Test
    void oneMessageBringsWhatCameInAMillisecond() {
        for (int i = 0; i < STREAMS; i++) {
            append(logs.get(i));
            writer.run();
            other.run();
            assertThat(redis.counts).containsEntry("XADD", i + 1).containsEntry("PUBLISH", 1);
        }
        assertThat(readers.get(0).text()).as("the first after a silence").isEqualTo(FRAME + FRAME);
        assertThat(readers.subList(1, STREAMS)).allMatch(reader -> reader.text().equals(FRAME));
        nowMs++;
        writer.run();
        other.run();
        assertThat(readers).allMatch(reader -> reader.text().equals(FRAME + FRAME));
        assertThat(redis.counts).containsEntry("PUBLISH", 2).doesNotContainKey("XRANGE");
    }

    /** Not even while the bytes of others do. */
    @Test
    void theEndOfAStreamDoesNotWait() {
        append(logs.get(0));
        writer.run();
        append(logs.get(1));
        logs.get(2).seal(Seal.CLEAN);
        writer.run();
        other.run();
        assertThat(readers.get(2).answer).isEqualTo("CLEAN");
        assertThat(readers.get(1).text()).isEqualTo(FRAME);
        assertThat(redis.counts).containsEntry("PUBLISH", 2);
        nowMs++;
        writer.run();
        other.run();
        assertThat(readers.get(1).text()).isEqualTo(FRAME + FRAME);
        assertThat(redis.counts).containsEntry("PUBLISH", 3);
        pass(2);
        assertThat(redis.counts).as("none without news").containsEntry("PUBLISH", 3);
    }

    @Test
    void nobodyGetsWhatTheStoreRefuses() {
        redis.full = "OOM command not allowed";
        append(logs.get(0));
        pass(20);
        assertThat(readers.get(0).text()).isEqualTo(FRAME);
        redis.full = null;
        pass(100);
        assertThat(readers.get(0).text()).isEqualTo(FRAME + FRAME);
    }

    /** A message that is lost, and one that is behind. */
    @Test
    void bytesThatDoNotFitAreReadFromTheStore() {
        var messages = new ArrayList<String>();
        redis.subscribe(other.share.inbox(), messages::add);
        append(logs.get(0));
        writer.run();
        redis.subscribe(other.share.inbox(), other.share::onMessage);
        nowMs++;
        append(logs.get(0));
        writer.run();
        other.run();
        assertThat(redis.counts).containsEntry("XRANGE", 1);
        assertThat(messages).hasSize(1).allMatch(text -> text.contains(FRAME));
        other.share.onMessage(messages.get(0));
        other.run();
        assertThat(readers.get(0).text()).isEqualTo(FRAME + FRAME + FRAME);
        assertThat(redis.counts).containsEntry("XRANGE", 1);
    }

    /** A reader that takes nothing does not fill the memory of its node. */
    @Test
    void aFullLogTakesNoBytes() {
        FakeNode.Reader slow = readers.get(0);
        slow.wants = false;
        for (int i = 0; i < 100; i++) {
            append(logs.get(0), "data: " + "x".repeat(4_000) + "\n\n");
            nowMs++;
            writer.run();
            other.run();
            assertThat(other.memory.held()).isLessThan((2 + STREAMS) * FakeNode.MOST);
        }
        assertThat(slow.answer).isEqualTo("found");
    }

    /** The channel may bring anything. Nothing is thrown, and bells before a fault count. */
    @Test
    void malformedMessagesAreLeftOut() {
        ByteBuf text = Unpooled.buffer();
        ByteBufUtil.writeAscii(text, Bell.BEGIN);
        Bell.write("a", text);
        Bell.write("b", new LogBytes(logs.get(0), 0, FRAME.length()), FRAME.length(), text);
        String message = text.toString(StandardCharsets.ISO_8859_1);
        text.release();
        assertThat(Bell.read(message)).extracting(Bell::id).containsExactly("a", "b");
        for (int i = Bell.BEGIN.length(); i < message.length(); i++) {
            assertThat(Bell.read(message.substring(0, i))).hasSizeLessThan(2);
        }
        for (String fault :
                List.of("b 9 10\nxxxxxxxxxx", "b 9 -1\nx", "b 99999999999999999999 1\nx", "b 9 1 1\nx", "b 9\n")) {
            assertThat(Bell.read(Bell.BEGIN + "a\n" + fault)).as(fault).hasSize(1);
        }
    }

    private static void append(StreamLog log) {
        append(log, FRAME);
    }

    private static void append(StreamLog log, String frame) {
        ByteBuf bytes = Unpooled.copiedBuffer(frame, StandardCharsets.ISO_8859_1);
        log.append(bytes, 0, bytes.writerIndex());
        log.flush();
    }

    /** Lets so many steps of 20 ms pass. */
    private void pass(int steps) {
        for (int i = 0; i < steps; i++) {
            nowMs += 20;
            writer.run();
            other.run();
        }
    }
}
