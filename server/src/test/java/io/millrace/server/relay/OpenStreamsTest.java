package io.millrace.server.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.millrace.codec.dialect.Dialect;
import io.millrace.server.config.RelayConfig.Resume;
import io.millrace.server.replay.ReplayMemory;
import io.millrace.server.replay.Seal;
import io.millrace.server.replay.StreamLog;
import io.millrace.server.replay.StreamNames;
import io.millrace.server.test.FakeClientStream;
import io.millrace.server.timing.Sweeper;
import io.millrace.server.timing.Turns;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http.DefaultHttpHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who may read or stop the streams of an event loop, without sockets. */
class OpenStreamsTest {
    private static final byte[] KEY = "one".getBytes(StandardCharsets.UTF_8);
    private static final byte[] OTHER = "two".getBytes(StandardCharsets.UTF_8);

    private final FakeClientStream client = new FakeClientStream();
    private final ReplayMemory memory = new ReplayMemory(1 << 20);
    private final Sweeper sweeper = new Sweeper(client.eventLoop(), TimeUnit.HOURS.toNanos(1));
    private final OpenStreams streams = new OpenStreams(
            0, new Turns(client.eventLoop(), 32), sweeper, memory, new StreamNames(), null, () -> Resume.DEFAULT);
    private int stops;

    @AfterEach
    void close() {
        streams.close();
        assertThat(memory.held()).isZero();
    }

    @Test
    void nobodyGuessesAStream() {
        List<String> ids = List.of(open(KEY), open(KEY), open(new byte[0]));
        var random = new Random(1);
        byte[] guess = new byte[12];
        for (int i = 0; i < 10_000; i++) {
            random.nextBytes(guess);
            String guessed = "0-" + HexFormat.of().formatHex(guess);
            assertThat(find(guessed, KEY)).isNull();
            assertThat(streams.stop(guessed, KEY)).isFalse();
        }
        for (String id : ids) {
            for (int at = 2; at < id.length(); at++) {
                char other = id.charAt(at) == '0' ? '1' : '0';
                assertThat(find(id.substring(0, at) + other + id.substring(at + 1), KEY))
                        .isNull();
            }
        }
        assertThat(stops).isZero();
    }

    /** Live and ended, of another key, and of none. */
    @Test
    void onlyItsOwnKeyReadsOrStopsAStream() {
        String live = open(KEY);
        String ended = open(KEY);
        find(ended, KEY).log().seal(Seal.CLEAN);
        streams.end(ended);
        for (String id : List.of(live, ended)) {
            for (byte[] wrong : List.of(OTHER, new byte[0])) {
                assertThat(find(id, wrong)).isNull();
                assertThat(streams.stop(id, wrong)).isFalse();
            }
            assertThat(find(id, KEY)).isNotNull();
            assertThat(streams.stop(id, KEY)).isTrue();
        }
        assertThat(stops).isEqualTo(1);
        assertThat(find(ended, KEY)).isNull();
        assertThat(find(open(new byte[0]), OTHER)).isNull();
    }

    /** Those that ended go first. Of those in progress, none that is read, was read, or has lost its client. */
    @Test
    void whereMemoryIsShortTheLargestThatNobodyReadsGoes() {
        String ended = open(KEY, 100);
        log(ended).seal(Seal.CLEAN);
        streams.end(ended);
        String small = open(KEY, 10_000);
        String large = open(KEY, 300_000);
        String middle = open(KEY, 120_000);
        String read = open(KEY, 400_000);
        log(read).countFollow();
        String detached = open(KEY, 100_000);
        log(detached).waitsForReaders();
        streams.evictEnded();
        streams.evictLive();
        assertThat(log(ended).isClosed()).isTrue();
        assertThat(memory.isTight()).isTrue();
        assertThat(List.of(small, large, middle, read, detached)).noneMatch(id -> log(id).isClosed());
        String more = open(KEY, 50_000);
        assertThat(memory.isNearlyFull()).isTrue();
        streams.evictEnded();
        streams.evictLive();
        assertThat(log(large).isClosed()).isTrue();
        assertThat(List.of(small, middle, read, detached, more)).noneMatch(id -> log(id).isClosed());
        assertThat(memory.givenUp(ReplayMemory.GivenUp.LIVE)).isEqualTo(1);
        String largest = open(KEY, 300_000);
        streams.evictEnded();
        streams.evictLive();
        assertThat(log(largest).isClosed()).isTrue();
        assertThat(List.of(small, middle, read, detached, more)).noneMatch(id -> log(id).isClosed());
    }

    /** Routes keep streams for different times. */
    @Test
    void eachIsForgottenWhenItsOwnTimeIsOver() {
        for (int seconds : List.of(120, 1)) {
            String id = streams.add(() -> false, KEY);
            var head = LogHead.of(id, 200, Dialect.CHAT, new DefaultHttpHeaders());
            var settings = Resume.DEFAULT.with(r -> r.keep = Duration.ofSeconds(seconds));
            streams.keep(id, head, client.alloc(), settings).seal(Seal.CLEAN);
            streams.end(id);
        }
        streams.onSweep(System.nanoTime() + TimeUnit.SECONDS.toNanos(2));
        assertThat(streams.size()).isEqualTo(1);
    }

    private StreamLog log(String id) {
        return find(id, KEY).log();
    }

    private Kept find(String id, byte[] key) {
        var found = new ArrayList<Kept>();
        streams.whenKept(id, key, found::add);
        assertThat(found).hasSize(1);
        return found.get(0);
    }

    /** A stream in progress, of which something is kept. */
    private String open(byte[] key) {
        return open(key, ExchangeBed.OUTPUT.length());
    }

    private String open(byte[] key, int length) {
        String id = streams.add(
                () -> {
                    stops++;
                    return true;
                },
                key);
        var head = LogHead.of(id, 200, Dialect.CHAT, new DefaultHttpHeaders());
        StreamLog log = streams.keep(id, head, client.alloc(), Resume.DEFAULT);
        var bytes = Unpooled.wrappedBuffer(new byte[length]);
        log.append(bytes, 0, length);
        bytes.release();
        return id;
    }
}
